"""Work that depends on other work: in order, as much at once as there are hands, and nothing begun after an error."""

from __future__ import annotations

import threading

import pytest

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
