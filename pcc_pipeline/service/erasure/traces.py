"""What names an ente: its code, name, fiscal code, IPA code, and the identifiers of its deliveries.

Found before anything is erased, and kept in the journal, since afterwards nobody could say any more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import sqlalchemy as sa

from pcc_pipeline.arrival.landing import PROVIDER
from pcc_pipeline.database.schema import table
from pcc_pipeline.duck import connect, parquet
from pcc_pipeline.installation import Installation
from pcc_pipeline.tables.feeds import ENTI, FEEDS

#: A shorter name or number would be found by chance in other enti's data.
SHORTEST = 6


@dataclass
class Traces:
    """What to look for. `names` stand as whole words; `tickets` are keys that only mean something in a column."""

    ente: str
    names: list[str] = field(default_factory=list)
    tickets: list[str] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        """The code, names and identifiers, longest first."""
        return sorted({self.ente, *self.names, *self.hashes}, key=lambda word: (-len(word), word))

    @property
    def pattern(self) -> re.Pattern[str]:
        """Any of them as a whole word, whatever the case."""
        return re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(map(re.escape, self.words))})(?![A-Za-z0-9_])", re.IGNORECASE)

    @property
    def bytes_pattern(self) -> re.Pattern[bytes]:
        """The same in files: names in UTF-8, in Windows-1252 and as JSON escapes them."""
        written: set[bytes] = set()
        for word in self.words:
            written |= {
                word.encode(),
                word.encode("cp1252", "ignore"),
                word.encode("ascii", "backslashreplace"),
            }
        joined = b"|".join(re.escape(word) for word in sorted(written, key=len, reverse=True))
        return re.compile(rb"(?<![A-Za-z0-9_])(?:" + joined + rb")(?![A-Za-z0-9_])", re.IGNORECASE)

    @property
    def sql_pattern(self) -> str:
        """The same as PostgreSQL writes it (for ~* and regexp_replace)."""
        escaped = [re.sub(r"([^A-Za-z0-9_ ])", r"\\\1", word) for word in self.words]
        return rf"(?<![A-Za-z0-9_])(?:{'|'.join(escaped)})(?![A-Za-z0-9_])"


def find(installation: Installation, ente: str) -> Traces:
    """The traces of an ente, from the provider's register and the register of deliveries."""
    traces = Traces(ente)
    store = installation.store
    given = [row for row in installation.register.deliveries(PROVIDER).to_pylist() if row["part"] and row["rows"]]

    def files(kind: str) -> list[str]:
        return [store.uri(f"staging/{PROVIDER}/{kind}/{row['part']}.parquet") for row in given if row["kind"] == kind]

    with connect(installation.settings) as connection:
        store.attach(connection)
        if listed := files("enti"):
            rows = connection.execute(
                "with named as (select codice_ente, unnest([denominazione, cf, codice_ipa]) as name "
                f"from {parquet(ENTI, listed)}) "
                "select name, bool_and(codice_ente = $ente) from named group by name having bool_or(codice_ente = $ente)",
                {"ente": ente},
            ).fetchall()
            traces.names = sorted(name for name, mine in rows if mine and name and len(name) >= SHORTEST)
        if listed := files("tickets"):
            rows = connection.execute(
                f"select id from {parquet(FEEDS['tickets'], listed)} group by id having bool_and(codice_ente = $ente)",
                {"ente": ente},
            ).fetchall()
            traces.tickets = sorted(row[0] for row in rows)
    t = table("deliveries")
    with installation.engine.connect() as ours:
        query = sa.select(t.c.delivery, t.c.sha256).where(t.c.ente == ente)
        # The same content may be another ente's delivery, too: then its hash is no trace of this one.
        shared = set(ours.execute(sa.select(t.c.sha256).where(t.c.ente != ente)).scalars())
        for delivery, sha256 in ours.execute(query):
            traces.hashes += [delivery] if sha256 in shared else [delivery, sha256]
    traces.hashes.sort()
    return traces
