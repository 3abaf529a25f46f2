"""What people decided, kept in PostgreSQL: it outlives everything, can be undone, is known as of any moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from pcc_pipeline.database.engine import engine
from pcc_pipeline.review.pairs import Decided, DecisionError, Pair, decide_pairs, snapshot, undo
from pcc_pipeline.settings import Settings

A, B = Pair("A", "PA"), Pair("B", "PB")


@pytest.fixture
def database(settings: Settings) -> sa.Engine:
    return engine(settings)


def pairs(database: sa.Engine, known_at: datetime | None = None, ente: str = "alfa") -> dict[tuple[str, str], str]:
    found = snapshot(database, ente, known_at)["decided_match_decisions"].to_pylist()
    return {(row["id_documento"], row["progressivo_registrazione"]): row["verdict"] for row in found}


def test_nothing_decided_gives_empty_relations(database: sa.Engine) -> None:
    assert {name: rows.num_rows for name, rows in snapshot(database, "alfa").items()} == {
        "decided_match_decisions": 0,
        "decided_operation_decisions": 0,
        "decided_sent_operations": 0,
        "decided_answers": 0,
        "decided_operation_requests": 0,
    }


def test_the_latest_word_on_a_pair_stands_and_the_same_word_is_not_repeated(database: sa.Engine) -> None:
    assert decide_pairs(database, "alfa", "accept", [A, B, A], who="Rossi") == Decided(2)
    assert decide_pairs(database, "alfa", "pair", [A], who="Bianchi") == Decided(0, 1)
    assert decide_pairs(database, "alfa", "split", [A], who="Bianchi", reason="altro fornitore") == Decided(1)
    assert pairs(database) == {("A", "PA"): "split", ("B", "PB"): "pair"}
    assert pairs(database, ente="beta") == {}


def test_an_undone_word_gives_way_to_the_one_before(database: sa.Engine) -> None:
    decide_pairs(database, "alfa", "pair", [A], who="rossi")
    decide_pairs(database, "alfa", "split", [A], who="rossi")
    assert undo(database, "alfa", "match", [2], who="rossi") == Decided(1)
    assert undo(database, "alfa", "match", [2], who="bianchi") == Decided(0, 1)
    assert pairs(database) == {("A", "PA"): "pair"}
    undo(database, "alfa", "match", [1], who="rossi")
    assert pairs(database) == {}
    with pytest.raises(DecisionError, match="annullamento"):
        undo(database, "alfa", "match", [3], who="rossi")
    with pytest.raises(DecisionError, match="nessuna decisione 1 per l'ente beta"):
        undo(database, "beta", "match", [1], who="rossi")


def test_a_past_moment_knows_what_was_decided_by_then(database: sa.Engine) -> None:
    decide_pairs(database, "alfa", "pair", [A], who="rossi")
    then = datetime.now(UTC)
    decide_pairs(database, "alfa", "split", [A], who="rossi")
    undo(database, "alfa", "match", [1], who="rossi")
    assert pairs(database, then) == {("A", "PA"): "pair"}
    assert pairs(database) == {("A", "PA"): "split"}
    with pytest.raises(ValueError, match="time zone"):
        snapshot(database, "alfa", datetime(2026, 1, 1))


def test_a_document_has_one_pair_by_hand(database: sa.Engine) -> None:
    decide_pairs(database, "alfa", "pair", [A], who="rossi")
    with pytest.raises(DecisionError, match="già abbinati a mano da rossi"):
        decide_pairs(database, "alfa", "pair", [Pair("A", "PX")], who="bianchi")
    with pytest.raises(DecisionError, match="due abbinamenti diversi"):
        decide_pairs(database, "alfa", "pair", [Pair("C", "P1"), Pair("C", "P2")], who="bianchi")
    assert pairs(database) == {("A", "PA"): "pair"}


def test_two_reviewers_at_once_do_not_pair_one_document_twice(database: sa.Engine) -> None:
    def decide(number: int) -> int:
        try:
            return decide_pairs(database, "alfa", "pair", [Pair("A", f"P{number}")], who=f"persona {number}").written
        except DecisionError:
            return 0

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(decide, range(16))) == 1
    assert len(pairs(database)) == 1
