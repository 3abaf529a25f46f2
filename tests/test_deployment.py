"""The commands of deploy/compose.yaml as processes of this machine: homes of their own, Redis, PostgreSQL, S3, the proxy.

Nothing is shared but what the settings name. One machine's worker is killed while it works: another takes the run up.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import fsspec
import pytest
import sqlalchemy as sa
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from dagster import DagsterRunStatus, RunsFilter
from serving import ROOT, RUN, answers, free_port, until

from assets.run import opened
from pcc_pipeline.arrival.delivery import deliver
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.demo import write_provider
from pcc_pipeline.installation import Installation
from pcc_pipeline.service.erasure import erase
from pcc_pipeline.settings import Settings
from portal.accounts import add_user
from portal.sessions import open_session

COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
#: The parts that are ours; what shares the volume `main` is one machine.
OURS = {name: service for name, service in COMPOSE["services"].items() if service.get("command", [""])[0] == "pcc"}
GIVEN = {
    "PCC_NAME": "127.0.0.1",
    "PCC_DATABASE_PASSWORD": "p",
    "PCC_DESK_PASSWORD": "d",
    "PCC_S3_KEY": "key",
    "PCC_S3_SECRET": "secret",
    "PCC_RUNS": "2",
    "PCC_WORKERS": "1",
}
PASSWORD = "una lunga parola d'ordine"


def filled(text: str) -> str:
    """What compose makes of `${NAME:-default}` and `${NAME:?}`."""
    return re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda m: GIVEN.get(m[1], m[2] or ""), text)


def test_every_part_is_a_command_of_ours_with_the_settings_that_machines_share() -> None:
    assert {"webserver", "daemon", "inbox", "worker", "desk", "worker-elsewhere"} == set(OURS)
    example = {line.split("=")[0] for line in (ROOT / "deploy" / ".env.example").read_text().splitlines() if "=" in line}
    asked = set(re.findall(r"\$\{(\w+):\?\}", (ROOT / "deploy" / "compose.yaml").read_text()))
    assert asked <= example
    for name, service in OURS.items():
        assert {"PCC_DATABASE_URL", "PCC_STORE_URL", "PCC_BROKER_URL", "PCC_RUNS"} <= set(service["environment"])
        assert bool(service.get("volumes")) == (name != "worker-elsewhere")


@contextmanager
def running(command: list[str], log: Path, environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process with a group of its own, which ends with the block."""
    with log.open("w") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env={**os.environ, **(environment or {})}, cwd=ROOT, start_new_session=True
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    day = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, day - timedelta(1), day + timedelta(1)).sign(
        key, hashes.SHA256()
    )
    folder.mkdir()
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )


def proxy_files(folder: Path, values: Mapping[str, str]) -> Path:
    """nginx's own configuration around the template of the service, filled in as its image does."""
    text = (ROOT / "deploy" / "proxy.conf.template").read_text()
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    certificate(folder / "certificates")
    text = text.replace("/etc/nginx/certificates", str(folder / "certificates"))
    target = folder / "nginx.conf"
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    target.write_text(f"daemon off;\npid {folder}/pid;\nevents {{}}\nhttp {{ access_log off;\n{temporary}{text} }}\n")
    return target


@pytest.mark.whole
@pytest.mark.skipif(not (shutil.which("redis-server") and shutil.which("nginx")), reason="no Redis or nginx here")
def test_machines_without_a_shared_disk_do_the_work_of_one(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine(settings)
    redis, s3, web, desk, front, plain = (free_port() for _ in range(6))
    here = {
        "PCC_DATABASE_URL": settings.database_url or "",
        "PCC_DESK_DATABASE_URL": "",  # over the socket no role needs a password
        "PCC_BROKER_URL": f"redis://127.0.0.1:{redis}/0",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3}",
        "PCC_QUIET_SECONDS": "1",
        "PCC_MEMORY_LIMIT": "1GiB",
    }
    ports = {"3000": str(web), "8000": str(desk), "0.0.0.0": "127.0.0.1"}
    machines = {name: tmp_path / ("main" if service.get("volumes") else name) for name, service in OURS.items()}
    environments = {}
    for name, service in OURS.items():
        shared = {key: filled(str(value)) for key, value in service["environment"].items()}
        environments[name] = {**shared, **here, "PCC_HOME": str(machines[name])}
    for key, value in environments["worker"].items():
        if key.startswith("AWS_"):
            monkeypatch.setenv(key, value)
    main = replace(
        settings, home=tmp_path / "main", inbox=tmp_path / "main" / "inbox", store_url=environments["worker"]["PCC_STORE_URL"]
    )

    with ExitStack() as up:
        logs = tmp_path / "logs"
        logs.mkdir()

        def start(name: str, command: list[str], environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
            return up.enter_context(running(command, logs / name, environment))

        def told() -> str:
            return "\n".join(f"--- {log.name}\n{log.read_text()[-1500:]}" for log in sorted(logs.iterdir()))

        start("redis", ["redis-server", "--port", str(redis), "--save", "", "--dir", str(tmp_path)])
        start("s3", [sys.executable, "-m", "moto.server", "-p", str(s3)])
        until(lambda: answers(f"http://127.0.0.1:{s3}/moto-api/"), 60, told)
        fsspec.filesystem("s3").mkdir("pcc")
        parts = {
            name: start(
                name,
                [sys.executable, "-m", "pcc_pipeline", *(ports.get(word, word) for word in service["command"][1:])],
                environments[name],
            )
            for name, service in OURS.items()
        }
        names = {
            "PCC_NAME": "127.0.0.1",
            "DESK": f"127.0.0.1:{desk}",
            "DAGSTER": f"127.0.0.1:{web}",
            "LISTEN": f"{front} ssl",
            "LISTEN_PLAIN": str(plain),
        }
        folder = tmp_path / "proxy"
        folder.mkdir()
        start("proxy", ["nginx", "-c", str(proxy_files(folder, names)), "-e", str(logs / "proxy-errors")])

        delivered = tmp_path / "delivered"
        write_provider(delivered, enti=2, documents=15, seed=5, reference_date=date(2025, 12, 31), sdi_share=0, bad_rows=False)
        enti = sorted(path.name for path in delivered.iterdir() if not path.name.startswith("_"))
        for ente in enti:
            for kind in sorted((delivered / ente).iterdir()):
                for file in kind.iterdir():
                    deliver(main.inbox, ente, kind.name, file)

        with opened(main) as instance:
            until(lambda: bool(instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED]))), RUN, told)
            os.killpg(parts["worker"].pid, signal.SIGKILL)
            until(lambda: published(main) == enti, 2 * RUN, told)
            until(lambda: not instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED])), RUN, told)

        store = Installation(main).store
        assert {name.split("/")[1] for name in store.list("models")} == set(enti)
        assert not [path for path in main.inbox.rglob("*") if path.is_file()]
        assert not list((tmp_path / "worker-elsewhere" / "inbox").iterdir())

        ask = asker(main, front)
        until(lambda: ask("/dagster/server_info", "operator")[0] == 200, 60, told)
        assert ask("/dagster/server_info", None)[:2] == (303, "/accesso") == ask("/dagster/server_info", "user")[:2]
        assert ask("/health", None)[0] == 200
        assert ask("/dagster/server_info", "operator")[2]["Strict-Transport-Security"]

        receipt = erase(Installation(main), enti[0], date(2026, 3, 2))
        assert receipt["what"]["store"]["files"] > 20
        assert not [name for name in store.list() if enti[0] in name.split("/")]


def published(settings: Settings) -> list[str]:
    with engine(settings).connect() as connection:
        return sorted(connection.scalars(sa.select(table("stock").c.ente).distinct()))


def asker(settings: Settings, port: int) -> Callable[[str, str | None], tuple[int, str, Any]]:
    """Asks the proxy as somebody: status, where it sends, headers."""
    bind = engine(settings)
    cookies = {}
    for role, ente in (("operator", None), ("user", "altro")):
        user = add_user(bind, f"{role}@pcc.it", role, "operator" if ente is None else "ente_user", ente, PASSWORD)
        cookies[role] = open_session(bind, user, datetime.now(UTC))

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(Stay, urllib.request.HTTPSHandler(context=context))

    def ask(path: str, role: str | None) -> tuple[int, str, Any]:
        request = urllib.request.Request(f"https://127.0.0.1:{port}{path}")
        if role:
            request.add_header("Cookie", f"__Host-pcc_desk={cookies[role]}")
        try:
            with opener.open(request, timeout=20) as answer:
                return answer.status, "", answer.headers
        except urllib.error.HTTPError as error:
            return error.code, (error.headers.get("Location") or "").replace(f"https://127.0.0.1:{port}", ""), error.headers
        except OSError:
            time.sleep(1)
            return 0, "", {}

    return ask
