"""Days as programs write them: with a time, with words, with two digits of the year; and days that cannot be."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from test_dirty_tables import book
from test_fatturapa import body, document, invoice
from test_tabular import PAYMENTS, parse, payments
from test_xml_opening import OPI, read

from pcc_pipeline.clock import ROME, today
from pcc_pipeline.formats.columns import read_column, reasons
from pcc_pipeline.formats.conventions import DAY_FIRST, YEAR_FIRST, has_time, read_date, read_moment, settle
from pcc_pipeline.tables.describe import Column
from pcc_pipeline.tables.feeds import FEEDS
from pcc_pipeline.tables.notes import SERIAL_DATE, TIME_OF_DAY

DATE, DUE_DATE = Column("data_pagamento", "date", "a date"), Column("data_scadenza", "date", "a due date")
ITALIAN = [
    "gennaio",
    "febbraio",
    "marzo",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "agosto",
    "settembre",
    "ottobre",
    "novembre",
    "dicembre",
]
ENGLISH = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
ORDERS = "id_documento;numero_mandato;data_mandato;data_pagamento;importo"
days = st.dates(dt.date(2000, 1, 1), dt.date(2036, 12, 31))
times = st.times()
fuzz = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


def _twelve(time: dt.time) -> str:
    return f"{(time.hour + 11) % 12 + 1:02d}.{time:%M.%S},000000 {'AM' if time.hour < 12 else 'PM'}"


@settings(deadline=None)
@given(days, times)
def test_a_date_with_a_time_is_its_day(day: dt.date, time: dt.time) -> None:
    for text in (
        f"{day} {time:%H:%M:%S}", f"{day}T{time:%H:%M}", f"{day}T{time:%H:%M:%S}.123", f"{day:%d/%m/%Y} {time:%H:%M:%S}",
        f"{day:%d/%m/%Y} {time:%H.%M}", f"{day:%d-%m-%Y}  {_twelve(time)}", f"{day.day}-{ENGLISH[day.month - 1]}-{day:%Y} {_twelve(time)}",
    ):  # fmt: skip
        assert settle(read_date(text), frozenset([DAY_FIRST])).value == day
        assert has_time(text) or not time.hour
    assert not has_time(f"{day} 00:00:00") and not has_time(f"{day}T00:00") and not has_time(str(day))
    assert has_time(f"{day} 12:00") and has_time(f"{day} 12.00.00 PM") and not has_time(f"{day} 12.00.00 AM")


@settings(deadline=None)
@given(st.datetimes(dt.datetime(2000, 1, 2), dt.datetime(2036, 12, 30)), st.sampled_from([None, 0, 60, 120, -300, 330]))
def test_a_time_with_an_offset_is_of_italys_day(moment: dt.datetime, offset: int | None) -> None:
    zone = dt.UTC if offset is None else dt.timezone(dt.timedelta(minutes=offset))
    text = moment.replace(tzinfo=zone).isoformat(timespec="seconds")
    text = text.replace("+00:00", "Z") if offset is None else text
    assert read_date(text).value == moment.replace(tzinfo=zone).astimezone(ROME).date()


def test_midnight_in_rome_written_as_greenwichs_evening_is_the_day_after() -> None:
    assert read_date("2025-12-30T23:00:00Z").value == dt.date(2025, 12, 31)
    assert read_date("2025-12-31T10:00:00Z").value == dt.date(2025, 12, 31)


@settings(deadline=None)
@given(days, st.sampled_from(["-", "/", " ", ".", ""]), st.booleans())
def test_months_may_be_words(day: dt.date, mark: str, short: bool) -> None:
    year = f"{day:%y}" if short else f"{day:%Y}"
    for name in (ITALIAN[day.month - 1], ENGLISH[day.month - 1], ITALIAN[day.month - 1][:3]):
        for word in (name, name.upper(), name.capitalize()):
            reading = read_date(f"{day.day:02d}{mark}{word}{mark}{year}")
            assert (reading.value, reading.either) == (day, False)


def test_other_words_are_no_months() -> None:
    for text in ("20-MAX-25", "20 marzi 2025", "32-MAR-2025", "30 febbraio 2025", "20-MAR", "20 m 2025"):
        assert read_date(text).value is None


def test_two_digits_of_the_year_need_a_column_that_tells() -> None:
    this = today().year % 100
    assert read_date(f"31/01/{this}").value == dt.date(today().year, 1, 31)  # 2031 cannot come first
    assert read_date("15/03/99").value is None or read_date("15/03/99").evidence == DAY_FIRST
    doubtful = read_date("20/03/25")
    assert doubtful.either and doubtful.value is None and "due cifre" in (doubtful.reason or "")
    assert settle(doubtful, frozenset([DAY_FIRST])).value == dt.date(2025, 3, 20)
    for evidence in (frozenset(), frozenset([YEAR_FIRST]), frozenset([DAY_FIRST, YEAR_FIRST])):
        assert settle(doubtful, evidence).value is None
    assert read_date("25/13/20").value is None and read_date("00/13/99").value is None


def test_a_column_of_two_digit_years_is_told_by_its_days(path: Path) -> None:
    sink = payments(path, "D1;1;20/03/25;10;", "D2;1;31/03/25;10;", "D3;1;05/05/25;10;")
    assert sink.bad == []
    assert [row["data_pagamento"] for row in sink.good] == [dt.date(2025, 3, 20), dt.date(2025, 3, 31), dt.date(2025, 5, 5)]
    sink = payments(path, "D1;1;20/03/25;10;", "D2;1;21/03/25;10;")
    assert sink.good == [] and all("due cifre" in bad["reason"] for bad in sink.bad)
    sink = payments(path, "D1;1;20/03/25;10;", "D2;1;13/03/2025;10;")  # another value of the column tells
    assert sink.bad == []


texts = st.one_of(
    st.text("0123456789/-.: TZ", min_size=1, max_size=19).map(str.strip).filter(bool),
    days.map(lambda day: f"{day:%d/%m/%y}"),
    st.tuples(days, times).map(lambda pair: f"{pair[0]:%d/%m/%Y} {pair[1]:%H:%M:%S}"),
    days.map(lambda day: f"{day.day}-{ITALIAN[day.month - 1][:3]}-{day:%y}"),
)


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), texts), max_size=15))
@example(["2025-12-31 10:00Z", "31/12/2025 10:00"])
def test_a_column_reads_as_its_values_do(written: list[str | None]) -> None:
    for column, ahead in ((DATE, 1), (DUE_DATE, 10)):
        readings = [read_date(text, ahead) if text else None for text in written]
        evidence = frozenset(reading.evidence for reading in readings if reading and reading.evidence)
        typed = read_column(column, pa.array(written, pa.string()), evidence)
        assert typed.evidence == evidence
        settled = [settle(reading, evidence) if reading else None for reading in readings]
        assert typed.values.to_pylist() == [reading.value if reading else None for reading in settled]
        refused = [text for text, reading in zip(written, settled, strict=True) if reading and reading.value is None]
        assert None not in reasons(column, pa.array(refused, pa.string()), evidence).to_pylist()


@settings(deadline=None)
@given(st.text("0123456789-:TZ+ ", max_size=30).filter(bool))
@example("9999-12-31T23:59:59-05:00")
@example("0001-01-01T00:00:00+05:00")
def test_no_text_raises(text: str) -> None:
    read_date(text)
    read_moment(text)


def _timed(sink: Any) -> list[tuple[str, str, int, int]]:
    return [(note["field"], note["value"], note["line"], note["times"]) for note in sink.noted if note["code"] == TIME_OF_DAY]


def test_a_time_is_dropped_with_a_note_and_midnight_without(path: Path) -> None:
    sink = payments(path, "D1;1;13/03/2025 00:00:00;10;", "D2;1;10/03/2025 14:35:12;10;", "D3;1;11/03/2025 9.05;10;")
    assert sink.bad == [] and [row["data_pagamento"].day for row in sink.good] == [13, 10, 11]
    assert _timed(sink) == [("data_pagamento", "10/03/2025 14:35:12", 3, 2)]
    assert payments(path, "D1;1;13/03/2025 00:00:00;10;").noted == []


def test_a_workbooks_times_too(path: Path) -> None:
    rows = [PAYMENTS.split(";"), ["D1", "1", dt.datetime(2025, 3, 10, 14, 35), 1, ""], ["D2", "1", 45726.6, 1, ""]]
    sink, _ = parse(book(path, rows), None)
    assert sink.bad == [] and [row["data_pagamento"] for row in sink.good] == [dt.date(2025, 3, 10)] * 2
    assert _timed(sink) == [("data_pagamento", "2025-03-10 14:35:00", 2, 2)]
    assert SERIAL_DATE in {note["code"] for note in sink.noted}


@pytest.mark.parametrize(
    ("written", "told"),
    [("20/05/2205", "nel futuro"), ("2205-05-20", "nel futuro"), ("31/12/9999", "nel futuro"), ("01/01/1900", "2000"),
     ("0001-01-01", "2000"), ("31-DIC-99", "2000"), ("99991231", "nel futuro")],
)  # fmt: skip
def test_a_payments_day_that_cannot_be_is_refused_and_named(path: Path, written: str, told: str) -> None:
    sink = payments(path, f"D1;1;{written};10;", "D2;1;2025-12-31;10;")
    assert [row["id_documento"] for row in sink.good] == ["D2"]
    assert [(bad["field"], bad["value"], told in bad["reason"]) for bad in sink.bad] == [("data_pagamento", written, True)]


def test_a_workbooks_day_that_cannot_be_is_refused_too(path: Path) -> None:
    rows = [PAYMENTS.split(";"), ["D1", "1", dt.date(2205, 5, 20), 1, ""], ["D2", "1", dt.date(1999, 12, 31), 1, ""]]
    sink, _ = parse(book(path, rows), None)
    assert sink.good == [] and [bad["value"] for bad in sink.bad] == ["2205-05-20", "1999-12-31"]


@pytest.mark.parametrize("written", ["01/01/1900", "20/05/2205", "0001-01-01", "31/12/9999"])
def test_a_day_that_a_row_may_have_passes_as_written(path: Path, written: str) -> None:
    """The models take it as not given and ask: they must see it."""
    sink = payments(path, f"D1;1;{written};2025-01-31;10", "D2;1;31/12/2025;2025-01-31;10", header=ORDERS)
    assert sink.bad == [] and sink.good[0]["data_mandato"] == settle(read_date(written), frozenset([DAY_FIRST])).value


@pytest.mark.parametrize("kind", ["erp_invoices", "pcc_invoices", "pcc_operations"])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("31/12/9999", dt.date(9999, 12, 31)),
        ("0001-01-01", dt.date(1, 1, 1)),
        ("09/04/2205", None),
        ("1999-05-04", dt.date(1999, 5, 4)),
    ],
)
def test_due_dates_pass_as_written(path: Path, kind: str, written: str, meant: dt.date | None) -> None:
    right = {
        "erp_invoices": "id_documento;tipo_documento;numero;data_emissione;importo_totale;stato;cf_fornitore|D;TD01;1;2025-01-01;1;REGISTRATA;1",
        "pcc_invoices": "progressivo_registrazione;tipo_documento;numero_documento;data_emissione;importo_totale;stato_documento"
        "|1;TD01;1;2025-01-01;1;RICEVUTO",
        "pcc_operations": "progressivo_registrazione;data_operazione;azione|1;2025-01-01;CS",
    }[kind]
    header, row = right.split("|")
    rows = [f"{row};{written}", f"{row};31/12/2025"] if "/" in written else [f"{row};{written}"]
    sink, _ = parse(path, "\n".join([f"{header};data_scadenza", *rows]) + "\n", kind)
    assert sink.bad == [] and sink.good[0]["data_scadenza"] == (meant or dt.date(2205, 4, 9))
    bad, _ = parse(path, f"{header};data_scadenza\n{row.replace('2025-01-01', '2205-01-01')};\n", kind)
    assert bad.good == [] and "nel futuro" in bad.bad[0]["reason"]


def test_due_dates_of_xml_pass_as_written(tmp_path: Path) -> None:
    due = "<DatiPagamento><DettaglioPagamento><DataScadenzaPagamento>{}</DataScadenzaPagamento></DettaglioPagamento></DatiPagamento>"
    for written in ("0001-01-01", "9999-12-31", "2205-04-09"):
        got = read(tmp_path, invoice(body(rest=due.format(written))))
        assert got.bad == [] and str(got.good[0]["data_scadenza"]) == written
        due_too = f"</importo_siope><data_scadenza_pagam_siope>{written}</data_scadenza_pagam_siope>"
        got = read(tmp_path, OPI.replace("</importo_siope>", due_too), "erp_opi")
        assert got.bad == [] and str(got.good[0]["data_scadenza"]) == written
    for written, told in (("2205-04-09", "nel futuro"), ("1999-12-31", "2000")):
        (bad,) = read(tmp_path, invoice(body(document(data=written)))).bad
        assert told in bad["reason"] and bad["value"] == written and bad["line"]


@fuzz
@given(cents=st.integers(-(10**10), 10**10))
def test_a_total_may_be_negative(path: Path, cents: int) -> None:
    row = f"D;TD01;1;2025-01-01;{cents / 100:.2f};REGISTRATA;1"
    sink, _ = parse(
        path, f"id_documento;tipo_documento;numero;data_emissione;importo_totale;stato;cf_fornitore\n{row}\n", "erp_invoices"
    )
    assert sink.bad == [] and int(sink.good[0]["importo_totale"] * 100) == cents
    assert all(FEEDS[kind].column("importo_totale").minimum is None for kind in ("erp_invoices", "pcc_invoices"))


def test_a_row_tells_of_a_date_that_its_column_does_not(path: Path) -> None:
    """Read day first, the time's day is the row's other day: so it is, for all of the column."""
    sink = payments(
        path, "D1;1;2025-03-10;10/03/2025 14:35:12;10", "D2;1;2025-04-01;2025-04-02;10", "D3;1;;05/06/2025;10", header=ORDERS
    )
    assert sink.bad == [] and [str(row["data_pagamento"]) for row in sink.good] == ["2025-03-10", "2025-04-02", "2025-06-05"]
    for rows in (
        ("D1;1;2025-10-03;10/03/2025;10",),  # month first: never accepted
        ("D1;1;2025-03-10;10/03/2025;10", "D2;1;2025-11-04;11/04/2025;10"),  # some rows say so, some otherwise
        ("D1;1;2025-03-09;10/03/2025;10",),  # nothing says
        ("D1;1;10/03/2025;10/03/2025;10",),
        ("D1;1;0001-01-01;03/04/0025;10",),
    ):
        sink = payments(path, *rows, header=ORDERS)
        assert sink.good == [] and sink.bad


def test_a_workbooks_own_dates_tell_of_its_texts(path: Path) -> None:
    rows = [ORDERS.split(";"), ["D1", "1", dt.date(2025, 3, 10), "10/03/2025 9:00", 1], ["D2", "1", None, "01/02/2025", 1]]
    sink, _ = parse(book(path, rows), None)
    assert sink.bad == [] and [str(row["data_pagamento"]) for row in sink.good] == ["2025-03-10", "2025-02-01"]
