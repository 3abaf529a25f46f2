"""What an ente delivers at first, in which order, and why: shown as long as something that is needed is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from pcc_pipeline.tables.register import STAGED
from portal.blanks import TABLES


@dataclass(frozen=True)
class FirstFile:
    """A kind to deliver: whether nothing can be calculated without it, what it is for, whether it was delivered."""

    kind: str
    needed: bool
    words: str
    delivered: bool = False

    @property
    def template(self) -> bool:
        """Whether there is an empty table to fill in."""
        return self.kind in TABLES


#: In the order in which they are best delivered.
FIRST_FILES = (
    FirstFile("erp_invoices", True, "tutte le fatture ricevute, anche quelle già pagate: senza non c'è debito da calcolare"),
    FirstFile("erp_payments", True, "i pagamenti fatti: dicono che cosa non è più dovuto, e quando è stato pagato"),
    FirstFile("pcc_invoices", True, "i documenti scaricati da PCC: dicono che cosa crede il Ministero"),
    FirstFile("pcc_operations", False, "i movimenti scaricati da PCC: dicono da che cosa nascono i suoi importi"),
    FirstFile(
        "sdi_invoices", False, "le fatture elettroniche: dicono scadenze, ritenute e riferimenti che il gestionale non ha"
    ),
    FirstFile("open_list", False, "i documenti che devono restare aperti, entro quindici giorni dalla fine del periodo"),
    FirstFile("special_cases", False, "cessioni, contenziosi e altri casi che i dati non dicono"),
    FirstFile("budgets", False, "lo stanziamento per beni e servizi: serve per il fondo di garanzia"),
)


def first_files(connection: sa.Connection, ente: str) -> Sequence[FirstFile]:
    """The files to begin with, each with whether it was delivered; none once all that is needed was."""
    d = table("deliveries")
    query = sa.select(d.c.kind).where(d.c.ente == ente, d.c.status == STAGED, d.c.rows > 0).distinct()
    known = set(connection.execute(query).scalars())
    if all(file.kind in known for file in FIRST_FILES if file.needed):
        return ()
    return [FirstFile(file.kind, file.needed, file.words, file.kind in known) for file in FIRST_FILES]
