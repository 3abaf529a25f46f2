"""Where reports lie and how they get there: `<home>/reports/<ente>/<reference date>/`, each file whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import sqlalchemy as sa

from pcc_pipeline.codes import ente_code
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.reports.art33 import as_csv, as_json
from pcc_pipeline.reports.bonifica import Bonifica, bonifica
from pcc_pipeline.reports.bonifica_book import write_bonifica_book
from pcc_pipeline.reports.bonifica_page import bonifica_page
from pcc_pipeline.reports.book import write_book
from pcc_pipeline.reports.facts import Facts, NothingPublished, facts
from pcc_pipeline.reports.page import ente_page, provider_page
from pcc_pipeline.reports.paper import write_paper
from pcc_pipeline.settings import Settings

PROVIDER = "_provider"

#: An ente's reports, by the names of their files.
FILES = ("report.html", "report.pdf", "report.xlsx", "art33.csv", "art33.json")


def folder(settings: Settings, ente: str) -> Path:
    """The folder of an ente's reports (`_provider`: the provider's)."""
    return Path(settings.home) / "reports" / ente_code(ente, provider=True)


def write_ente(installation: Installation, ente: str, name: str | None = None, out: Path | None = None) -> list[Path]:
    """Writes all of an ente's reports from its published state; returns the files. Raises NothingPublished."""
    found = facts(installation.engine, ente, name)
    target = out or folder(installation.settings, ente) / found.reference_date.isoformat()
    target.mkdir(parents=True, exist_ok=True)
    writers: dict[str, Callable[[Path], object]] = {
        "report.html": lambda path: path.write_text(ente_page(found), encoding="utf-8"),
        "report.pdf": lambda path: write_paper(found, path),
        "report.xlsx": lambda path: write_book(installation.engine, found, path),
        "art33.csv": lambda path: path.write_text(as_csv(found), encoding="utf-8", newline=""),
        "art33.json": lambda path: path.write_text(as_json(found), encoding="utf-8"),
    }
    return [_whole(target / name, writers[name]) for name in FILES]


def write_bonifica(engine: sa.Engine, ente: str, out: Path) -> Bonifica:
    """Writes an ente's bonifica to `out` (.html or .xlsx), whole or not at all; returns what it says.

    Raises NothingPublished; ValueError for another kind of file.
    """
    if out.suffix.lower() not in (".html", ".xlsx"):
        raise ValueError(f"{out.name} must end in .html or .xlsx")
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        found = bonifica(connection, ente)
        if out.suffix.lower() == ".html":
            _whole(out, lambda path: path.write_text(bonifica_page(found), encoding="utf-8"))
        else:
            _whole(out, lambda path: write_bonifica_book(connection, found, path))
    return found


def write_provider(installation: Installation, names: dict[str, str] | None = None, out: Path | None = None) -> list[Path]:
    """Writes the provider's page over all published enti; returns the files."""
    enti: list[Facts] = []
    p = table("publications")
    with installation.engine.connect() as connection:
        published = list(connection.execute(sa.select(p.c.ente).distinct().order_by(p.c.ente)).scalars())
    for ente in published:
        try:
            enti.append(facts(installation.engine, ente, (names or {}).get(ente)))
        except NothingPublished:
            continue
    target = out or folder(installation.settings, PROVIDER)
    target.mkdir(parents=True, exist_ok=True)
    return [_whole(target / "report.html", lambda path: path.write_text(provider_page(enti), encoding="utf-8"))]


def _whole(path: Path, writer: Callable[[Path], object]) -> Path:
    part = path.with_name(f".{path.name}.part{path.suffix}")
    try:
        writer(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def listed(files: Sequence[Path]) -> str:
    """The files as links, in markdown."""
    return "\n".join(f"- [{path.name}]({path.resolve().as_uri()})" for path in files)
