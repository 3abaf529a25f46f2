"""`pcc serve`, `pcc worker` and `pcc desk`: the operators' web interface, the daemon, workers, and the clients' desk."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Annotated

import typer

from pcc_pipeline.commands.children import AlreadyServed, keep, sole_service
from pcc_pipeline.commands.terminal import err, stop
from pcc_pipeline.settings import Settings


def serve(
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Dagster's web interface, for operators")] = 3000,
    desk_port: Annotated[int, typer.Option(help="The clients' desk; 0 leaves it out")] = 8000,
) -> None:
    """Start Dagster's web interface, the daemon that watches the inbox, workers, and the clients' desk; Ctrl-C stops all."""
    from assets.workers import end_dead_runs
    from pcc_pipeline.database.dagster_home import write_dagster_home
    from pcc_pipeline.database.engine import engine

    settings = Settings.from_environment()
    engine(settings)
    settings.inbox.mkdir(parents=True, exist_ok=True)
    home = write_dagster_home(settings)
    environment = {
        **os.environ,
        **settings.environment(),
        "DAGSTER_HOME": str(home),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    where = ["-m", "assets.definitions"]
    modules = [
        ["dagster_webserver", *where, "-h", host, "-p", str(port)],
        ["dagster._daemon", "run", *where],
        ["pcc_pipeline", "worker"],
    ]
    addresses = [f"Inbox {settings.inbox}", f"Operators (Dagster): http://{host}:{port}"]
    if desk_port:
        modules.append(["pcc_pipeline", "desk", "--host", host, "--port", str(desk_port)])
        addresses.append(f"Clients (desk): http://{host}:{desk_port}")

    def say(text: str) -> None:
        err.print(text, highlight=False)

    lock = settings.home / "serve.lock"
    try:
        with sole_service(lock):
            for text in [*end_dead_runs(settings), *addresses]:
                say(text)
            raise typer.Exit(keep(modules, lock, environment, say))
    except AlreadyServed as error:
        raise stop(f"pcc serve runs on {settings.home} already (process {error})") from None


def worker(
    processes: Annotated[
        int | None, typer.Option(min=1, help="How many runs at once on this machine; else PCC_WORKERS, else 2")
    ] = None,
) -> None:
    """Start workers alone: on another machine, over the same database, store and broker."""
    from assets.workers import work
    from pcc_pipeline.database.dagster_home import write_dagster_home

    settings = Settings.from_environment()
    settings.inbox.mkdir(parents=True, exist_ok=True)
    os.environ.update(settings.environment() | {"DAGSTER_HOME": str(write_dagster_home(settings))})
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    work(settings, processes or settings.workers)


def desk(
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes")] = 1,
    https: Annotated[bool, typer.Option(help="Behind a proxy that speaks HTTPS: cookies only over it")] = False,
    proxy: Annotated[str, typer.Option(help="Addresses of that proxy, whose X-Forwarded-For is believed")] = "127.0.0.1",
    name: Annotated[
        list[str] | None, typer.Option(help="Name under which browsers ask for it, may be repeated; also PCC_DESK_HOSTS")
    ] = None,
) -> None:
    """Start the clients' desk alone."""
    import uvicorn

    from pcc_pipeline.database.engine import engine

    settings = Settings.from_environment()
    engine(settings)
    settings.inbox.mkdir(parents=True, exist_ok=True)
    own = () if host in ("0.0.0.0", "::") else (host,)
    settings = replace(settings, desk_hosts=(*settings.desk_hosts, *(name or ()), *own))
    os.environ.update(settings.environment() | {"PCC_DESK_HTTPS": "1" if https else ""})
    uvicorn.run(
        "portal.app:from_environment", factory=True, host=host, port=port, workers=workers, log_level="warning",
        proxy_headers=True, forwarded_allow_ips=proxy, server_header=False, access_log=False,
    )  # fmt: skip
