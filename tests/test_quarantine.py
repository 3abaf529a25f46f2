"""Quarantine as a tool: folded, listed, released; and what a release may not change. Parsers are tested elsewhere."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from pcc_pipeline.arrival import staging
from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.quarantine import release, summary, write_quarantine
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.arrival.work import unpublished
from pcc_pipeline.database.publish import Publication, publish
from pcc_pipeline.database.schema import table
from pcc_pipeline.formats import Counts, Sink, Source
from pcc_pipeline.formats.source import defect
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs.inputs import calculator_deliveries

HEADER = "piva_fornitore;numero;data_emissione;importo\n"


class Ente:
    """The ente alfa with an inbox; `stage` reads what landed."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.settings, self.store, self.register = installation.settings, installation.store, installation.register

    def deliver(self, name: str, text: str, kind: str = "open_list") -> str:
        """Lands a file; returns its delivery."""
        path = self.settings.inbox / "alfa" / kind / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        (new,) = land(self.installation, ente="alfa", drain=True).new
        return new.delivery

    def row(self, delivery: str, known_at: datetime | None = None) -> dict[str, Any]:
        """The delivery as the register has it."""
        return next(r for r in self.register.deliveries("alfa", known_at).to_pylist() if r["delivery"] == delivery)

    def last_moment(self) -> datetime:
        """When something last arrived or was read anew, by the register's own clock: no time need pass before the next."""
        arrived, read_anew = table("deliveries").c.received_at, table("former_readings").c.superseded_at
        with self.register.engine.connect() as connection:
            found = connection.execute(
                sa.select(sa.func.greatest(*(sa.select(sa.func.max(c)).scalar_subquery() for c in (arrived, read_anew))))
            )
            return found.scalar_one()

    def folded(self, **more: Any) -> list[tuple[Any, ...]]:
        found = summary(self.installation, "alfa", **more).to_pylist()
        return [tuple(row[name] for name in ("file", "field", "times", "first_line", "examples")) for row in found]


@pytest.fixture
def alfa(installation: Installation) -> Ente:
    return Ente(installation)


BAD = HEADER + "".join(f"00743110157;{n};{day};10,00\n" for n, day in enumerate(["31/02/2025"] * 5 + ["boh", "2025-01-31"]))


def test_repeats_are_folded_with_how_often(alfa: Ente) -> None:
    alfa.deliver("a.csv", BAD)
    alfa.deliver("b.csv", "")
    stage(alfa.installation, "alfa")
    found = alfa.folded()
    assert ("b.csv", None, 1, None, "") in [(*row[:4], row[4] or "") for row in found]
    (dates,) = [row for row in found if row[1] == "data_emissione" and "31/02/2025" in row[4]]
    assert dates[:1] + dates[3:4] == ("a.csv", 2) and dates[2] >= 5
    assert alfa.folded(limit=1) == found[:1]
    uri = write_quarantine(alfa.installation, "alfa")
    rows = pq.read_table(uri).to_pylist()
    assert sum(row["field"] == "data_emissione" for row in rows) == 6
    assert {row["times"] for row in rows if row["value"] == "31/02/2025"} >= {5} or dates[2] == 6


def older(source: Source, sink: Sink) -> Counts:
    """A parser that does not know the file yet."""
    sink.defects(defect(source, "no layout fits", line=None))
    return Counts(0, 1, 1)


@pytest.fixture
def misread(alfa: Ente, monkeypatch: pytest.MonkeyPatch) -> str:
    """A delivery read by an older program, then a later one of other rows; returns the first."""

    def parse(kind: str, sources: list[Source], sink: Sink, **_: Any) -> dict[str, Counts]:
        return {source.delivery: older(source, sink) for source in sources}

    delivery = alfa.deliver("a.csv", HEADER + "00743110157;1;2025-01-31;10,00\n")
    with monkeypatch.context() as patch:
        patch.setattr(staging, "parse", parse)
        stage(alfa.installation, "alfa")
    alfa.deliver("later.csv", HEADER + "00743110157;2;2025-01-31;20,00\n")
    stage(alfa.installation, "alfa")
    return delivery


def test_a_release_brings_good_rows_in_and_takes_settled_defects_out(alfa: Ente, misread: str) -> None:
    assert (alfa.row(misread)["status"], len(alfa.folded())) == ("refused", 1)
    done = release(alfa.installation, "alfa")
    assert (done.deliveries, done.defects_before, done.defects_after, done.rows_before, done.rows_after) == (1, 1, 0, 0, 1)
    row = alfa.row(misread)
    assert (row["status"], row["rows"], row["reason"]) == ("staged", 1, None)
    assert alfa.folded() == []
    assert release(alfa.installation, "alfa").deliveries == 0


def test_a_release_supersedes_nothing_that_came_later(alfa: Ente, misread: str) -> None:
    before = alfa.row(misread)["sequence"]
    release(alfa.installation, "alfa")
    rows = alfa.register.deliveries("alfa").to_pylist()
    assert [row["file"] for row in rows] == ["a.csv", "later.csv"] and rows[0]["sequence"] == before


def test_a_state_of_before_is_read_as_it_was_read_then(alfa: Ente, misread: str) -> None:
    then = alfa.last_moment()
    first = calculator_deliveries(alfa.register, "alfa", then)
    old_files = {rel: alfa.store.open(rel).read() for rel in alfa.store.list("staging") + alfa.store.list("quarantine")}
    release(alfa.installation, "alfa")
    assert calculator_deliveries(alfa.register, "alfa", then).equals(first)
    assert alfa.row(misread, then)["status"] == "refused"
    between = alfa.last_moment()
    assert alfa.row(misread, between)["status"] == "staged"
    for rel, data in old_files.items():
        assert alfa.store.open(rel).read() == data
    # And once more: each earlier reading stays as it was.
    now = calculator_deliveries(alfa.register, "alfa", between)
    release(alfa.installation, "alfa", deliveries=[misread])
    assert calculator_deliveries(alfa.register, "alfa", then).equals(first)
    assert calculator_deliveries(alfa.register, "alfa", between).equals(now)
    assert alfa.row(misread)["part"] != alfa.row(misread, between)["part"]


def test_readers_get_what_was_released(alfa: Ente, misread: str) -> None:
    def published() -> None:
        from datetime import date

        seen = alfa.register.complete_up_to("alfa")
        publish(alfa.register.engine, "alfa", {}, Publication(date(2025, 12, 31), date(2026, 1, 20), None, seen))

    published()
    assert unpublished(alfa.register) == {}
    release(alfa.installation, "alfa")
    assert alfa.register.complete_up_to("alfa") >= alfa.row(misread)["sequence"]
    assert list(unpublished(alfa.register)) == ["alfa"]
    published()
    assert unpublished(alfa.register) == {}


def test_files_that_share_their_rows_file_are_read_anew_together(alfa: Ente) -> None:
    folder = alfa.settings.inbox / "alfa" / "sdi_invoices"
    folder.mkdir(parents=True)
    for n in range(3):
        (folder / f"IT01234567890_{n}.xml").write_text(f"<a>{n}</a>")
    new = land(alfa.installation, ente="alfa", drain=True).new
    stage(alfa.installation, "alfa")
    assert release(alfa.installation, "alfa", deliveries=[new[0].delivery]).deliveries == 3
    rows = alfa.register.deliveries("alfa").to_pylist()
    assert len({row["part"] for row in rows}) == 1 and all(row["reread"] for row in rows)


def test_an_unknown_delivery_and_what_cannot_be_read_again(alfa: Ente) -> None:
    with pytest.raises(KeyError, match="has no delivery"):
        release(alfa.installation, "alfa", deliveries=["0123456789abcdef"])
    alfa.deliver("not.zip", "no archive")
    alfa.deliver("a.csv", "x", kind="wishes")
    assert release(alfa.installation, "alfa").deliveries == 0
    assert len(alfa.folded()) == 2


def test_a_kind_read_by_a_later_version_is_released_from_its_kept_bytes(alfa: Ente, monkeypatch: pytest.MonkeyPatch) -> None:
    from pcc_pipeline.arrival import landing

    with monkeypatch.context() as patch:
        patch.setattr(landing, "FEEDS", {})
        delivery = alfa.deliver("a.csv", HEADER + "00743110157;1;2025-01-31;10,00\n")
    assert alfa.row(delivery)["status"] == "refused"
    assert release(alfa.installation, "alfa").rows_after == 1


def test_a_file_that_the_program_fails_on_is_refused_alone(alfa: Ente, monkeypatch: pytest.MonkeyPatch) -> None:
    real = staging.parse

    def failing(kind: str, sources: list[Source], sink: Sink, **more: Any) -> dict[str, Counts]:
        if any("1" in Path(source.file).stem[-1] for source in sources):
            raise IndexError("a defect of the program")
        return real(kind, sources, sink, **more)

    folder = alfa.settings.inbox / "alfa" / "sdi_invoices"
    folder.mkdir(parents=True)
    for n in range(3):
        (folder / f"IT01234567890_{n}.xml").write_text(f"<a>{n}</a>")
    land(alfa.installation, ente="alfa", drain=True)
    with monkeypatch.context() as patch:
        patch.setattr(staging, "parse", failing)
        report = stage(alfa.installation, "alfa")
    assert "non ha potuto leggere il file (IndexError)" in report.refused["IT01234567890_1.xml"]
    assert alfa.register.pending("alfa") == []
    assert release(alfa.installation, "alfa").deliveries == 3
    assert not any("non ha potuto" in (row["reason"] or "") for row in alfa.register.deliveries("alfa").to_pylist())
