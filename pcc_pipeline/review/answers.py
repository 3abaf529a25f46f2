"""The questions to the ente as a workbook, and its answers read back: a special case, a decision, or a note.

Which answers there are and what each needs is data (rule_answers). A special case becomes a delivery through the inbox,
like the ente's own; the same answers read twice are one delivery and one decision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.italian import SEVERITIES
from pcc_pipeline.review.amounts import day
from pcc_pipeline.review.cases import AnsweredCase, deliver_cases
from pcc_pipeline.review.operations import Judge, OperationsDecided, Selection, decide_operations
from pcc_pipeline.review.pairs import Decided, DecisionError, Pair, append, decide_pairs, deciding, person
from pcc_pipeline.review.proposals import known_documents
from pcc_pipeline.review.sheets import Line, UnreadableError, WorkSheet, read, write
from pcc_pipeline.rules import anomaly_titles, rule_rows

QUESTIONS, LEGEND = "Domande", "Risposte possibili"
_COLUMNS = (
    *("risposta", "valore", "dal", "ambito", "nota", "domanda", "codice", "id_documento", "progressivo_registrazione"),
    *("a_chi", "gravita", "importo", "resta", "fornitore", "creditore", "numero", "data_emissione"),
    *("risposto_da", "risposto_il"),
)
_EDITABLE = _COLUMNS[:5]
_SCOPES = ("DOCUMENTO", "FORNITORE")
#: Effects of which something stands before the answer is kept.
_AT_ONCE = ("pair", "split", "approve", "refuse")
_KEY = ("code", "id_documento", "progressivo_registrazione")


@dataclass
class Answered:
    """What a file of answers did, and its errors by line."""

    decisions: int = 0
    cases: int = 0
    notes: int = 0
    already: int = 0
    delivered: Path | None = None
    errors: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Answer:
    line: Line
    question: Mapping[str, Any]
    rule: Mapping[str, str]
    value: str
    since: date | None
    whole_supplier: bool
    note: str


def answers() -> dict[str, dict[str, str]]:
    """The answers there are, by name (rule_answers)."""
    return {row["answer"]: row for row in rule_rows("answers")}


def export_questions(engine: sa.Engine, ente: str, out: IO[bytes] | str) -> int:
    """Writes the ente's open questions (.xlsx), the largest amounts first, with what was answered so far. Returns how many."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        told, _ = _told(connection, ente)
        rows = [_row(question, told.get(_identity(question))) for question in _questions(connection, ente)]
    legend = [{"risposta": name, "significato": rule["meaning"]} for name, rule in answers().items()]
    choices = {"risposta": tuple(answers()), "ambito": _SCOPES}
    write(
        out,
        [
            WorkSheet(QUESTIONS, _COLUMNS, rows, choices, _EDITABLE),
            WorkSheet(LEGEND, ("risposta", "significato"), legend),
        ],
    )
    return len(rows)


def read_answers(installation: Installation, ente: str, path: Path, *, who: str, approving: Judge | None = None) -> Answered:
    """Takes the answers of a questionnaire, as `take_answers` does.

    Raises UnreadableError for a file that is no questionnaire, DecisionError without a name.
    """
    who = person(who)
    lines = [line for rows in read(path).values() for line in rows if "risposta" in line.cells and "codice" in line.cells]
    if not lines:
        raise UnreadableError(f"{path.name}: nessuna risposta: è il questionario scritto da pcc review questions?")
    return take_answers(installation, ente, lines, who=who, approving=approving)


def take_answers(
    installation: Installation, ente: str, lines: Sequence[Line], *, who: str, approving: Judge | None = None,
    attached: Sequence[Mapping[str, Any]] = (),
) -> Answered:  # fmt: skip
    """Takes answers: good lines do what they say, bad ones are told by line. `approving` has the last word on what an answer
    approves; `attached` are files of all these answers, kept already: name, sha256, size.

    Raises DecisionError without a name.
    """
    who, done = person(who), Answered()
    with installation.engine.connect() as connection:
        asked = {_identity(question): question for question in _questions(connection, ente)}
        told, taken_back = _told(connection, ente)
        known = known_documents(connection, ente, {line.text("valore") for line in lines})
    cases: list[_Answer] = []
    kept: list[dict[str, Any]] = []
    for line in lines:
        try:
            identity = _named(line)
            before = told.get(identity)
            if identity not in asked and before is not None and before["answer"] == _word(line):
                done.already += 1  # answered, and since then settled
                continue
            given = _understood(line, asked, known)
            if before is not None and _same(given, before):
                done.already += 1
                if given.rule["effect"] == "case":
                    cases.append(given)
                if attached:
                    kept.append(_kept(ente, given, who, before["decisions"]))
                continue
            numbers = _act(installation.engine, ente, given, who, done, cases, approving)
            row = _kept(ente, given, who, ",".join(map(str, numbers)) or None)
            if given.rule["effect"] in _AT_ONCE:  # what it did stands already
                _keep(installation.engine, ente, [row], attached)
            else:
                kept.append(row)
        except DecisionError as error:
            done.errors.append((line.place, str(error)))
    _keep(installation.engine, ente, kept, attached)
    if cases:
        done.delivered = deliver_cases(installation.settings, ente, [_case(one, taken_back) for one in cases])
    return done


def _understood(line: Line, asked: Mapping[tuple[Any, ...], Mapping[str, Any]], known: set[str]) -> _Answer:
    word = _word(line)
    if word not in answers():
        raise DecisionError(f"risposta «{line.text('risposta')}» sconosciuta: {', '.join(answers())}")
    question = asked.get(_named(line))
    if question is None:
        raise DecisionError("la domanda non è più aperta: i dati sono cambiati dopo l'invio del questionario")
    scope = line.text("ambito").upper() or "DOCUMENTO"
    if scope not in _SCOPES:
        raise DecisionError(f"ambito «{scope}»: {' o '.join(_SCOPES)}")
    rule, value = answers()[word], line.text("valore")
    if rule["only_for"] and question["code"] != rule["only_for"]:
        raise DecisionError(f"{word}: risponde solo alla domanda «{anomaly_titles()[rule['only_for']]}»")
    since = day(line.value("dal"), "dal") if line.value("dal") else None
    own, other = question["id_documento"], question["progressivo_registrazione"]
    match rule["effect"]:
        case "case" if since is None:
            raise DecisionError(f"{word}: manca la data in «dal»")
        case "case" if rule["value"] == "creditor":
            value = _tax_id(value)
        case "pair":
            if own and other:
                raise DecisionError("ABBINA: i due documenti sono già abbinati; se non sono lo stesso, SEPARA")
            if value not in known:
                raise DecisionError(f"ABBINA: in «valore» serve un documento dell'altra parte, {value or 'niente'} non lo è")
        case "split" if not (own and other):
            raise DecisionError("SEPARA: il documento non è abbinato a nessuno")
        case "note" if not line.text("nota"):
            raise DecisionError("NOTA: la nota è vuota")
    return _Answer(line, question, rule, value, since, scope == "FORNITORE", line.text("nota"))


def _word(line: Line) -> str:
    return line.text("risposta").upper().replace(" ", "_")


def _named(line: Line) -> tuple[Any, ...]:
    """Which question a line answers."""
    return line.text("codice"), line.text("id_documento") or None, line.text("progressivo_registrazione") or None


def _tax_id(value: str) -> str:
    from pcc_pipeline.formats.tax_ids import is_right

    bare = "".join(letter for letter in value.upper() if letter.isalnum()).removeprefix("IT")
    bare = bare.zfill(11) if bare.isdigit() and bare else bare
    if not is_right(bare):
        raise DecisionError(f"in «valore» serve la partita IVA o il codice fiscale del creditore: {value or 'niente'} non lo è")
    return bare


def _act(
    engine: sa.Engine, ente: str, given: _Answer, who: str, done: Answered, cases: list[_Answer], approving: Judge | None
) -> tuple[int, ...]:
    """Does what an answer says; returns the numbers of the decisions made."""
    own, other = given.question["id_documento"], given.question["progressivo_registrazione"]
    reason = given.note or f"risposta a {given.question['code']}"
    decided: Decided | OperationsDecided | None = None
    match given.rule["effect"]:
        case "pair":
            decided = decide_pairs(
                engine, ente, "pair", [Pair(own or given.value, other or given.value)], who=who, reason=reason
            )
        case "split":
            decided = decide_pairs(engine, ente, "split", [Pair(own, other)], who=who, reason=reason)
        case "approve" | "refuse" as verdict:
            judge = approving if verdict == "approve" else None
            document = Selection(document=own or other)
            decided = decide_operations(engine, ente, verdict, document, who=who, reason=reason, judge=judge)
        case "case":
            cases.append(given)
            done.cases += 1
        case _:
            done.notes += 1
    done.decisions += decided.written if decided else 0
    return decided.numbers if decided else ()


def _kept(ente: str, given: _Answer, who: str, decisions: str | None) -> dict[str, Any]:
    """The row of an answer."""
    return {
        "ente": ente,
        **{name: given.question[name] for name in (*_KEY, "original_creditor", "numero", "data_emissione")},
        "answer": given.rule["answer"],
        "value": given.value or None,
        "in_force_from": given.since,
        "whole_supplier": given.whole_supplier,
        "decisions": decisions,
        "withdrawn": False,
        "reason": given.note or None,
        "decided_by": who,
    }


def _keep(engine: sa.Engine, ente: str, rows: Sequence[dict[str, Any]], attached: Sequence[Mapping[str, Any]]) -> None:
    """Appends answers, with the files attached to each."""
    if not rows:
        return
    with deciding(engine, ente) as connection:
        numbers = append(connection, "answers", rows)
        files = [{"ente": ente, "decision": number, **file} for number in numbers for file in attached]
        if files:
            connection.execute(sa.insert(table("answer_attachments")).inline(), files)


def _case(given: _Answer, taken_back: Mapping[tuple[Any, ...], int]) -> AnsweredCase:
    """What is delivered. A case that was taken back before and stands again is another content: its note says so."""
    times = taken_back.get(_identity(given.question), 0)
    again = f"di nuovo, dopo {times} annullamenti" if times > 1 else "di nuovo, dopo un annullamento" if times else ""
    whole = given.whole_supplier
    return AnsweredCase(
        given.rule["answer"],
        given.question["original_creditor"],
        None if whole else given.question["numero"],
        None if whole else given.question["data_emissione"],
        given.since,
        given.value if given.rule["value"] == "creditor" else "",
        "; ".join(part for part in (given.note, again) if part),
    )


def _questions(connection: sa.Connection, ente: str) -> list[dict[str, Any]]:
    query = """
        select * from pcc.questions where ente = :ente
        order by abs(remaining) desc, code, id_documento, progressivo_registrazione
    """
    return [dict(row) for row in connection.execute(sa.text(query), {"ente": ente}).mappings()]


def _told(connection: sa.Connection, ente: str) -> tuple[dict[tuple[Any, ...], dict[str, Any]], Counter[tuple[Any, ...]]]:
    """The answer that stands on each question, and how many times one was taken back."""
    query = sa.text("select * from pcc.answers where ente = :ente order by decision")
    told: dict[tuple[Any, ...], dict[str, Any]] = {}
    taken_back: Counter[tuple[Any, ...]] = Counter()
    for row in connection.execute(query, {"ente": ente}).mappings():
        if row["withdrawn"]:
            told.pop(_identity(row), None)
            taken_back[_identity(row)] += 1
        else:
            told[_identity(row)] = dict(row)
    return told, taken_back


def _identity(row: Mapping[str, Any] | sa.RowMapping) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def _same(given: _Answer, before: Mapping[str, Any]) -> bool:
    now = (given.rule["answer"], given.value or None, given.since, given.whole_supplier, given.note or None)
    return now == tuple(before[name] for name in ("answer", "value", "in_force_from", "whole_supplier", "reason"))


def _row(question: Mapping[str, Any], told: Mapping[str, Any] | None) -> dict[str, Any]:
    said = told or {}
    return {
        "risposta": said.get("answer"),
        "valore": said.get("value"),
        "dal": said.get("in_force_from"),
        "ambito": ("FORNITORE" if said.get("whole_supplier") else "DOCUMENTO") if said else None,
        "nota": said.get("reason"),
        "domanda": question["question"],
        "codice": question["code"],
        "a_chi": question["addressee"],
        "gravita": SEVERITIES[question["severity"]],
        "importo": question["amount"],
        "resta": question["remaining"],
        "fornitore": question["original_creditor"],
        "creditore": question["creditor_name"],
        "risposto_da": said.get("decided_by"),
        "risposto_il": said["decided_at"].date() if said else None,
        **{name: question[name] for name in ("id_documento", "progressivo_registrazione", "numero", "data_emissione")},
    }
