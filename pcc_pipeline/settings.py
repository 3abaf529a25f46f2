"""Where things live and how much of the machine may be used: read once, from the environment.

Nothing is opened, created or connected here: see `store` (files) and `database` (PostgreSQL).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_MEMORY_LIMIT = "4GiB"
#: Largest file that is taken in, in bytes: a national year of invoices as CSV is some 6 GiB.
DEFAULT_MAX_FILE_BYTES = 8 << 30
#: Some sixty enti of 500 documents: beyond, the files cost what they cost, and so do the rows.
DEFAULT_BATCH_ROWS = 200_000

_MEMORY = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]i?B|B)", re.I)


def _threads() -> int:
    """Processors this process may use: a container's share, not the whole machine's."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


@dataclass(frozen=True)
class Settings:
    """One installation: its home folder, file store, database, inbox and limits.

    `database_url` None means the embedded PostgreSQL under `home`; `desk_database_url` is where the desk signs in with its
    own role (None: there, as `pcc_desk`); `desk_hosts` are the names under which the desk answers.
    `memory_limit` is DuckDB's, with its unit.
    """

    home: Path
    store_url: str
    inbox: Path
    database_url: str | None = None
    memory_limit: str = DEFAULT_MEMORY_LIMIT
    threads: int = 1
    max_file_bytes: int = DEFAULT_MAX_FILE_BYTES
    #: Delivered rows, at most, of small enti that are calculated together; 0: each alone.
    batch_rows: int = DEFAULT_BATCH_ROWS
    desk_database_url: str | None = None
    desk_hosts: tuple[str, ...] = ()
    #: Seconds without new files before an ente's are read; None: as the rule book says (threshold quiet_seconds).
    quiet_seconds: int | None = None
    #: Where runs wait for a worker (a Redis or RabbitMQ address); None: in the database.
    broker_url: str | None = None
    #: Worker processes of this machine, and runs at once over all machines (None: as many as those processes).
    workers: int = 2
    runs_at_once: int | None = None

    @property
    def memory_bytes(self) -> int:
        """The memory limit in bytes; 0 where it is written in a way that only DuckDB knows."""
        found = _MEMORY.fullmatch(self.memory_limit.strip())
        if found is None:
            return 0
        base = 1024 if "i" in found[2].lower() else 1000
        return int(float(found[1]) * base ** "BKMGT".index(found[2][0].upper()))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Reads PCC_HOME, PCC_STORE_URL, PCC_DATABASE_URL, PCC_INBOX, PCC_MEMORY_LIMIT, PCC_THREADS, PCC_MAX_FILE_BYTES,
        PCC_BATCH_ROWS, PCC_QUIET_SECONDS, PCC_DESK_DATABASE_URL, PCC_DESK_HOSTS (names, commas between), PCC_BROKER_URL,
        PCC_WORKERS, PCC_RUNS.

        An empty variable counts as unset. Raises ValueError when one that counts something is no whole number, or too low.
        """
        values = os.environ if environment is None else environment

        def number(name: str, least: int = 1) -> int | None:
            given = values.get(name) or ""
            if given and (not given.isdigit() or int(given) < least):
                raise ValueError(f"{name} must be a whole number from {least}, not {given!r}")
            return int(given) if given else None

        home = Path(values.get("PCC_HOME") or "~/.pcc").expanduser().absolute()
        return cls(
            home=home,
            store_url=values.get("PCC_STORE_URL") or str(home / "store"),
            inbox=Path(values.get("PCC_INBOX") or home / "inbox").expanduser().absolute(),
            database_url=values.get("PCC_DATABASE_URL") or None,
            memory_limit=values.get("PCC_MEMORY_LIMIT") or DEFAULT_MEMORY_LIMIT,
            threads=number("PCC_THREADS") or _threads(),
            max_file_bytes=number("PCC_MAX_FILE_BYTES") or DEFAULT_MAX_FILE_BYTES,
            batch_rows=DEFAULT_BATCH_ROWS if (together := number("PCC_BATCH_ROWS", 0)) is None else together,
            desk_database_url=values.get("PCC_DESK_DATABASE_URL") or None,
            desk_hosts=tuple(name.strip() for name in values.get("PCC_DESK_HOSTS", "").split(",") if name.strip()),
            quiet_seconds=number("PCC_QUIET_SECONDS", 0),
            broker_url=values.get("PCC_BROKER_URL") or None,
            workers=number("PCC_WORKERS") or cls.workers,
            runs_at_once=number("PCC_RUNS"),
        )

    @classmethod
    def at(cls, home: Path, **changes: object) -> Settings:
        """Default settings of an installation at `home`, whatever the environment; `changes` override."""
        base = cls(home=home, store_url=str(home / "store"), inbox=home / "inbox", threads=_threads())
        return cls(**{**base.__dict__, **changes})

    def environment(self) -> dict[str, str]:
        """The variables that give a child process the same settings."""
        values = {
            "PCC_HOME": str(self.home),
            "PCC_STORE_URL": self.store_url,
            "PCC_INBOX": str(self.inbox),
            "PCC_MEMORY_LIMIT": self.memory_limit,
            "PCC_THREADS": str(self.threads),
            "PCC_MAX_FILE_BYTES": str(self.max_file_bytes),
            "PCC_BATCH_ROWS": str(self.batch_rows),
            "PCC_WORKERS": str(self.workers),
        }
        if self.broker_url:
            values["PCC_BROKER_URL"] = self.broker_url
        if self.runs_at_once is not None:
            values["PCC_RUNS"] = str(self.runs_at_once)
        if self.quiet_seconds is not None:
            values["PCC_QUIET_SECONDS"] = str(self.quiet_seconds)
        if self.database_url:
            values["PCC_DATABASE_URL"] = self.database_url
        if self.desk_database_url:
            values["PCC_DESK_DATABASE_URL"] = self.desk_database_url
        if self.desk_hosts:
            values["PCC_DESK_HOSTS"] = ",".join(self.desk_hosts)
        return values
