"""Work that depends on other work: in order, as much at once as there are hands, and nothing begun after an error."""

from __future__ import annotations

import threading
from pathlib import Path

import duckdb
import models
import pytest

from pcc_pipeline.calculator import Calculation, Calculator, ModelResult, calculator
from pcc_pipeline.calculator.session import Session
from pcc_pipeline.calculator.side_by_side import side_by_side


def test_each_is_made_after_those_it_needs() -> None:
    needs = {"figure": {"documents", "payments"}, "documents": {"feed"}, "payments": {"feed"}, "feed": set()}
    found = [name for name, _ in side_by_side(needs, str.upper, 2)]
    assert (found[0], found[-1], sorted(found)) == ("feed", "figure", sorted(needs))
    assert dict(side_by_side(needs, str.upper, 1))["figure"] == "FIGURE"


def test_two_hands_work_at_once() -> None:
    together = threading.Barrier(2, timeout=10)
    assert len(dict(side_by_side({"one": set(), "other": set()}, lambda name: together.wait(), 2))) == 2


def test_after_an_error_nothing_more_is_begun() -> None:
    begun: list[str] = []

    def make(name: str) -> None:
        begun.append(name)
        if name == "first":
            raise ValueError(name)

    with pytest.raises(ValueError, match="first"):
        list(side_by_side({"first": set(), "second": {"first"}}, make, 2))
    assert begun == ["first"]


def test_a_model_for_which_memory_does_not_suffice_runs_again_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, store, inputs = models.delivered(tmp_path, {"erp_invoices": [models.INVOICE]})
    under_way: set[str] = set()
    beside: dict[str, tuple[int, set[str]]] = {}
    real = Session.run

    def run(session: Session, name: str) -> ModelResult:
        (threads,) = session.connection.execute("select current_setting('threads')").fetchone() or (0,)
        if name in ("erp_documents", "pcc_documents", "documents") and threads > 1:
            raise duckdb.OutOfMemoryException(name)
        under_way.add(name)
        try:
            beside[name] = threads, under_way - {name}
            return real(session, name)
        finally:
            under_way.discard(name)

    monkeypatch.setattr(Session, "run", run)
    found = Calculator(settings, store).run_inputs(inputs, models.needed("stock"))
    assert found["documents"].rows == 1
    assert beside["documents"] == (1, set())
    assert beside["stock"][0] == 2, "the next one has all threads again"


def test_with_little_memory_for_its_rows_a_large_ente_has_one_model_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, store, inputs = models.delivered(tmp_path, {"erp_invoices": []})
    counts: list[int] = []
    monkeypatch.setattr(calculator, "side_by_side", lambda needs, run, at_once: counts.append(at_once) or ())
    for rows in (settings.memory_bytes // calculator.BYTES_A_ROW, settings.memory_bytes // calculator.BYTES_A_ROW + 1):
        monkeypatch.setattr(Calculation, "rows", rows)
        Calculator(settings, store).run_inputs(inputs, ())
    assert counts == [2, 1]
