"""Work lists and questionnaires: written, filled in by a person, read back; errors by line, twice is once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import python_calamine as calamine
import sqlalchemy as sa
import xlsxwriter
from proposed import one, states

from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.review.amounts import judge
from pcc_pipeline.review.answers import export_questions, read_answers
from pcc_pipeline.review.operations import Selection, decide_operations
from pcc_pipeline.review.pairs import snapshot
from pcc_pipeline.review.sheets import UnreadableError
from pcc_pipeline.review.worklist import Taken, export_worklist, import_decisions
from pcc_pipeline.settings import Settings
from pcc_pipeline.tables import TABLES

BANK = "00488410010"


def put(bind: sa.Engine, name: str, **values: Any) -> None:
    """A published row; what is demanded and not given gets a plain value."""
    plain: dict[str, Any] = {"text": "X", "money": 0, "integer": 1, "date": date(2025, 1, 10), "boolean": False}
    row = {c.name: plain[c.type] for c in TABLES[name].columns if c.required} | {"ente": "alfa"} | values
    with bind.begin() as connection:
        connection.execute(sa.insert(table(name)), row)


def fill(
    path: Path, sheet: str, key: str, cells: Mapping[str, Mapping[str, Any]], extra: list[dict[str, Any]] | None = None
) -> Path:
    """The workbook with cells filled in by key, as a person saves it; `extra` rows at the end."""
    book = calamine.CalamineWorkbook.from_path(str(path))
    filled = path.with_name(f"filled-{path.name}")
    out = xlsxwriter.Workbook(str(filled))
    dates = out.add_format({"num_format": "dd/mm/yyyy"})
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        page = out.add_worksheet(name)
        if not rows:
            continue
        header = [str(cell) for cell in rows[0]]
        if name == sheet:
            for row in rows[1:]:
                for column, value in cells.get(str(row[header.index(key)]), {}).items():
                    row[header.index(column)] = value
            rows += [[each.get(column, "") for column in header] for each in extra or []]
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, date):
                    page.write_datetime(number, place, cell, dates)
                elif cell != "":
                    page.write(number, place, cell)
    out.close()
    return filled


@pytest.fixture
def take(
    installation: Installation, database: sa.Engine, settings: Settings, tmp_path: Path, change: object
) -> Callable[..., Taken]:
    """Exports the work list, fills it in and reads it back."""
    for own in "ABC":
        put(database, "debt_positions", view="right", id_documento=own, progressivo_registrazione=f"P{own}")
    put(database, "match_proposals", id_documento="X1", progressivo_registrazione="PX1", score=90, rank=1, alternatives=0)
    put(database, "debt_positions", view="right", id_documento="X1", progressivo_registrazione=None)
    put(database, "debt_positions", view="pcc", id_documento=None, progressivo_registrazione="PX1")

    def taking(sheet: str, key: str, cells: Mapping[str, Mapping[str, Any]], who: str = "rossi", **more: Any) -> Taken:
        export_worklist(database, "alfa", str(tmp_path / "work.xlsx"))
        file = fill(tmp_path / "work.xlsx", sheet, key, cells, **more)
        judged = judge(installation, "alfa")
        return import_decisions(database, "alfa", file, who=who, judge=judged)

    return taking


def test_decisions_in_a_work_list_are_taken_once(database: sa.Engine, take: Callable[..., Taken]) -> None:
    cells = {
        "a1": {"decisione": "MODIFICA E APPROVA", "natura_spesa": "CA", "motivo": "spesa in conto capitale"},
        "a2": {"decisione": "approva"},
        "b1": {"decisione": "RIFIUTA"},
        "c1": {"decisione": "MODIFICA", "data_scadenza": date(2025, 3, 1)},
    }
    done = take("Operazioni", "operation_id", cells)
    assert (done.written, done.already, done.errors) == (5, 0, [])
    assert states(database) == {"a1": "approved", "a2": "approved", "b1": "refused", "c1": "proposed"}
    assert one(database, "a1")["natura_spesa"] == "CA"
    assert one(database, "c1")["data_scadenza"] == date(2025, 3, 1)
    again = take("Operazioni", "operation_id", cells)
    assert (again.written, again.errors) == (0, [])


def test_wrong_lines_are_told_and_the_others_taken(database: sa.Engine, take: Callable[..., Taken]) -> None:
    cells = {
        "a1": {"decisione": "FORSE"},
        "a2": {"decisione": "MODIFICA", "importo": 5000},
        "b1": {"decisione": "APPROVA"},
        "c1": {"decisione": "MODIFICA"},
    }
    extra = [{"decisione": "APPROVA", "operation_id": "gone"}, {"decisione": "RIFIUTA", "operation_id": "b1"}]
    done = take("Operazioni", "operation_id", cells, extra=extra)
    assert done.written == 1
    told = dict(done.errors)
    assert "decisione «FORSE» sconosciuta" in told["Operazioni, riga 2"]
    assert "supera i 1300.00 del conto liquidato" in told["Operazioni, riga 3"]
    assert "nessun valore è diverso" in told["Operazioni, riga 4"]
    assert "non è più proposta" in told["Operazioni, riga 6"]
    assert "riga 5 dice APPROVA, qui RIFIUTA" in told["Operazioni, riga 7"]
    assert len(told) == 5


def test_pairs_in_a_work_list(database: sa.Engine, take: Callable[..., Taken]) -> None:
    extra = [
        {"decisione": "ABBINA", "id_documento": "A", "progressivo_registrazione": "PNOWHERE"},
        {"decisione": "SEPARA", "id_documento": "B", "progressivo_registrazione": "PB"},
        {"decisione": "ACCETTA", "id_documento": "A", "progressivo_registrazione": "PA"},
    ]
    done = take("Abbinamenti", "id_documento", {"X1": {"decisione": "ACCETTA"}}, extra=extra)
    found = snapshot(database, "alfa")["decided_match_decisions"].to_pylist()
    assert {(row["id_documento"], row["verdict"]) for row in found} == {("X1", "pair"), ("B", "split")}
    assert [why.split(":")[0] for _, why in done.errors] == ["documento sconosciuto", "A e PA non sono più una proposta"]


def test_a_file_that_is_no_work_list(database: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a;b\n1;2\n")
    with pytest.raises(UnreadableError, match="nessuna colonna"):
        import_decisions(database, "alfa", tmp_path / "x.csv", who="rossi")
    (tmp_path / "x.xlsx").write_text("no workbook")
    with pytest.raises(UnreadableError, match="non è un file Excel"):
        import_decisions(database, "alfa", tmp_path / "x.xlsx", who="rossi")


def test_a_csv_of_decisions(database: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("decisione;operation_id;motivo\nAPPROVA;a1;già verificata\n", encoding="cp1252")
    assert import_decisions(database, "alfa", tmp_path / "d.csv", who="rossi").written == 1
    assert one(database, "a1")["reason"] == "già verificata"


@pytest.fixture
def answer(installation: Installation, database: sa.Engine, settings: Settings, tmp_path: Path) -> Callable[..., Any]:
    """Exports the questions, fills answers in by document and reads them back."""
    for code, own, theirs in (
        ("WRONG_BENEFICIARY", "W", "PW"),
        ("NOT_ON_OPEN_LIST", "N", "PN"),
        ("MISSING_IN_ERP", None, "PM"),
        ("AMOUNT_DIFFERS", "D", "PD"),
        ("MUST_STAY_OPEN", "A", "PA"),
    ):
        put(
            database,
            "questions",
            code=code,
            id_documento=own,
            progressivo_registrazione=theirs,
            severity="high",
            question="?",
            original_creditor="00000000001",
            numero=f"12/{own}",
            addressee="ENTE",
        )
    put(database, "debt_positions", view="right", id_documento="LONE", progressivo_registrazione=None)

    def answering(cells: Mapping[str, Mapping[str, Any]], who: str = "verdi") -> Any:
        assert export_questions(database, "alfa", str(tmp_path / "q.xlsx")) == 5
        file = fill(tmp_path / "q.xlsx", "Domande", "progressivo_registrazione", cells)
        return read_answers(installation, "alfa", file, who=who)

    return answering


def test_answers_become_special_cases_and_decisions(database: sa.Engine, answer: Callable[..., Any]) -> None:
    cells = {
        "PW": {
            "risposta": "CESSIONE",
            "valore": f"IT {BANK}",
            "dal": date(2025, 1, 1),
            "ambito": "FORNITORE",
            "nota": "atto 12",
        },
        "PN": {"risposta": "CONTENZIOSO", "dal": "01/06/2024"},
        "PM": {"risposta": "ABBINA", "valore": "LONE"},
        "PD": {"risposta": "SEPARA"},
        "PA": {"risposta": "APPROVA"},
    }
    done = answer(cells)
    assert (done.decisions, done.cases, done.notes, done.errors) == (4, 2, 0, [])
    delivered = done.delivered.read_text(encoding="utf-8").splitlines()
    assert delivered == [
        "piva_fornitore;cf_fornitore;numero;data_emissione;importo;caso;nuovo_creditore_cf;nuovo_creditore_piva;"
        "nuovo_creditore_denominazione;decorrenza;nota",
        f"00000000001;;;;;CESSIONE;;{BANK};;2025-01-01;atto 12",
        "00000000001;;12/N;2025-01-10;;CONTENZIOSO;;;;2024-06-01;",
    ]
    assert done.delivered.parent.name == "special_cases"
    found = snapshot(database, "alfa")["decided_match_decisions"].to_pylist()
    assert {(row["id_documento"], row["progressivo_registrazione"], row["verdict"]) for row in found} == {
        ("LONE", "PM", "pair"),
        ("D", "PD", "split"),
    }
    assert {name for name, state in states(database).items() if state == "approved"} == {"a1", "a2"}
    again = answer(cells)
    assert (again.decisions, again.cases, again.already, again.errors) == (0, 0, 5, [])
    assert again.delivered.read_bytes() == done.delivered.read_bytes()


def test_an_answer_to_a_question_settled_since_is_known(
    installation: Installation, database: sa.Engine, answer: Callable[..., Any], settings: Settings, tmp_path: Path
) -> None:
    answer({"PD": {"risposta": "SEPARA"}})
    with database.begin() as connection:
        connection.execute(sa.text("delete from pcc.questions where code in ('AMOUNT_DIFFERS', 'MUST_STAY_OPEN')"))
    done = read_answers(installation, "alfa", tmp_path / "filled-q.xlsx", who="verdi")
    assert (done.already, done.errors) == (1, [])


@pytest.mark.parametrize(
    ("key", "cells", "why"),
    [
        ("PW", {"risposta": "BOH"}, "risposta «BOH» sconosciuta"),
        ("PW", {"risposta": "CESSIONE", "valore": BANK}, "manca la data in «dal»"),
        ("PW", {"risposta": "CESSIONE", "valore": "12345", "dal": "01/01/2025"}, "12345 non lo è"),
        ("PW", {"risposta": "CESSIONE", "valore": BANK, "dal": "31/02/2025"}, "non è una data"),
        ("PM", {"risposta": "ABBINA", "valore": "NOWHERE"}, "NOWHERE non lo è"),
        ("PD", {"risposta": "ABBINA", "valore": "LONE"}, "già abbinati"),
        ("PM", {"risposta": "SEPARA"}, "non è abbinato a nessuno"),
        ("PD", {"risposta": "NOTA"}, "la nota è vuota"),
        ("PN", {"risposta": "CONTENZIOSO", "dal": "01/06/2024", "ambito": "TUTTI"}, "ambito «TUTTI»"),
        ("PN", {"risposta": "APPROVA"}, "nessuna operazione proposta"),
    ],
)
def test_a_wrong_answer_is_told_by_line_in_italian(
    answer: Callable[..., Any], key: str, cells: Mapping[str, Any], why: str
) -> None:
    done = answer({key: cells})
    ((place, said),) = done.errors
    assert place.startswith("Domande, riga ")
    assert why in said
    assert done.delivered is None


def test_a_second_person_reads_the_same_work_list(database: sa.Engine, take: Callable[..., Taken]) -> None:
    take("Operazioni", "operation_id", {"b1": {"decisione": "APPROVA"}}, who="rossi")
    assert states(database)["b1"] == "waiting"
    take("Operazioni", "operation_id", {"b1": {"decisione": "APPROVA"}}, who="bianchi")
    assert states(database)["b1"] == "approved"
    assert decide_operations(database, "alfa", "approve", Selection(("b1",)), who="verdi").written == 0
    assert one(database, "b1")["importo"] == Decimal(90_000)
