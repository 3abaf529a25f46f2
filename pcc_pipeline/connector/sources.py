"""Where enti's accounting systems are, and where their credentials lie: the sources file.

A YAML file, `erp_sources.yaml` under PCC_HOME or named by PCC_ERP_SOURCES, one entry an ente (docs/connector.md).
No password stands in it, in code or in a message: credentials come from the environment or a file of their own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from pcc_pipeline.settings import Settings

_KEYS = {"url", "url_env", "url_file", "password_env", "password_file", "queries", "every_minutes"}
#: Minutes between two readings where the sources file does not say.
EVERY_MINUTES = 60


class SourceError(ValueError):
    """The sources file, or what it points to, is not as it must be; the text says how, and tells no secret."""


@dataclass(frozen=True)
class ErpSource:
    """An ente's accounting system: the entry of the sources file, not yet resolved.

    `queries` names a file of queries; None means those of the ente's accounting system. `every_minutes` is how
    often the sensor reads it, 0 never.
    """

    ente: str
    entry: Mapping[str, Any]
    folder: Path
    every_minutes: int = EVERY_MINUTES
    queries: str | None = None

    def url(self, environment: Mapping[str, str] | None = None) -> URL:
        """The SQLAlchemy URL with its password. Raises SourceError."""
        values = os.environ if environment is None else environment
        given = self._one("url", values)
        if given is None:
            raise SourceError(f"{self.ente}: one of url, url_env, url_file is needed")
        try:
            url = make_url(given)
        except ArgumentError:
            raise SourceError(f"{self.ente}: what is given as its URL is not a SQLAlchemy URL") from None
        if url.password and "url" in self.entry:
            raise SourceError(f"{self.ente}: a password stands in the sources file; use password_env or password_file")
        password = self._one("password", values)
        return url if password is None else url.set(password=password)

    def _one(self, name: str, values: Mapping[str, str]) -> str | None:
        if variable := self.entry.get(f"{name}_env"):
            if not values.get(str(variable)):
                raise SourceError(f"{self.ente}: the environment variable {variable} is not set")
            return values[str(variable)].strip()
        if file := self.entry.get(f"{name}_file"):
            path = self.folder / Path(str(file)).expanduser()
            try:
                return path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise SourceError(f"{self.ente}: {name}_file {path} cannot be read") from None
        given = self.entry.get(name)
        return None if given is None else str(given)


def sources_file(settings: Settings, environment: Mapping[str, str] | None = None) -> Path:
    """The sources file: PCC_ERP_SOURCES, else `erp_sources.yaml` under the home folder."""
    named = (os.environ if environment is None else environment).get("PCC_ERP_SOURCES")
    return Path(named).expanduser() if named else settings.home / "erp_sources.yaml"


def load_sources(settings: Settings, environment: Mapping[str, str] | None = None) -> dict[str, ErpSource]:
    """The configured sources by ente; none where there is no file. Raises SourceError."""
    path = sources_file(settings, environment)
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SourceError(f"{path} is not a YAML file that can be read ({type(error).__name__})") from None
    if not isinstance(found, dict):
        raise SourceError(f"{path}: one entry an ente is expected")
    return {str(ente): _source(str(ente), entry, path) for ente, entry in found.items()}


def _source(ente: str, entry: object, path: Path) -> ErpSource:
    if not isinstance(entry, dict):
        raise SourceError(f"{path}: the entry of {ente} is not a list of settings")
    if unknown := sorted(set(map(str, entry)) - _KEYS):
        raise SourceError(f"{path}: {ente} has unknown settings {', '.join(unknown)}; known: {', '.join(sorted(_KEYS))}")
    every = entry.get("every_minutes", EVERY_MINUTES)
    if not isinstance(every, int) or isinstance(every, bool) or every < 0:
        raise SourceError(f"{path}: every_minutes of {ente} must be a whole number of minutes, 0 for never")
    queries = entry.get("queries")
    return ErpSource(ente, entry, path.parent, every, None if queries is None else str(path.parent / str(queries)))


def label(url: URL) -> str:
    """The source as it may be shown: dialect, host and database, no user and no password."""
    place = f"{url.host or ''}/{url.database or ''}" if url.host else Path(url.database or "").name
    return f"{url.get_backend_name()}://{place}"


def without_secrets(text: str, url: URL) -> str:
    """A message with the URL's password, and the URL itself, taken out of it."""
    for secret in filter(None, (url.render_as_string(hide_password=False), url.password and str(url.password))):
        text = text.replace(str(secret), "***")
    return text
