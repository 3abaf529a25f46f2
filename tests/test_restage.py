"""Reading the kept bytes of a kind again: what it fills, what it leaves, and that no reader sees it half done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pcc_pipeline.arrival import staging
from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.staging import read_anew, stage
from pcc_pipeline.arrival.work import unpublished
from pcc_pipeline.cli import app
from pcc_pipeline.database.publish import Publication, publish
from pcc_pipeline.formats import Counts, Sink, Source
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs.inputs import calculator_deliveries

LIST = "piva_fornitore;numero;data_emissione;importo\n00743110157;{};2025-01-31;10,00\n"


class Provider:
    """Enti with delivered files."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.settings, self.store, self.register = installation.settings, installation.store, installation.register

    def deliver(self, ente: str, kind: str, **texts: str) -> None:
        """Lands and reads files."""
        folder = self.settings.inbox / ente / kind
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / f"{name}{'.xml' if text.startswith('<') else '.csv'}").write_text(text)
        land(self.installation, ente=ente, drain=True)
        stage(self.installation, ente)

    def files(self, ente: str, kind: str = "open_list", known_at: datetime | None = None) -> list[str]:
        """The staged files that a calculation reads."""
        rows = calculator_deliveries(self.register, ente, known_at).to_pylist()
        return sorted({f"staging/{ente}/{kind}/{row['part']}.parquet" for row in rows if row["kind"] == kind and row["part"]})

    def rows(self, ente: str, kind: str = "open_list", known_at: datetime | None = None) -> list[dict[str, Any]]:
        """The rows that a calculation reads."""
        return [row for name in self.files(ente, kind, known_at) for row in pq.read_table(self.store.uri(name)).to_pylist()]

    def registered(self, ente: str) -> list[dict[str, Any]]:
        """What the register says of the ente's deliveries, but for where their rows lie and which reading it is."""
        return [{**row, "part": None, "reread": None} for row in self.register.deliveries(ente).to_pylist()]


@pytest.fixture
def provider(installation: Installation) -> Provider:
    """Two enti with open lists, staged before the column `numero` was described, and other files."""
    made = Provider(installation)
    made.deliver("alfa", "open_list", one=LIST.format(1), two=LIST.format(2))
    made.deliver("alfa", "special_cases", other="caso;numero\nX;1\n")
    made.deliver("beta", "open_list", one=LIST.format(3))
    for ente in ("alfa", "beta"):
        for name in made.files(ente):
            table = pq.read_table(made.store.uri(name)).drop_columns(["numero"])
            pq.write_table(table, made.store.uri(name))
    return made


def numbers(rows: Sequence[dict[str, Any]]) -> list[str | None]:
    return sorted((row.get("numero") for row in rows), key=str)


def test_a_kind_is_read_again_and_nothing_else(provider: Provider) -> None:
    then, before = datetime.now(UTC), provider.registered("alfa")
    others = provider.files("alfa", "special_cases"), provider.files("beta")
    done = read_anew(provider.installation, "alfa", kind="open_list")
    assert (done.deliveries, done.rows_before, done.rows_after) == (2, 2, 2)
    assert numbers(provider.rows("alfa")) == ["1", "2"]
    assert provider.registered("alfa") == before
    assert (provider.files("alfa", "special_cases"), provider.files("beta")) == others
    # What was asked as of an earlier moment is read as it was read then.
    assert numbers(provider.rows("alfa", known_at=then)) == [None, None]


def test_twice_is_as_once(provider: Provider) -> None:
    read_anew(provider.installation, "alfa", kind="open_list")
    once = provider.rows("alfa"), provider.registered("alfa")
    read_anew(provider.installation, "alfa", kind="open_list")
    assert (sorted(map(repr, provider.rows("alfa"))), provider.registered("alfa")) == (sorted(map(repr, once[0])), once[1])
    assert read_anew(provider.installation, "alfa", kind="erp_opi").deliveries == 0


def test_the_next_run_calculates_it(provider: Provider) -> None:
    def published() -> None:
        seen = provider.register.complete_up_to("alfa")
        publish(provider.register.engine, "alfa", {}, Publication(date(2025, 12, 31), date(2026, 1, 20), None, seen))

    published()
    assert "alfa" not in unpublished(provider.register)
    read_anew(provider.installation, "alfa", kind="open_list")
    assert "alfa" in unpublished(provider.register)
    published()
    assert "alfa" not in unpublished(provider.register)


def test_the_former_rows_stand_until_all_are_read(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    before, seen, real = provider.files("alfa"), [], staging.parse

    def parse(kind: str, sources: Sequence[Source], sink: Sink, **more: Any) -> dict[str, Counts]:
        seen.append(provider.files("alfa"))
        if len(seen) == 4:
            raise OSError("the disk is gone")
        return real(kind, sources, sink, **more)

    monkeypatch.setattr(staging, "parse", parse)
    read_anew(provider.installation, "alfa", kind="open_list")
    assert seen == [before, before]
    after = provider.files("alfa")
    with pytest.raises(OSError, match="the disk is gone"):
        read_anew(provider.installation, "alfa", kind="open_list")
    assert provider.files("alfa") == after != before
    assert provider.register.pending("alfa") == []


def test_small_files_that_share_rows_files_come_once(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "FILES_A_PART", 2)
    first = {f"IT01234567890_{n}": f"<a>{n}</a>" for n in range(3)}
    provider.deliver("alfa", "sdi_invoices", **first)
    provider.deliver("alfa", "sdi_invoices", **{f"IT01234567890_{n}": f"<a>{n}</a>" for n in range(3, 6)})
    monkeypatch.setattr(staging, "FILES_A_PART", 4)
    assert read_anew(provider.installation, "alfa", kind="sdi_invoices").deliveries == 6
    parts = [row["part"] for row in provider.register.deliveries("alfa").to_pylist() if row["kind"] == "sdi_invoices"]
    assert sorted(parts.count(part) for part in set(parts)) == [2, 4]


def test_the_command(provider: Provider) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["restage", *words], env=provider.settings.environment())
        return done.exit_code, done.output

    code, said = run("--kind", "open_list")
    assert code == 0 and "alfa: 2 deliveries read again" in said and "beta: 1 deliveries read again" in said
    assert numbers(provider.rows("alfa")) == ["1", "2"] and numbers(provider.rows("beta")) == ["3"]
    before = provider.files("beta")
    assert run("--kind", "open_list", "--ente", "alfa")[0] == 0
    assert provider.files("beta") == before
    code, said = run("--kind", "wishes")
    assert code == 1 and "open_list" in said
    code, said = run("--kind", "open_list", "--ente", "gamma")
    assert code == 1 and "gamma" in said
