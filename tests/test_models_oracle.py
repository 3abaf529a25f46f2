"""The SQL models against the independent oracle (tests/oracle.py) and against their own promise: every cent explained."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import models
import oracle
import oracle_inbox
import pytest

from pcc_pipeline import rules
from pcc_pipeline.demo import write_provider

REFERENCE_DATE, OBSERVED_AT = date(2025, 12, 31), date(2026, 1, 20)

#: Where the oracle reads the rules otherwise, and both readings are documented (docs/readings.md).
READINGS = {"PAYMENT_DATE_DIFFERS"}
#: Asked of deliveries one after the other, of which the models have here what stands (see test_deliveries_oracle.py).
DELIVERED = {"GONE_FROM_ERP"}


def _provider(folder: Path, seed: int, documents: int) -> dict[str, list[dict[str, Any]]]:
    write_provider(
        folder,
        enti=1,
        documents=documents,
        seed=seed,
        reference_date=REFERENCE_DATE,
        sdi_share=0,
        bad_rows=False,
    )
    (ente,) = (path.name for path in folder.iterdir() if not path.name.startswith("_"))
    return oracle_inbox.load_inbox(folder, ente)


def _feeds(rows: dict[str, list[dict[str, Any]]]) -> dict[str, models.Rows]:
    feeds = {kind: found for kind, found in rows.items() if kind in models.FEEDS and found}
    refused = [
        {"file": f"{n}_EC_001.xml", "tipo": "EC", "identificativo_sdi": row["lotto_sdi"], "esito": "EC02"}
        for n, row in enumerate(rows.get("sdi_refusals", ()))
    ]
    return feeds | ({"sdi_messages": refused} if refused else {})


def _unexplained(got: models.Reconciled) -> set[tuple[object, ...]]:
    positions: dict[tuple[object, ...], Any] = {}
    for view, document, progressivo, stock in got.rows(
        "debt_positions",
        "view",
        "id_documento",
        "progressivo_registrazione",
        "stock",
        where="view <> 'projected'",
    ):
        key = (document, progressivo)
        positions[key] = positions.get(key, 0) + (stock if view == "pcc" else -stock)
    borne = {row[:2]: row[2] for row in got.rows("anomalies", "id_documento", "progressivo_registrazione", "amount")}
    return {(*key, amount, borne.get(key)) for key, amount in positions.items() if amount != borne.get(key, 0)}


def _each_document_once(got: models.Reconciled) -> None:
    """`difference_by_code` counts each document under the first of its codes in the catalogue's order."""
    places = {code: place for place, code in enumerate(rules.anomaly_codes())}
    documents: dict[tuple[object, ...], list[tuple[int, str, Decimal]]] = {}
    for code, *key, amount in got.rows("anomalies", "code", "id_documento", "progressivo_registrazione", "amount"):
        documents.setdefault(tuple(key), []).append((places[code], code, amount))
    expected: dict[str, tuple[Decimal, int]] = {}
    for borne in documents.values():
        _, code, amount = min(borne)
        before, count = expected.get(code, (Decimal(0), 0))
        expected[code] = (before + amount, count + 1)
    found = {code: (amount, count) for code, amount, count in got.rows("difference_by_code", "code", "amount", "documents")}
    assert found == expected
    assert sum(amount for amount, _ in found.values()) == got.stock("pcc") - got.stock("right")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_models_say_what_the_oracle_says(tmp_path: Path, seed: int) -> None:
    rows = _provider(tmp_path / "inbox", seed, 400)
    expected = oracle.reconcile(rows, reference_date=REFERENCE_DATE, observed_at=OBSERVED_AT, tipo="COMUNE")
    got = models.reconcile(tmp_path / "home", _feeds(rows)).all_made()
    assert set(got.rows("matches", "id_documento", "progressivo_registrazione", "tier")) == set(expected.matches)
    assert dict(got.rows("stock", "view", "amount", where="view <> 'projected'")) == expected.stock
    anomalies = got.rows("anomalies", "code", "coalesce(id_documento, '')", "coalesce(progressivo_registrazione, '')", "amount")
    assert {row for row in anomalies if row[0] not in READINGS} == {
        row for row in expected.anomalies if row[0] not in READINGS | DELIVERED
    }
    assert not _unexplained(got)
    _each_document_once(got)


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_every_cent_of_damaged_feeds_is_explained(tmp_path: Path, seed: int) -> None:
    rows = oracle_inbox.perturbed(_provider(tmp_path / "inbox", seed, 300), seed, 0.4)
    got = models.reconcile(tmp_path / "home", _feeds({kind: list(found) for kind, found in rows.items()})).all_made()
    assert not _unexplained(got)
    _each_document_once(got)
    by_creditor = sum(amount for (amount,) in got.rows("stock_by_creditor", "amount", where="view = 'right'"))
    by_bucket = sum(
        amount for (amount,) in got.rows("stock_by_due_date", "amount", where="view = 'right' and bucket <> 'not_due'")
    )
    by_year = sum(amount for (amount,) in got.rows("stock_by_issue_year", "amount", where="view = 'right'"))
    assert by_creditor == by_bucket == by_year == got.stock("right")
