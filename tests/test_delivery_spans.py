"""What is said of a delivery, from the name in the inbox to the register; a whole one that takes too much stops publication."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pcc_pipeline.arrival.delivery import DeliveryError, deliver
from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.spans import INCREMENT, NOTHING, Said, marked, parse_span, told
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.formats.tabular.layouts.model import Layout
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs.inputs import calculator_deliveries

YEAR = Said(True, date(2025, 1, 1), date(2025, 12, 31))
PAYMENTS = "id_documento;numero_mandato;data_pagamento;importo\nE1;1;2025-02-01;10.00\nE2;2;2025-03-01;10.00\n"


@pytest.mark.parametrize(
    ("name", "said", "written"),
    [
        ("a.csv", YEAR, "a.whole.2025-01-01..2025-12-31.csv"),
        ("a.b.csv", Said(True, None, date(2025, 12, 31)), "a.b.whole...2025-12-31.csv"),
        ("a", Said(True, date(2025, 1, 1)), "a.whole.2025-01-01.."),
        ("a.csv", Said(True), "a.whole....csv"),
        ("a.csv", INCREMENT, "a.increment.csv"),
        ("a.csv", NOTHING, "a.csv"),
    ],
)
def test_a_name_says_it_and_is_read_back(name: str, said: Said, written: str) -> None:
    assert marked(name, said) == written
    assert told("erp_payments", written) == (name, said)
    assert told("open_list", written) == (written, NOTHING)


@pytest.mark.parametrize("text", ["2025", "2025-12-31..2025-01-01", "2025-13-01..", "1/1/2025..", ""])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(ValueError, match=r"span|month|day"):
        parse_span(text)


def _read(installation: Installation, layout: Layout | None = None) -> list[dict[str, object]]:
    land(installation, drain=True)
    stage(installation, "alfa", layout)
    columns = ("whole", "span_from", "span_to", "confirmed")
    return calculator_deliveries(installation.register, "alfa").select(columns).to_pylist()


def _file(folder: Path, name: str = "p.csv") -> Path:
    file = folder / name
    file.write_text(PAYMENTS)
    return file


def test_from_the_inbox_to_the_models(installation: Installation, tmp_path: Path) -> None:
    inbox = installation.settings.inbox
    with pytest.raises(DeliveryError, match="non ha un periodo"):
        deliver(inbox, "alfa", "open_list", _file(tmp_path), YEAR)
    deliver(inbox, "alfa", "erp_payments", _file(tmp_path), YEAR)
    assert _read(installation) == [{"whole": True, "span_from": YEAR.span_from, "span_to": YEAR.span_to, "confirmed": False}]
    ((one, file, who),) = [
        (d["delivery"], d["file"], d["status"]) for d in installation.register.deliveries("alfa").to_pylist()
    ]
    assert (file, who) == ("p.csv", "staged")
    assert installation.register.confirm("alfa", one, "rossi")
    assert not installation.register.confirm("alfa", one, "verdi")
    assert installation.register.confirmed("alfa") == {one: "rossi"}
    with pytest.raises(KeyError):
        installation.register.confirm("beta", one, "rossi")


@pytest.mark.parametrize(("said", "whole"), [(NOTHING, True), (INCREMENT, False)], ids=["as the product", "as said"])
def test_a_product_s_deliveries_are_whole_from_their_first_to_their_last_day(
    installation: Installation, tmp_path: Path, said: Said, whole: bool
) -> None:
    layout = Layout.model_validate(
        {
            "product": "X",
            "delivery": "whole",
            "kinds": {"erp_payments": {"columns": dict(zip(*[PAYMENTS.splitlines()[0].split(";")] * 2, strict=True))}},
        }
    )
    deliver(installation.settings.inbox, "alfa", "erp_payments", _file(tmp_path), said)
    ends = (date(2025, 2, 1), date(2025, 3, 1)) if whole else (None, None)
    assert _read(installation, layout) == [{"whole": whole, "span_from": ends[0], "span_to": ends[1], "confirmed": False}]


def test_a_file_that_cannot_be_read_says_nothing(installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("nothing;of;this\n1;2;3\n")
    deliver(installation.settings.inbox, "alfa", "erp_payments", file, YEAR)
    assert [row["whole"] for row in _read(installation)] == [None]


def test_the_same_bytes_said_whole_in_the_same_scan_are_whole(installation: Installation, tmp_path: Path) -> None:
    deliver(installation.settings.inbox, "alfa", "erp_payments", _file(tmp_path, "a.csv"))
    deliver(installation.settings.inbox, "alfa", "erp_payments", _file(tmp_path, "b.csv"), Said(True))
    assert {row["whole"] for row in _read(installation)} == {None, True}
    deliver(installation.settings.inbox, "alfa", "erp_payments", _file(tmp_path, "c.csv"))
    assert len(_read(installation)) == 2


def test_the_same_bytes_delivered_again_as_whole_are_whole(installation: Installation, tmp_path: Path) -> None:
    inbox = installation.settings.inbox
    deliver(inbox, "alfa", "erp_payments", _file(tmp_path), NOTHING)
    assert [row["whole"] for row in _read(installation)] == [None]
    deliver(inbox, "alfa", "erp_payments", _file(tmp_path), YEAR)
    assert {row["whole"] for row in _read(installation)} == {None, True}
    # What is delivered a third time without a word takes nothing back.
    deliver(inbox, "alfa", "erp_payments", _file(tmp_path), NOTHING)
    assert {row["whole"] for row in _read(installation)} == {None, True}
