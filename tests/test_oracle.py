"""The oracle against the golden sample, and against the synthetic provider's truth.

Whether the SQL models agree with the oracle is tested elsewhere.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import oracle
import pytest

from pcc_pipeline.demo import write_provider
from pcc_pipeline.demo.cases import CASES

DAY, SEEN = date(2025, 12, 31), date(2026, 1, 20)
GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden"
golden_only = pytest.mark.skipif(not GOLDEN.exists(), reason="the golden sample is not here")


def _expected(name: str) -> list[dict[str, str]]:
    with (GOLDEN / "expected" / "alfa" / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def golden() -> oracle.Result:
    rows = oracle.load_inbox(GOLDEN / "inbox", "alfa")
    return oracle.reconcile(rows, reference_date=DAY, observed_at=SEEN)


@golden_only
def test_golden_matches(golden: oracle.Result) -> None:
    assert golden.matches == {(r["id_documento"], r["progressivo_registrazione"], r["tier"]) for r in _expected("matches")}


@golden_only
def test_golden_anomalies(golden: oracle.Result) -> None:
    wanted = [
        (r["code"], r["id_documento"], r["progressivo_registrazione"], Decimal(r["amount"])) for r in _expected("anomalies")
    ]
    assert sorted(golden.anomalies) == sorted(wanted)
    assert golden.unexplained == []


@golden_only
def test_golden_stocks(golden: oracle.Result) -> None:
    assert golden.stock == {r["view"]: Decimal(r["amount"]) for r in _expected("stock")}
    right = {who: amount for (view, who), amount in golden.by_creditor.items() if view == "right" and amount}
    assert right == {r["creditor"]: Decimal(r["amount"]) for r in _expected("stock_by_creditor")}
    due = {
        bucket: amount
        for (view, bucket), amount in golden.by_due_date.items()
        if view == "right" and bucket != "not_due" and amount
    }
    assert due == {r["bucket"]: Decimal(r["amount"]) for r in _expected("stock_by_due_date")}


@pytest.mark.parametrize(
    ("one", "other", "year", "same"),
    [
        ("FT 0012/2025", "12-2025", 2025, True),
        ("2025/12", "12", 2025, True),
        ("FT 0012/2025", "12", 2025, True),
        ("1/23", "12/3", 2023, False),
        ("12/2024", "12", 2025, False),
        ("FT", "N", 2025, False),
        ("2025", "2025/2025", 2025, True),
        ("Fatt. n. 7/PA", "7 PA", 2025, True),
        ("2025-A", "A", 2025, False),
    ],
)
def test_numbers_compare(one: str, other: str, year: int, same: bool) -> None:
    assert (oracle.document_number(one, year) == oracle.document_number(other, year)) is same


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("IT01234567890", "01234567890"),
        (" it 1234567890 ", "01234567890"),
        ("rssmra80a01h501u", "RSSMRA80A01H501U"),
        ("", None),
        ("-", None),
    ],
)
def test_tax_ids(text: str, wanted: str | None) -> None:
    assert oracle.tax_id(text) == wanted


@pytest.fixture(scope="module", params=[1, 2, 3])
def synthetic(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    inbox = tmp_path_factory.mktemp("oracle")
    truth = write_provider(inbox, enti=1, documents=400, seed=request.param, reference_date=DAY, bad_rows=False)
    result = oracle.reconcile(oracle.load_inbox(inbox, "montefiore"), reference_date=DAY, observed_at=SEEN)
    return truth.documents("montefiore").to_pylist(), result


def test_every_cent_explained(synthetic) -> None:  # type: ignore[no-untyped-def]
    _, result = synthetic
    assert result.unexplained == []
    by_document = {(e, p): amount for _, e, p, amount in result.anomalies}
    assert result.stock["pcc"] - result.stock["right"] == sum(by_document.values())
    for view in ("pcc", "right"):
        parts = [amount for (seen, _), amount in result.by_creditor.items() if seen == view]
        assert sum(parts) == result.stock[view]
        due = [a for (seen, bucket), a in result.by_due_date.items() if seen == view and bucket != "not_due"]
        assert sum(due) == result.stock[view]


def test_every_case_is_found_as_it_was_injected(synthetic) -> None:  # type: ignore[no-untyped-def]
    truth, result = synthetic
    found = defaultdict(set)
    for code, e, p, _ in result.anomalies:
        for key in filter(None, (e, p)):
            found[key].add(code)
    tiers = {e: tier for e, _, tier in result.matches}
    wrong: Counter[str] = Counter()
    for row in truth:
        keys = [row["id_documento"], row["progressivo_registrazione"], row["second_progressivo"]]
        codes = set().union(*(found[key] for key in keys if key))
        wanted = set(row["codes"].split())
        if row["case_name"] == "merged_in_a_loop":
            wanted.add("CREDITOR_LOOP")
        if codes != wanted:
            wrong[f"{row['case_name']}: {sorted(codes)} not {sorted(wanted)}"] += 1
        if tiers.get(row["id_documento"]) != row["tier"]:
            wrong[f"{row['case_name']}: tier {tiers.get(row['id_documento'])} not {row['tier']}"] += 1
    assert not wrong
    assert {code for case in CASES for code in case.codes} <= {code for codes in found.values() for code in codes}


@pytest.mark.parametrize("seed", range(4))
def test_random_damage_leaves_nothing_unexplained(seed: int, tmp_path: Path) -> None:
    write_provider(tmp_path / "clean", enti=1, documents=400, seed=seed, reference_date=DAY, bad_rows=False)
    rows = oracle.perturbed(oracle.load_inbox(tmp_path / "clean", "montefiore"), seed, share=0.4)
    oracle.write_inbox(rows, tmp_path / "damaged", "alfa")
    again = oracle.load_inbox(tmp_path / "damaged", "alfa")
    result = oracle.reconcile(again, reference_date=DAY, observed_at=SEEN)
    assert result.unexplained == []
    assert result.stock["pcc"] - result.stock["right"] == sum({(e, p): amount for _, e, p, amount in result.anomalies}.values())
