"""A run takes its inputs once; what arrives or is decided meanwhile changes nothing of it and is still to be done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from assets.run import run_headless
from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.arrival.work import LONGEST_RUN, decided, unpublished
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.database.schema import table
from pcc_pipeline.enti.facts import ente_facts
from pcc_pipeline.installation import Installation
from pcc_pipeline.review.pairs import Pair, decide_pairs
from pcc_pipeline.runs import inputs as module
from pcc_pipeline.runs.inputs import begin, inputs, load, of_run
from pcc_pipeline.service.nightly import nights
from pcc_pipeline.tables.describe import MODEL_LAYERS

D, O = date(2025, 12, 31), date(2026, 1, 20)  # noqa: E741 - the names that the rules give them
INVOICE = (
    "id_documento,tipo_documento,piva_fornitore,numero,data_emissione,data_ricezione,importo_totale,iva,data_scadenza,stato\n"
    "{0},TD01,00743110157,{0},2025-01-31,2025-02-01,{1},0,2025-03-01,REGISTRATA\n"
)


def deliver(installation: Installation, number: int, amount: int) -> None:
    folder = installation.settings.inbox / "alfa" / "erp_invoices"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number}.csv").write_text(INVOICE.format(f"D{number}", amount))


def arrives(installation: Installation, number: int, amount: int) -> None:
    """Another process lands and reads a delivery."""
    deliver(installation, number, amount)
    land(installation, ente="alfa", drain=True)
    stage(installation, "alfa")


@pytest.fixture
def between_layers(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Has something happen once between the first and the second layer of a run."""

    def between(act: Callable[[], None]) -> None:
        saw, calls = Gate.saw, iter(range(100))

        def then(*noted: Any) -> None:
            saw(*noted)
            if next(calls) == 0:
                act()

        monkeypatch.setattr(Gate, "saw", then)

    return between


def stock(installation: Installation) -> object:
    t = table("stock")
    with installation.engine.connect() as connection:
        return connection.execute(sa.select(t.c.amount).where(t.c.ente == "alfa", t.c.view == "right")).scalar_one()


@pytest.mark.slow
def test_what_arrives_and_is_decided_between_two_layers_is_of_the_next_run(
    installation: Installation, between_layers: Callable[[Callable[[], None]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(module, "ente_facts", lambda place, ente, **more: asked.append(ente) or ente_facts(place, ente, **more))

    def meanwhile() -> None:
        arrives(installation, 2, 70)
        decide_pairs(installation.engine, "alfa", "split", [Pair("D1", "P1")], who="rossi")

    deliver(installation, 1, 100)
    between_layers(meanwhile)
    assert run_headless(installation, ["alfa"], D, O)
    gate = Gate(installation.store, "alfa")
    assert stock(installation) == 100
    assert len(set(gate.inputs(MODEL_LAYERS))) == 1, "every layer was made of the same inputs"
    assert gate.seen(MODEL_LAYERS) == 1
    assert gate.decisions_seen(MODEL_LAYERS) == dict.fromkeys(
        ("answers", "match_decisions", "operation_decisions", "operation_requests"), 0
    )
    assert set(unpublished(installation.register)) == {"alfa"}
    assert set(decided(installation.register, installation.store)) == {"alfa"}
    assert asked == ["alfa"], "the provider's register is asked once a run"
    # The next run sees both, and nothing is left to do.
    assert run_headless(installation, ["alfa"], D, O)
    assert stock(installation) == 170
    assert unpublished(installation.register) == {}
    assert decided(installation.register, installation.store) == {}


def test_the_night_leaves_what_is_published_as_it_is(installation: Installation) -> None:
    arrives(installation, 1, 100)
    given = begin(installation, "alfa", "run", D, O)
    installation.calculator.run_inputs(given)
    store = installation.store
    before = {name: store.open(name).read() for name in store.list("models/alfa")}
    (night,) = nights(installation, date(2026, 2, 10))
    assert night.published and not night.failed
    assert {name: store.open(name).read() for name in before} == before
    assert {name for name in store.list("models/alfa") if name not in before} == set(store.list("models/alfa/night"))


def test_kept_inputs_are_those_that_were_taken(installation: Installation) -> None:
    arrives(installation, 1, 100)
    taken = begin(installation, "alfa", "run", D, O)
    arrives(installation, 2, 70)
    kept = of_run(installation, "alfa", ["run"])
    assert (kept.parameters, kept.facts, kept.seen, kept.folder) == (taken.parameters, taken.facts, 1, taken.folder)
    assert kept.deliveries.equals(taken.deliveries) and kept.registered.equals(taken.registered)
    assert all(kept.decided[name].equals(rows) for name, rows in taken.decided.items())
    assert inputs(installation, "alfa", D, O).registered.num_rows == 2


def test_a_run_may_follow_a_calculation_that_kept_its_inputs_nowhere(installation: Installation) -> None:
    arrives(installation, 1, 100)
    installation.calculator.run_inputs(inputs(installation, "alfa", D, O), ["service_calendar"])
    installation.calculator.run_inputs(begin(installation, "alfa", "run", D, O), ["service_calendar"])


def test_a_run_continued_after_a_failure_uses_its_inputs_again(installation: Installation) -> None:
    arrives(installation, 1, 100)
    first = begin(installation, "alfa", "failed", D, O)
    assert of_run(installation, "alfa", ["continued", "failed"]).folder == first.folder
    assert of_run(installation, "alfa", ["another"], D, O).folder != first.folder


def test_what_is_published_alone_bears_the_dates_of_its_models(installation: Installation) -> None:
    arrives(installation, 1, 100)
    given = begin(installation, "alfa", "run", D, O)
    Gate(installation.store, "alfa").saw(MODEL_LAYERS[0], given.seen, given.decisions_seen, given.folder)
    assert of_run(installation, "alfa", ["publication"], date(2026, 6, 30), made=True).parameters == given.parameters


def test_inputs_of_long_ago_go_unless_models_are_made_of_them(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrives(installation, 1, 100)
    folders = [begin(installation, "alfa", run, D, O).folder for run in ("used", "old", "new")]
    Gate(installation.store, "alfa").saw(MODEL_LAYERS[0], 1, {}, folders[0])
    monkeypatch.setattr(module, "LONGEST_RUN", -LONGEST_RUN)
    begin(installation, "alfa", "now", D, O)
    there = [load(installation.store, "alfa", folder) is not None for folder in folders]  # type: ignore[arg-type]
    assert there == [True, False, False]
