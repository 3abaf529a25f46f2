"""Odd archives, folders and kept bytes: each has an outcome, and none stops what lies beside it."""

from __future__ import annotations

import io
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pcc_pipeline.arrival.landing import land, waiting
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.review import sending
from pcc_pipeline.review.operations import Selection, decide_operations
from pcc_pipeline.review.pairs import DecisionError
from pcc_pipeline.service.erasure.scan import _holds
from pcc_pipeline.service.erasure.traces import Traces

GOOD = b"id_documento;importo\n1;2\n"


def lay(installation: Installation, name: str, data: bytes = GOOD) -> Path:
    path = installation.settings.inbox / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def archive(data: bytes, method: int = zipfile.ZIP_LZMA) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        made.writestr("a.csv", data)
        made.writestr("b.csv", GOOD, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def spoilt(data: bytes) -> bytes:
    """The archive with the middle of its first member overwritten."""
    head = 30 + len("a.csv")
    return data[: head + 12] + b"\xff" * 60 + data[head + 72 :]


def locked() -> bytes:
    """An archive that says that its members need a password."""
    data = bytearray(archive(GOOD, zipfile.ZIP_STORED))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + place] |= 1
            at = data.find(mark, at + 4)
    return bytes(data)


def test_a_damaged_member_leaves_the_good_one(installation: Installation) -> None:
    lay(installation, "zeta/open_list/guasto.zip", spoilt(archive(os.urandom(400))))
    report = land(installation, drain=True)
    assert {d.file for d in report.new} == {"b.csv", "guasto.zip"}
    assert "danneggiato" in report.refused[0].reason


@pytest.mark.parametrize(
    "data", [locked(), spoilt(archive(os.urandom(400))), b"PK\x03\x04" + b"x" * 50], ids=["locked", "lzma", "cut"]
)
def test_an_archive_that_cannot_be_read_stops_no_erasure(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    assert not _holds(tmp_path / "a.zip", Traces("betaente", ()))


def test_a_trace_across_two_pieces_of_a_member_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pcc_pipeline.service.erasure.scan.PIECE", 1000)
    (tmp_path / "a.zip").write_bytes(archive(b"x" * 995 + b" betaente " + b"y" * 500))
    assert _holds(tmp_path / "a.zip", Traces("betaente", ()))


@pytest.mark.parametrize("left", [b"", b"y" * len(GOOD)], ids=["nothing", "other bytes"])
def test_kept_bytes_that_are_wrong_are_replaced(
    installation: Installation, left: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    stored = installation.store.put_bytes("alfa", GOOD)
    kept = Path(installation.store.root) / installation.store.landing("alfa", stored.sha256)
    kept.write_bytes(left)
    assert not installation.store.put_bytes("alfa", GOOD).known and kept.read_bytes() == GOOD
    assert "not those that were delivered" in caplog.text
    assert installation.store.put_bytes("alfa", GOOD).known


def test_a_folder_that_cannot_be_read_stops_nobody(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(installation, "gamma/open_list/a.csv")
    lay(installation, "alfa/open_list/a.csv")
    scan = os.scandir

    def shut(folder: Path) -> object:
        if Path(folder).parts[-2:] == ("gamma", "open_list"):
            raise PermissionError(13, "Permission denied")
        return scan(folder)

    monkeypatch.setattr(os, "scandir", shut)
    assert list(waiting(installation.settings.inbox)) == ["alfa"]
    assert [d.ente for d in land(installation, drain=True).new] == ["alfa"]


def test_a_file_in_a_folder_of_a_kind_is_kept_with_its_reason(installation: Installation) -> None:
    paths = [
        lay(installation, f"alfa/open_list/{name}", name.encode()) for name in ("2024/a.csv", "2024/gennaio/b.csv", "c.csv")
    ]
    report = land(installation, drain=True)
    assert {d.file for d in report.new} == {"alfa/open_list/2024/a.csv", "alfa/open_list/2024/gennaio/b.csv", "c.csv"}
    assert len(report.refused) == 2 and all("sottocartella" in refused.reason for refused in report.refused)
    assert not any(path.exists() for path in paths)
    assert not land(installation, drain=True).new


def test_a_refusal_while_files_are_written_comes_after_what_goes_out(
    database: sa.Engine, installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.begin() as connection:
        office = {"cf_amministrazione": "80012345678", "codice_ufficio": "UFABCD", "progressivo_registrazione": "100000000001"}
        connection.execute(sa.update(table("operations")).values(id_fiscale_beneficiario="IT00743110157", **office))
    decide_operations(database, "alfa", "approve", Selection(("c1",)), who="rossi")
    write, done = sending._file, []
    with ThreadPoolExecutor(1) as others:

        def meanwhile(*given: Any) -> Any:
            other = others.submit(decide_operations, database, "alfa", "refuse", Selection(("c1",)), who="bianchi", reason="no")
            with pytest.raises(TimeoutError):
                other.result(1)
            done.append(other)
            return write(*given)

        monkeypatch.setattr(sending, "_file", meanwhile)
        assert sending.send(installation, "alfa", "RSSMRA80A01H501U", tmp_path / "out").operations == 1
        with suppress(DecisionError):  # what was sent may not be refused any more
            done[0].result(30)
    with database.connect() as connection:
        sent_at = connection.scalar(sa.select(sa.func.max(table("model_files").c.sent_at)))
        refused = table("operation_decisions")
        refused_at = connection.scalar(sa.select(sa.func.max(refused.c.decided_at)).where(refused.c.verdict == "refuse"))
    assert refused_at is None or refused_at > sent_at
