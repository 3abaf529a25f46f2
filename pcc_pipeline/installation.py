"""One installation: its settings, file store, register of deliveries, database and calculator, each opened when first needed.

What works on an installation takes this one object. What needs only a part of it (a store, an engine) takes that part.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from pcc_pipeline.database.engine import engine as open_engine
from pcc_pipeline.database.register import Register
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

if TYPE_CHECKING:
    from pcc_pipeline.calculator import Calculator

#: Rights of everybody but the owner.
_OTHERS = 0o077


def private(home: Path) -> None:
    """From now on what this process and its children write is their owner's alone; so is what already lies under `home`.

    As root the embedded server runs as another user, who must reach its own folder: others may then pass through `home`,
    and see nothing of it.
    """
    if os.name == "nt":  # a profile's folders are their owner's there
        return
    os.umask(_OTHERS)
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for path in home.iterdir():
            if not path.is_symlink() and path.stat().st_uid == os.geteuid() and path.stat().st_mode & _OTHERS:
                path.chmod(path.stat().st_mode & 0o700)


def kept_secret(path: Path, make: Callable[[], bytes]) -> bytes:
    """A key of the installation: made at first use, its owner's alone; of two that make it at once the first counts."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{secrets.token_hex(8)}.part")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(make())
        with suppress(FileExistsError):
            os.link(temporary, path)
        temporary.unlink()
    return path.read_bytes()


class Installation:
    """An installation by its settings; nothing is opened before it is asked for.

    Who may not use the database as its owner gives an `engine` of their own (the desk: one that sees one ente).
    """

    def __init__(self, settings: Settings, engine: sa.Engine | None = None) -> None:
        self.settings = settings
        self._engine = engine

    @classmethod
    def from_environment(cls) -> Installation:
        """The installation that the environment names (PCC_HOME and its fellows; see `Settings.from_environment`)."""
        return cls(Settings.from_environment())

    @cached_property
    def store(self) -> Store:
        """The file store."""
        return Store(self.settings.store_url)

    @cached_property
    def engine(self) -> sa.Engine:
        """The engine of our own database, one a process; starts the embedded server where there is no other."""
        return self._engine or open_engine(self.settings)

    @cached_property
    def register(self) -> Register:
        """The register of deliveries."""
        return Register(self.engine)

    @cached_property
    def calculator(self) -> Calculator:
        """The runner of SQL models."""
        from pcc_pipeline.calculator import Calculator  # brings DuckDB and the SQL models, which not every command needs

        return Calculator(self.settings, self.store)

    def __repr__(self) -> str:
        return f"Installation({self.settings.home})"
