"""Landing: exactly once by content, whatever crashes or runs beside it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pcc_pipeline.arrival import archive, draining, landing, leftovers
from pcc_pipeline.arrival.landing import LandingReport, land, waiting
from pcc_pipeline.database.register import Register
from pcc_pipeline.formats.limits import Zipped
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

Deliver = Callable[..., Path]


@pytest.fixture
def register(installation: Installation) -> Register:
    return installation.register


@pytest.fixture
def deliver(settings: Settings) -> Deliver:
    def to(place: str, data: bytes = b"data") -> Path:
        path = settings.inbox / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return to


@pytest.fixture
def scan(installation: Installation, settings: Settings, store: Store, register: Register) -> Callable[..., LandingReport]:
    return lambda **more: land(installation, **more)


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in members.items():
            out.writestr(name, data)
    return path


def test_the_register_of_enti_in_an_ente_s_folder_is_refused_with_its_place(
    deliver: Deliver, scan, installation: Installation
) -> None:
    deliver("alfa/enti/enti.csv", b"ente;denominazione;cf")
    deliver("_provider/enti/enti.csv", b"ente;denominazione;cf")
    report = scan()
    assert [(item.ente, item.reason) for item in report.refused] == [("alfa", landing.MISPLACED.format(kind="enti"))]
    assert "_provider/enti" in report.refused[0].reason
    assert {item.ente: item.status for item in report.new} == {"alfa": "refused", "_provider": "landed"}
    assert installation.register.readable("alfa", kind="enti") == []


def test_same_bytes_are_one_delivery(deliver: Deliver, scan, store: Store, register: Register) -> None:
    deliver("alfa/open_list/a.csv", b"one")
    deliver("alfa/open_list/b.csv", b"one")
    deliver("beta/open_list/a.csv", b"one")
    report = scan()
    assert [(item.ente, item.file) for item in report.new] == [("alfa", "a.csv"), ("beta", "a.csv")]
    assert report.duplicates == [("alfa", "open_list", "b.csv")]
    assert store.open(store.landing("alfa", report.new[0].sha256)).read() == b"one"
    assert scan() == LandingReport()
    assert [len(register.pending(ente)) for ente in ("alfa", "beta")] == [1, 1]


def test_files_found_together_share_their_moment_and_come_in_order(deliver: Deliver, scan) -> None:
    for name in ("c", "a", "b"):
        deliver(f"alfa/open_list/{name}.csv", name.encode())
    new = scan().new
    assert [item.file for item in new] == ["a.csv", "b.csv", "c.csv"]
    assert len({item.received_at for item in new}) == 1


def test_a_changed_file_is_landed_again(deliver: Deliver, scan) -> None:
    deliver("alfa/open_list/a.csv", b"one")
    scan()
    deliver("alfa/open_list/a.csv", b"two")
    assert len(scan().new) == 1


def test_unfinished_and_hidden_files_are_left_alone(deliver: Deliver, scan) -> None:
    kept = [
        deliver("alfa/open_list/a.csv.part"),
        deliver("alfa/open_list/.a"),
        deliver(".alfa/open_list/a.csv"),
    ]
    assert scan(drain=True) == LandingReport()
    assert all(path.exists() for path in kept)


def test_what_has_no_place_is_kept_and_refused_with_a_reason(deliver: Deliver, scan, settings: Settings, store: Store) -> None:
    deliver("Comune di Alfa/open_list/a.csv", b"1")
    deliver("a/open_list/b.csv", b"2")
    deliver("alfa/invoices/a.csv")
    deliver("alfa/loose.csv")
    deliver("loose.csv")
    deliver("alfa/open_list/folder/a.csv", b"3")
    deliver("_provider/open_list/a.csv")
    (settings.inbox / "alfa/open_list/link.csv").symlink_to("/etc/hostname")
    assert set(waiting(settings.inbox)) == {"alfa", "_provider"}
    report = scan(drain=True)
    kept = {(item.ente, item.kind, item.file) for item in report.new}
    assert kept == {
        ("_provider", "unknown", "Comune di Alfa/open_list/a.csv"),
        ("_provider", "unknown", "a/open_list/b.csv"),
        ("_provider", "unknown", "loose.csv"),
        ("_provider", "open_list", "_provider/open_list/a.csv"),
        ("alfa", "invoices", "alfa/invoices/a.csv"),
        ("alfa", "unknown", "alfa/loose.csv"),
        ("alfa", "open_list", "alfa/open_list/folder/a.csv"),
    }
    assert {item.status for item in report.new} == {"refused"} and all(item.reason for item in report.new)
    left = sorted(refusal.path.removeprefix(f"{settings.inbox}/") for refusal in report.refused)
    assert "alfa/open_list/link.csv" in left and len(left) == 8
    assert all(refusal.reason for refusal in report.refused)
    assert not (settings.inbox / "alfa/invoices/a.csv").exists()  # its bytes are in the store
    for item in report.new:
        assert store.exists(store.landing(item.ente, item.sha256))
    assert waiting(settings.inbox) == {}


def test_a_file_too_large_is_registered_and_moved_aside_untouched(
    deliver: Deliver, settings: Settings, store: Store, register: Register
) -> None:
    small = Installation(replace(settings, max_file_bytes=1000))
    path = deliver("alfa/open_list/huge.csv")
    with path.open("r+b") as file:
        file.truncate(1 << 40)  # sparse: a thousand gigabytes that take no room
    deliver("alfa/open_list/good.csv", b"good")
    report = land(small, drain=True)
    told = {item.file: (item.status, item.size) for item in report.new}
    assert told == {"huge.csv": ("refused", 1 << 40), "good.csv": ("landed", 4)}
    assert (path.parent / ".too-large/huge.csv").stat().st_size == 1 << 40
    assert land(small, drain=True) == LandingReport()
    assert "più dei 1000 ammessi" in report.refused[0].reason


def test_an_undrained_inbox_keeps_the_file_too_large_where_it_is(
    deliver: Deliver, settings: Settings, store: Store, register: Register
) -> None:
    path = deliver("alfa/open_list/huge.csv", b"x" * 2000)
    small = Installation(replace(settings, max_file_bytes=1000))
    assert [item.status for item in land(small).new] == ["refused"]
    assert path.exists() and land(small) == LandingReport()


def test_provider_feeds(deliver: Deliver, scan) -> None:
    deliver("_provider/enti/enti.csv")
    assert [(item.ente, item.kind) for item in scan().new] == [("_provider", "enti")]


def test_one_ente_alone(deliver: Deliver, scan) -> None:
    deliver("alfa/open_list/a.csv")
    deliver("beta/open_list/a.csv")
    assert [item.ente for item in scan(ente="beta").new] == ["beta"]


def test_draining_removes_only_what_is_registered(deliver: Deliver, scan, register: Register, monkeypatch) -> None:
    path = deliver("alfa/open_list/a.csv")

    def crash(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch, pytest.raises(ConnectionError):
        patch.setattr(register, "add", crash)
        scan(drain=True)
    assert path.exists()
    with monkeypatch.context() as patch, pytest.raises(ConnectionError):
        patch.setattr(draining, "_remove", crash)
        scan(drain=True)
    assert path.exists()
    assert len(register.pending("alfa")) == 1
    report = scan(drain=True)
    assert (report.new, len(report.duplicates)) == ([], 1)
    assert not path.exists()


def test_bytes_are_on_disk_before_anything_refers_to_them(deliver: Deliver, scan, store, register, monkeypatch) -> None:
    path = deliver("alfa/open_list/a.csv", b"one")
    zipped(path.with_name("b.zip"), {"c.csv": b"two"})
    done: list[object] = []
    add, settle, remove = register.add, store.settle, draining._remove
    monkeypatch.setattr(store, "settle", lambda names: done.append(len(kept := list(names))) or settle(kept))
    monkeypatch.setattr(register, "add", lambda *args: done.append("registered") or add(*args))
    monkeypatch.setattr(draining, "_remove", lambda *args: done.append("removed") or remove(*args))
    assert len(scan(drain=True).new) == 2
    assert done == [2, "registered", "removed", "removed"]


def test_what_a_killed_process_had_moved_aside_comes_back(deliver: Deliver, scan, register, monkeypatch) -> None:
    first, second = deliver("alfa/open_list/a.csv", b"one"), deliver("alfa/open_list/b.csv", b"two")

    def killed(file: draining.InboxFile, aside: Path) -> None:
        file.path.rename(aside)
        if file.path == second:
            raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(draining, "_remove", killed)
        scan(drain=True)
    assert not first.exists() and not second.exists()
    deliver("alfa/open_list/a.csv", b"three")
    report = scan(drain=True)
    assert [item.file for item in report.new] == ["a.csv"]
    assert len(list(first.parent.iterdir())) == 1, "another process may still be at it"
    monkeypatch.setattr(leftovers, "LEFT_BEHIND", 0.0)
    deliver("alfa/open_list/a.csv", b"four")
    report = scan(drain=True)
    assert len(report.new) == 1 and len(report.duplicates) == 2
    assert list(first.parent.iterdir()) == []
    assert len(register.pending("alfa")) == 4


def test_a_name_that_came_to_mean_other_bytes_is_not_removed(deliver: Deliver, scan, register, monkeypatch) -> None:
    path = deliver("alfa/open_list/a.csv", b"one")
    add = register.add

    def replaced_meanwhile(*args: object) -> object:
        other = path.with_name("next.part")
        other.write_bytes(b"two")
        other.replace(path)
        return add(*args)

    with monkeypatch.context() as patch:
        patch.setattr(register, "add", replaced_meanwhile)
        scan(drain=True)
    assert path.read_bytes() == b"two"
    assert len(scan(drain=True).new) == 1
    assert not list(path.parent.iterdir())


SIDE_BY_SIDE = """
import sys
from pathlib import Path
from pcc_pipeline.settings import Settings
from pcc_pipeline.formats.limits import Zipped
from pcc_pipeline.installation import Installation
from pcc_pipeline.arrival.landing import land
installation = Installation(Settings.at(Path(sys.argv[1]), database_url=sys.argv[2]))
report = land(installation, drain=True)
sys.stdout.write(str(len(report.new)))
"""


def test_two_processes_on_one_inbox(deliver: Deliver, settings: Settings, register: Register) -> None:
    paths = [deliver(f"alfa/open_list/{n}.csv", str(n).encode()) for n in range(600)]
    command = [sys.executable, "-c", SIDE_BY_SIDE, str(settings.home), str(settings.database_url)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    counts = [int(process.communicate()[0]) for process in processes]
    assert sum(counts) == 600
    assert register.deliveries("alfa").num_rows == 600
    assert not any(path.exists() for path in paths)


def test_zip_members_are_deliveries(scan, settings: Settings) -> None:
    zipped(
        settings.inbox / "alfa/sdi_invoices/all.ZIP",
        {
            "in/a.xml": b"a",
            "../../b.xml": b"b",
            "__MACOSX/a.xml": b"m",
            ".hidden": b"h",
            "c.xml.part": b"c",
        },
    )
    new = scan(drain=True).new
    assert [(item.file, item.archive, item.status) for item in new] == [
        ("a.xml", "all.ZIP", "landed"),
        ("b.xml", "all.ZIP", "landed"),
    ]
    zipped(settings.inbox / "alfa/sdi_invoices/again.zip", {"z.xml": b"a"})
    assert scan().duplicates == [("alfa", "sdi_invoices", "z.xml")]


def test_broken_archives_are_kept_and_refused(deliver: Deliver, scan, store: Store, settings: Settings) -> None:
    deliver("alfa/sdi_invoices/not.zip", b"PK\x03\x04 and nothing more")
    zipped(settings.inbox / "alfa/sdi_invoices/empty.zip", {})
    zipped(settings.inbox / "alfa/sdi_invoices/nested.zip", {"inner.zip": b"PK", "a.xml": b"good"})
    path = zipped(settings.inbox / "alfa/sdi_invoices/secret.zip", {"a.xml": b"a"})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(data))
    path = settings.inbox / "alfa/sdi_invoices/crc.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("a.xml", b"UNIQUE-CONTENT")
        out.writestr("b.xml", b"fine")
    path.write_bytes(path.read_bytes().replace(b"UNIQUE", b"BROKEN"))
    report = scan()
    reasons = {item.file: item.reason for item in report.new if item.status == "refused"}
    assert set(reasons) == {"not.zip", "empty.zip", "nested.zip", "secret.zip", "crc.zip"}
    assert "password" in str(reasons["secret.zip"])
    assert "a.xml: danneggiato" in str(reasons["crc.zip"])
    assert sorted(item.file for item in report.new if item.status == "landed") == ["a.xml", "b.xml"]
    assert len(report.refused) == 5
    assert all(store.exists(store.landing("alfa", item.sha256)) for item in report.new)


def test_an_archive_made_to_exhaust_the_machine_is_refused(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "bomb.zip", {"a": bytes(1 << 20)})
    with pytest.raises(archive.Unreadable, match="crescerebbe"), archive.opened(bomb, Zipped(free=1 << 10)):
        pass
    with (
        pytest.raises(archive.Unreadable, match="occuperebbe"),
        archive.opened(bomb, Zipped(bytes=10)),
    ):
        pass
    with (
        pytest.raises(archive.Unreadable, match="più dei 0 ammessi"),
        archive.opened(bomb, Zipped(members=0)),
    ):
        pass


def test_waiting(deliver: Deliver, scan, settings: Settings, register: Register) -> None:
    path = deliver("alfa/open_list/a.csv", b"four")
    deliver("alfa/open_list/b.csv.part")
    assert waiting(settings.inbox) == {"alfa": [(path, 4, path.stat().st_mtime_ns)]}
    scan()
    assert waiting(settings.inbox, register.arrivals()) == {}
    assert waiting(settings.home / "nowhere") == {}


def test_names_that_are_not_utf8(settings: Settings, scan) -> None:
    folder = settings.inbox / "alfa/open_list"
    folder.mkdir(parents=True)
    import os

    with open(os.fsencode(folder) + b"/citt\xe0.csv", "wb") as out:  # noqa: PTH123
        out.write(b"1")
    assert [item.file for item in scan().new] == ["città.csv"]
    assert scan().new == []
