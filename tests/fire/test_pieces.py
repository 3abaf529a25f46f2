"""Uploads in pieces: what was declared, the quota, the owner and the order of pieces hold whatever a sender does."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from test_portal import PASSWORD, _csrf, _sign_in, desk

from pcc_pipeline.arrival.welcome import Unwelcome
from pcc_pipeline.database.engine import engine
from pcc_pipeline.settings import Settings
from portal import chunks, uploads
from portal.accounts import add_user
from portal.chunks import Declared

PIECE = bytes(range(256)) * 4096  # 1 MiB in which a shift shows


def begin(settings: Settings, size: int, user: int = 1, **more: bool) -> chunks.Transfer:
    return chunks.begin(settings, "alfa", user, Declared("grande.csv", size, 1), **more)


def test_no_more_than_was_declared(settings: Settings) -> None:
    transfer = begin(settings, 1)
    with pytest.raises(Unwelcome, match="più lungo di quanto dichiarato"):
        chunks.add(settings, "alfa", 1, transfer.key, 0, PIECE)
    assert transfer.offset == 0
    assert chunks.add(settings, "alfa", 1, transfer.key, 0, b"x") == 1
    with pytest.raises(Unwelcome, match="più lungo"):
        chunks.add(settings, "alfa", 1, transfer.key, 1, b"x")


def test_the_quota_holds_at_each_piece_and_at_the_end_over_both_folders(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = settings.inbox / "alfa" / "open_list" / "molto.csv"
    waiting.parent.mkdir(parents=True)
    transfer = begin(settings, 3 * len(PIECE))
    chunks.add(settings, "alfa", 1, transfer.key, 0, PIECE)
    with waiting.open("wb") as file:  # meanwhile the inbox fills; a file with holes takes no disk
        file.truncate(uploads.QUOTA - len(PIECE) - len(PIECE) // 2)
    with pytest.raises(Unwelcome, match="Troppi file"):
        chunks.add(settings, "alfa", 1, transfer.key, len(PIECE), PIECE)
    with pytest.raises(Unwelcome, match="Troppi file"):
        begin(settings, 3 * len(PIECE))
    waiting.unlink()
    for number in (1, 2):
        chunks.add(settings, "alfa", 1, transfer.key, number * len(PIECE), PIECE)
    with waiting.open("wb") as file:
        file.truncate(uploads.QUOTA)
    with pytest.raises(Unwelcome, match="Troppi file"):
        chunks.finish(settings, "alfa", 1, transfer.key, tmp_path / "x")
    waiting.unlink()
    assert chunks.finish(settings, "alfa", 1, transfer.key, tmp_path / "x") == transfer.declared
    assert (tmp_path / "x").read_bytes() == PIECE * 3 and not list(settings.home.rglob("*.part"))


def test_pieces_at_once_do_not_spoil_the_file(settings: Settings, tmp_path: Path) -> None:
    transfer = begin(settings, 3 * len(PIECE))
    for number in range(3):
        with ThreadPoolExecutor(8) as pool:
            sent = [pool.submit(chunks.add, settings, "alfa", 1, transfer.key, number * len(PIECE), PIECE) for _ in range(8)]
        assert {each.result() for each in sent} == {(number + 1) * len(PIECE)}
    chunks.finish(settings, "alfa", 1, transfer.key, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == PIECE * 3


def test_keys_are_random_and_their_owner_s_alone(settings: Settings) -> None:
    mine, other = begin(settings, 10, user=1), begin(settings, 10, user=2)
    assert mine.key != other.key and begin(settings, 10, user=1).key == mine.key
    for user, ente in ((2, "alfa"), (1, "beta")):
        with pytest.raises(Unwelcome, match="sconosciuto"):
            chunks.add(settings, ente, user, mine.key, 0, b"x")
    for wrong in ("..", f"../u1/{mine.key}", "0" * 32, ""):
        with pytest.raises(Unwelcome, match="sconosciuto"):
            chunks.find(settings, "alfa", 2, wrong)


def test_a_transfer_begins_again_whatever_happened_to_it(settings: Settings, tmp_path: Path) -> None:
    first = begin(settings, 10)
    chunks.add(settings, "alfa", 1, first.key, 0, b"wrong")
    again = begin(settings, 10, anew=True)
    assert again.key != first.key and again.offset == 0 and not first.folder.exists()
    again.path.write_bytes(b"x" * 11)  # longer than declared: by no way of ours
    third = begin(settings, 10)
    assert third.key != again.key and third.offset == 0
    third.path.unlink()  # bytes lost with a disk
    assert chunks.add(settings, "alfa", 1, begin(settings, 10).key, 0, b"0123456789") == 10
    (third.folder / "nota.json").write_text("{", encoding="utf-8")
    assert begin(settings, 10).offset == 0


def test_a_transfer_ends_once(settings: Settings, tmp_path: Path) -> None:
    transfer = begin(settings, 2)
    with pytest.raises(Unwelcome, match="non è ancora completo"):
        chunks.finish(settings, "alfa", 1, transfer.key, tmp_path / "x")
    chunks.add(settings, "alfa", 1, transfer.key, 0, b"ab")

    def end(name: str) -> bool:
        try:
            chunks.finish(settings, "alfa", 1, transfer.key, tmp_path / name)
        except Unwelcome:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(end, "abcd")) == [False, False, False, True]


def test_a_person_has_a_few_transfers_under_way(settings: Settings) -> None:
    for number in range(chunks.MOST):
        chunks.begin(settings, "alfa", 1, Declared(f"{number}.csv", 5, 1))
    with pytest.raises(Unwelcome, match="Troppi trasferimenti"):
        chunks.begin(settings, "alfa", 1, Declared("ancora.csv", 5, 1))


def test_a_colleague_cannot_add_to_another_s_transfer(desk: TestClient, settings: Settings) -> None:
    add_user(engine(settings), "altri@alfa.it", "Altri", "ente_user", "alfa", PASSWORD)
    _sign_in(desk, "chi@alfa.it")
    asked = {"csrf": _csrf(desk), "name": "grande.csv", "size": "10", "changed": "1"}
    key = desk.post("/consegne/parti", data=asked).json()["key"]
    for other in ("altri@alfa.it", "chi@beta.it"):
        _sign_in(desk, other)
        csrf = {"csrf": _csrf(desk)}
        sent = desk.post(f"/consegne/parti/{key}", data={**csrf, "offset": "0"}, files={"piece": ("p", b"x")})
        assert sent.status_code == 409 and desk.post(f"/consegne/parti/{key}/fine", data=csrf).status_code == 404
        assert desk.post("/consegne/parti", data={**asked, **csrf}).json()["key"] != key
