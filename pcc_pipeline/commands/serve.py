"""`pcc serve` and its parts, each of which may run alone, on a machine of its own: `pcc webserver`, `pcc daemon`, `pcc worker`,
`pcc inbox`, `pcc desk`."""

from __future__ import annotations

import os
import runpy
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from pcc_pipeline.commands.children import AlreadyServed, keep, sole_service
from pcc_pipeline.commands.terminal import err, stop
from pcc_pipeline.settings import Settings

if TYPE_CHECKING:
    from dagster._core.remote_representation.grpc_server_registry import GrpcServerRegistry

#: What Dagster's processes are told to show.
DEFINITIONS = ("-m", "assets.definitions")

#: Seconds between two rounds of the sensors.
ROUND = 0.4


def serve(
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Dagster's web interface, for operators")] = 3000,
    desk_port: Annotated[int, typer.Option(help="The clients' desk; 0 leaves it out")] = 8000,
) -> None:
    """Start Dagster's web interface, the daemon that watches the inbox, workers, and the clients' desk; Ctrl-C stops all."""
    from assets.workers import end_dead_runs
    from pcc_pipeline.database.engine import engine

    settings = Settings.from_environment()
    engine(settings)
    environment = {**os.environ, **_prepared(settings)}
    modules = [
        ["pcc_pipeline", "webserver", "--host", host, "--port", str(port)],
        ["pcc_pipeline", "daemon"],
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


def _prepared(settings: Settings) -> dict[str, str]:
    """What a process of the service finds in its environment; the folders and Dagster's configuration are made."""
    from pcc_pipeline.database.dagster_home import write_dagster_home

    settings.inbox.mkdir(parents=True, exist_ok=True)
    home = write_dagster_home(settings)
    return {**settings.environment(), "DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "yes"}


def _become(module: str, *arguments: str) -> None:
    """Goes on as one of Dagster's own programs."""
    settings = Settings.from_environment()
    os.environ.update(_prepared(settings))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def webserver(
    host: str = "127.0.0.1",
    port: int = 3000,
    path_prefix: Annotated[str, typer.Option(help="Where a proxy shows it, /dagster say")] = "",
) -> None:
    """Start Dagster's web interface alone. It asks nobody who they are: a proxy in front of it must."""
    prefix = ["--path-prefix", path_prefix] if path_prefix else []
    _become("dagster_webserver", *DEFINITIONS, "-h", host, "-p", str(port), *prefix)


def daemon() -> None:
    """Start Dagster's daemon alone: sensors, schedules, the queue of runs. One an installation."""
    from dagster._core.remote_representation.grpc_server_registry import GrpcServerRegistry
    from dagster._daemon import sensor

    # Between two rounds of all sensors it waits five seconds, whatever a sensor's own interval says.
    sensor.MIN_INTERVAL_LOOP_TIME = ROUND  # type: ignore[assignment]
    # Each minute it begins a new process for our definitions, which imports for seconds.
    GrpcServerRegistry.clear_all_grpc_endpoints = _forget_ended  # type: ignore[method-assign]
    _become("dagster._daemon", "run", *DEFINITIONS)


def _forget_ended(registry: GrpcServerRegistry) -> None:
    """Has processes for the definitions begun anew that have ended or could not begin."""
    with registry._lock:
        for origin, entry in [*registry._active_entries.items()]:
            process = getattr(entry, "process", None)
            if process is None or process.server_process.poll() is not None:
                del registry._active_entries[origin]


def worker(
    processes: Annotated[
        int | None, typer.Option(min=1, help="How many runs at once on this machine; else PCC_WORKERS, else 2")
    ] = None,
    anywhere: Annotated[
        bool, typer.Option("--anywhere", help="Only runs that any machine may do, none that writes into a home")
    ] = False,
) -> None:
    """Start workers alone: on another machine, over the same database, store and broker."""
    from assets.workers import work

    settings = Settings.from_environment()
    os.environ.update(_prepared(settings))
    work(settings, processes or settings.workers, anywhere=anywhere)


def inbox(every: Annotated[float, typer.Option(min=0.1, help="Seconds between looks")] = 2.0) -> None:
    """Take in what arrives in this machine's inbox, until stopped, for workers that do not see it."""
    from pcc_pipeline.arrival.landing import land
    from pcc_pipeline.arrival.work import arrived
    from pcc_pipeline.installation import Installation

    installation = Installation.from_environment()
    installation.settings.inbox.mkdir(parents=True, exist_ok=True)
    while True:
        for ente in arrived(installation.settings):
            report = land(installation, ente=ente, drain=True)
            for refused in report.refused:
                err.print(f"{refused.path}: {refused.reason}", highlight=False)
        time.sleep(every)


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
