"""What a step leaves at hand for the next: whose it is, how long it lasts, and that it is read instead of files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import duckdb
import models
import pytest

from pcc_pipeline.calculator import let_go
from pcc_pipeline.calculator.held import KEPT, held
from pcc_pipeline.calculator.small import in_memory, run_in_memory


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    let_go()
    yield
    let_go()


class Box:
    """Counts how often it was opened and closed."""

    def __init__(self) -> None:
        self.opened = self.closed = 0

    @contextmanager
    def open(self) -> Iterator[object]:
        self.opened += 1
        try:
            yield object()
        finally:
            self.closed += 1


def test_what_was_opened_for_a_key_is_given_again_until_it_is_let_go() -> None:
    box = Box()
    with held("one", box.open()) as first:
        pass
    with held("one", box.open()) as second:
        assert second is first
        with held("one", box.open()) as meanwhile:
            assert meanwhile is not first, "who has it has it alone"
    assert box.opened == 2
    let_go()
    assert box.closed == box.opened == 2


def test_the_oldest_goes_and_after_an_error_nothing_is_kept() -> None:
    boxes = {name: Box() for name in "abcd"[: KEPT + 1]}
    for name, box in boxes.items():
        with held(name, box.open()):
            pass
    assert [box.closed for box in boxes.values()] == [1] + [0] * KEPT
    newest = [*boxes][-1]
    with pytest.raises(ZeroDivisionError), held(newest, boxes[newest].open()):
        1 / 0  # noqa: B018
    assert boxes[newest].closed == 1


def test_without_a_key_nothing_is_kept() -> None:
    box = Box()
    with held(None, box.open()):
        assert box.closed == 0
    assert box.closed == 1


def test_a_fork_does_not_have_what_its_parent_keeps() -> None:
    box = Box()
    with held("one", box.open()) as mine:
        pass
    child = os.fork()
    if child == 0:
        with held("one", box.open()) as other:
            os._exit(0 if other is not mine and box.closed == 0 else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_the_next_step_reads_what_is_in_memory_and_another_process_the_files(tmp_path: Path) -> None:
    settings, store, inputs = models.delivered(tmp_path, {"erp_invoices": [models.INVOICE]})
    folder = f"models/{inputs.ente}"
    given = inputs.kept(store, f"{folder}/given")
    run_in_memory(settings, store, given, models.needed("stock"), folder, hold=True)

    def stock() -> list[tuple[object, ...]]:
        with in_memory(settings, store, given, ["stock", "debt_positions"]) as memory, memory.beside() as connection:
            assert connection.execute(f"select count(*) from {memory.source('debt_positions')}").fetchone() == (2,)
            return connection.execute(f"select view, amount from {memory.source('stock')} order by all").fetchall()

    right = stock()
    assert ("right", Decimal(100)) in right
    path = store.uri(f"{folder}/stock.parquet")
    changed = duckdb.sql(f"select * replace (amount + 1 as amount) from '{path}'").to_arrow_table()
    duckdb.from_arrow(changed).write_parquet(path)
    assert stock() == right
    let_go()
    assert stock() == [(view, amount + 1) for view, amount in right]
