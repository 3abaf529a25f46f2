"""Files made to exhaust the machine stand in quarantine with their reason; the ente beside them is read as ever."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bombs
import pytest

from pcc_pipeline.arrival import reading, staging
from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.quarantine import summary
from pcc_pipeline.arrival.staging import read_anew, stage
from pcc_pipeline.arrival.suspects import Suspects
from pcc_pipeline.formats import reasons
from pcc_pipeline.formats.limits import READING
from pcc_pipeline.installation import Installation

GOOD = "piva_fornitore;numero;data_emissione;importo\n00743110157;{};2025-01-31;10,00\n"
#: The reading process takes no more than its limit; this one next to nothing.
GROWTH = 200 << 20


def deliver(installation: Installation, ente: str, name: str, content: bytes | str, kind: str = "open_list") -> None:
    path = installation.settings.inbox / ente / kind / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def staged(installation: Installation, ente: str) -> dict[str, tuple[str, int, str | None]]:
    """What the register says of an ente's deliveries: status, rows, reason."""
    rows = installation.register.deliveries(ente).to_pylist()
    return {row["file"]: (row["status"], row["rows"] or 0, row["reason"]) for row in rows}


def told(installation: Installation, ente: str) -> dict[str, str]:
    """The reasons that `pcc quarantine list` shows, by file."""
    return {row["file"]: row["reason"] for row in summary(installation, ente).to_pylist()}


def test_bombs_beside_a_healthy_ente(installation: Installation, tmp_path: Path) -> None:
    for name, write, _ in bombs.BOMBS.values():
        deliver(installation, "beta", name, write(tmp_path / name).read_bytes())
    deliver(installation, "beta", "buono.csv", GOOD.format(1))
    deliver(installation, "alfa", "buono.csv", GOOD.format(2))
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    land(installation, drain=True)
    for ente in ("beta", "alfa"):
        stage(installation, ente)
    seconds = time.monotonic() - start
    assert staged(installation, "alfa") == {"buono.csv": ("staged", 1, None)}
    found = staged(installation, "beta")
    assert found.pop("buono.csv") == ("staged", 1, None)
    shown = told(installation, "beta")
    for name, _, reason in bombs.BOMBS.values():
        assert found[name][0] == "refused", (name, found[name])
        assert any(word in (found[name][2] or "") for word in reason.split("|")), (name, found[name])
        assert shown[name] == found[name][2]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    assert grown < GROWTH and seconds < 120, (grown, seconds)


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading process runs `hostile_reader`, and has two seconds."""
    monkeypatch.setattr(reading, "PARSER", "hostile_reader")
    monkeypatch.setattr(reading, "READING", replace(READING, seconds=2.0))


@pytest.mark.usefixtures("hostile")
def test_readers_that_abort_loop_and_eat(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {
        "a-abort.csv": reasons.KILLED.format("SIGABRT"),
        "b-loop.csv": reasons.OUT_OF_TIME,
        "c-eat.csv": reasons.OUT_OF_MEMORY,
        "d-leave.csv": reasons.KILLED.format("codice 3"),
        "e-lie.csv": reasons.KILLED.format("codice 0"),
        "f-raise.csv": "il programma non ha potuto leggere il file (ValueError): segnalarlo, poi rileggerlo dalla quarantena",
    }
    for name in wanted:
        deliver(installation, "beta", name, name[2:].split(".")[0].upper() + "\n" + GOOD)
    deliver(installation, "beta", "z.csv", GOOD.format(1))
    deliver(installation, "alfa", "z.csv", GOOD.format(2))
    land(installation, drain=True)
    report = stage(installation, "beta")
    stage(installation, "alfa")
    assert report.refused == wanted and told(installation, "beta") == wanted
    found = staged(installation, "beta")
    assert {name: reason for name, (status, _, reason) in found.items() if status == "refused"} == wanted
    assert found["z.csv"] == staged(installation, "alfa")["z.csv"] == ("staged", 1, None)

    seen: list[str] = []

    def counted(kind: str, sources: Sequence[Any], sink: Any, **more: Any) -> Any:
        seen.extend(source.file for source in sources)
        return reading.parse(kind, sources, sink, **more)

    monkeypatch.setattr(staging, "parse", counted)
    stage(installation, "beta")
    assert not seen  # tried by an explicit command alone
    monkeypatch.setattr(reading, "PARSER", "pcc_pipeline.formats")
    read_anew(installation, "beta", kind="open_list")
    assert set(wanted) < set(seen) and "OUT" not in str(told(installation, "beta"))
    assert not any(reasons.SET_ASIDE in reason for reason in told(installation, "beta").values())


@pytest.mark.usefixtures("hostile")
def test_one_of_many_small_files(installation: Installation) -> None:
    for number in range(30):
        deliver(installation, "beta", f"{number:02}.xml", "ABORT" if number == 17 else f"<a>{number}</a>", "sdi_messages")
    land(installation, drain=True)
    stage(installation, "beta")
    found = staged(installation, "beta")
    assert len(found) == 30 and "landed" not in {status for status, _, _ in found.values()}
    killed = {name for name, (_, _, reason) in found.items() if reasons.SET_ASIDE in (reason or "")}
    assert killed == {"17.xml"}


@pytest.mark.usefixtures("hostile")
def test_a_fault_of_the_machine_is_no_fault_of_the_file(installation: Installation) -> None:
    deliver(installation, "beta", "disk.csv", "DISK")
    land(installation, drain=True)
    with pytest.raises(OSError, match="No space"):
        stage(installation, "beta")
    assert staged(installation, "beta")["disk.csv"][0] == "landed"
    assert not Suspects(installation.store, "beta").deaths(installation.register.pending("beta")[0].delivery)


def test_a_delivery_over_which_runs_die_is_set_aside(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(installation, "beta", "a.csv", GOOD.format(1))
    deliver(installation, "beta", "b.csv", GOOD.format(2))
    land(installation, drain=True)

    class Killed(BaseException):
        """The end of this process, as far as a test may."""

    def dying(kind: str, sources: Sequence[Any], sink: Any, **more: Any) -> Any:
        if sources[0].file == "a.csv":
            raise Killed
        return reading.parse(kind, sources, sink, **more)

    monkeypatch.setattr(staging, "parse", dying)
    write = Suspects._write
    monkeypatch.setattr(Suspects, "_write", lambda self, names: write(self, names) if names else None)  # no time to clean up
    for _ in range(READING.deaths):
        with pytest.raises(Killed):
            stage(installation, "beta")
    monkeypatch.setattr(Suspects, "_write", write)
    stage(installation, "beta")
    found = staged(installation, "beta")
    assert found == {"a.csv": ("refused", 0, reasons.RUN_DIED.format(2)), "b.csv": ("staged", 1, None)}
    assert told(installation, "beta")["a.csv"] == found["a.csv"][2]
    assert not installation.store.exists("staging/beta/reading.json")
    monkeypatch.setattr(staging, "parse", reading.parse)
    read_anew(installation, "beta", kind="open_list")
    assert staged(installation, "beta")["a.csv"] == ("staged", 1, None)
