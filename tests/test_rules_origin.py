"""Where a document comes from (docs/readings.md#origin) and whether it is to be communicated by Modello 002.

By hand, from DM 55/2013 art. 6, DL 66/2014 art. 25 and DL 35/2013 art. 7-bis. Not here: the Modello's lines.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import models
import pytest
from test_rules_base import Book

PERSON = {"piva_fornitore": None, "cf_fornitore": "RSSMRA80A01H501U"}
ASSOCIATION = {"piva_fornitore": None, "cf_fornitore": "97000000001"}
FOREIGN = {"piva_fornitore": "DE 123.456.789"}

#: Document -> what the accounting system writes, and where it comes from.
ALONE: dict[str, tuple[dict[str, Any], str]] = {
    "LOT": ({"lotto_sdi": "7001"}, "SDI"),
    "LOT_OF_FOREIGNER": (FOREIGN | {"lotto_sdi": "7002"}, "SDI"),
    "FOREIGN": (FOREIGN, "FOREIGN"),
    "FOREIGN_WITH_CODE_ONLY": ({"piva_fornitore": None, "cf_fornitore": "FR12345678901"}, "FOREIGN"),
    "FOREIGN_TYPE": ({"tipo_documento": "TD17"}, "FOREIGN"),
    "LAST_DAY_BEFORE": ({"data_emissione": "2015-03-30"}, "PRE_SDI"),
    "FIRST_DAY": ({"data_emissione": "2015-03-31"}, "UNTOLD"),
    "OLD": ({"data_emissione": "2013-02-01", "data_scadenza": "2013-03-03"}, "PRE_SDI"),
    "OLD_WITH_LOT": ({"data_emissione": "2014-10-01", "data_scadenza": "2014-10-31", "lotto_sdi": "7003"}, "SDI"),
    "PERSON": (PERSON, "NO_VAT"),
    "ASSOCIATION": (ASSOCIATION, "NO_VAT"),
    "PERSON_WITH_VAT": ({"cf_fornitore": "VRDLGU75B02F205X"}, "UNTOLD"),
    "COMPANY_BY_CODE": ({"piva_fornitore": None, "cf_fornitore": "01234567890"}, "UNTOLD"),
    "PAPER": ({"tipo_documento": "FATTURA"}, "PAPER"),
    "PAPER_NOTE": ({"tipo_documento": "NOTA_CREDITO"}, "PAPER"),
    "NOTHING_TOLD": ({}, "UNTOLD"),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> models.Reconciled:
    book = Book()
    for document, (values, _) in ALONE.items():
        book.erp(document, **values)
    for n in range(4):  # invented VAT numbers on PCC: check digits then tell nothing
        book.both(f"PLAIN{n}", lotto_sdi=f"70{n}0")
    # PCC's lot, or the file itself, tells what the accounting system does not.
    book.both("LOT_ON_PCC", pcc={"lotto_sdi": "7100"}, tipo_documento="FATTURA")
    book.erp("FILE_SEEN")
    book.sdi("FILE_SEEN")
    # A person's note whose VAT number another document bears; the same tiers pair what is outside SDI.
    book.erp("KNOWN_ELSEWHERE", piva_fornitore=None, cf_fornitore="BNCGNN60C03L219K")
    book.erp("ELSEWHERE", cf_fornitore="BNCGNN60C03L219K", lotto_sdi="7004")
    book.erp("FOREIGN_PAIR", piva_fornitore="FR 76 123456782", numero="FA-9")
    book.pcc("FOREIGN_PAIR", id_fiscale_iva="FR76123456782", numero_documento="FA 09")
    book.erp("PERSON_PAIR", **PERSON | {"numero": "n. 5"})
    book.pcc("PERSON_PAIR", id_fiscale_iva=None, cf_fornitore="rssmra80a01h501u", numero_documento="5")
    # What PCC lacks but need not have.
    book.erp("PAPER_REJECTED", tipo_documento="FATTURA", stato="RIFIUTATA")
    book.erp("PAPER_NON_COMMERCIAL", tipo_documento="FATTURA", commerciale=False)
    return book.reconciled(tmp_path_factory.mktemp("origin")).found


@pytest.mark.parametrize("document", ALONE)
def test_origin_and_what_is_to_be_communicated(found: models.Reconciled, document: str) -> None:
    origin = ALONE[document][1]
    where = f"id_documento = '{document}'"
    assert found.rows("documents", "origin", "to_communicate", where=where) == [(origin, origin != "SDI")]
    remedy = "manual" if origin == "SDI" else "Modello 002"
    told = found.rows("anomalies", "code", "remedy", "manual", "origin", "to_communicate", where=where)
    assert told == [("MISSING_ON_PCC", remedy, origin == "SDI", origin, origin != "SDI")]


@pytest.mark.parametrize(
    ("document", "origin", "to_communicate"),
    [
        ("LOT_ON_PCC", "SDI", False),
        ("FILE_SEEN", "SDI", False),
        ("KNOWN_ELSEWHERE", "UNTOLD", True),
        ("FOREIGN_PAIR", "FOREIGN", False),
        ("PERSON_PAIR", "NO_VAT", False),
        ("PAPER_REJECTED", "PAPER", False),
        ("PAPER_NON_COMMERCIAL", "PAPER", False),
    ],
)
def test_other_signs(found: models.Reconciled, document: str, origin: str, to_communicate: bool) -> None:
    rows = found.rows("documents", "origin", "to_communicate", where=f"id_documento = '{document}'")
    assert rows == [(origin, to_communicate)]


def test_documents_outside_sdi_are_matched_by_the_same_tiers(found: models.Reconciled) -> None:
    pairs = found.rows("matches", "id_documento", "tier")
    assert ("FOREIGN_PAIR", "exact") in pairs and ("PERSON_PAIR", "exact") in pairs


def test_the_ministries_began_before_the_others(tmp_path: Path) -> None:
    book = Book()
    for document, day in (("BEFORE", "2014-06-30"), ("SINCE", "2014-07-01")):
        book.erp(document, data_emissione=day)
    ministry = models.reconcile(tmp_path, book.feeds, tipo="MINISTERO")
    told = ministry.rows("documents", "id_documento", "origin")
    assert told == [("BEFORE", "PRE_SDI"), ("SINCE", "UNTOLD")]
