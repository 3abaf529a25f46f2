"""A suspension that PCC has of another kind, or since another day: told by one SID, and nothing under Modello 003."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_rules_base import Book, Seen

LAWSUIT = {"importo_sospeso": 1220, "importo_sospeso_contenzioso": 1220, "data_sospensione_contenzioso": "2025-02-01"}
CONTESTED = {"importo_sospeso": 1220, "importo_sospeso_contestazione": 1220, "data_sospensione_contestazione": "2025-02-01"}


def _seen(home: Path, pcc: dict[str, Any], models: str = "AREA_RGS") -> Seen:
    book = Book()
    suspended = {"stato": "SOSPESA", "causale": "CONTESTATO", "data_sospensione": "2025-02-01"}
    book.erp("A", **suspended)
    book.pcc("A", stato_documento="CONTABILIZZATO", lotto_sdi="9990001234", **pcc)
    return book.reconciled(home, modelli_pcc=models)


def _rows(seen: Seen) -> list[tuple[Any, ...]]:
    return seen.found.rows("operations", "azione", "code")


@pytest.mark.parametrize(
    "pcc", [LAWSUIT, {**CONTESTED, "data_sospensione_contestazione": "2025-03-01"}], ids=["another kind", "another start"]
)
def test_it_is_an_anomaly_and_one_sid(tmp_path: Path, pcc: dict[str, Any]) -> None:
    seen = _seen(tmp_path, pcc)
    assert {code: int(amount) for code, amount in seen.codes("A").items()} == {"SUSPENSION_DETAILS_DIFFER": 0}
    assert _rows(seen) == [("SID", "SUSPENSION_DETAILS_DIFFER")]
    columns = ("suspended_contested", "contested_from::varchar", "suspended_lawsuit", "lawsuit_from")
    assert [tuple(map(str, row)) for row in seen.found.rows("document_targets", *columns)] == [
        ("1220.00", "2025-02-01", "0.00", "None")
    ]


def test_modello_003_has_no_line_for_it(tmp_path: Path) -> None:
    seen = _seen(tmp_path, LAWSUIT, "003")
    assert list(seen.codes("A")) == ["SUSPENSION_DETAILS_DIFFER"]
    assert _rows(seen) == []
    assert seen.found.rows("questions", "code") == []


@pytest.mark.parametrize(
    "pcc",
    [
        CONTESTED,
        {"importo_sospeso": 1220, "causale_sospensione": "CONTENZIOSO"},  # kinds are not told
        {**CONTESTED, "data_sospensione_contestazione": None},
    ],
)
def test_what_agrees_or_is_not_told_is_no_anomaly(tmp_path: Path, pcc: dict[str, Any]) -> None:
    seen = _seen(tmp_path, pcc)
    assert seen.codes("A") == {}
    assert _rows(seen) == []
