"""The questions to the ente as a workbook, and its answers read back: a special case, a decision, or a note.

Which answers there are and what each needs is data (rule_answers). A special case becomes a delivery through the inbox,
like the ente's own; the same answers read twice are one delivery and one decision.
"""

from __future__ import annotations

import csv
import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from pcc_pipeline.arrival.delivery import deliver
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.italian import SEVERITIES
from pcc_pipeline.review.amounts import day
from pcc_pipeline.review.operations import Judge, Selection, decide_operations
from pcc_pipeline.review.pairs import DecisionError, Pair, decide_pairs, deciding, person
from pcc_pipeline.review.proposals import known_documents
from pcc_pipeline.review.sheets import Line, UnreadableError, WorkSheet, read, write
from pcc_pipeline.rules import anomaly_titles, rule_rows
from pcc_pipeline.settings import Settings

QUESTIONS, LEGEND = "Domande", "Risposte possibili"
_COLUMNS = (
    *("risposta", "valore", "dal", "ambito", "nota", "domanda", "codice", "id_documento", "progressivo_registrazione"),
    *("a_chi", "gravita", "importo", "resta", "fornitore", "creditore", "numero", "data_emissione"),
    *("risposto_da", "risposto_il"),
)
_EDITABLE = _COLUMNS[:5]
_SCOPES = ("DOCUMENTO", "FORNITORE")
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
        told = _told(connection, ente)
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
    """Takes the answers of a questionnaire: good lines do what they say, bad ones are told by line. `approving` has the last
    word on what an answer approves.

    Raises UnreadableError for a file that is no questionnaire, DecisionError without a name.
    """
    who, done = person(who), Answered()
    lines = [line for rows in read(path).values() for line in rows if "risposta" in line.cells and "codice" in line.cells]
    if not lines:
        raise UnreadableError(f"{path.name}: nessuna risposta: è il questionario scritto da pcc review questions?")
    with installation.engine.connect() as connection:
        asked = {_identity(question): question for question in _questions(connection, ente)}
        told = _told(connection, ente)
        known = known_documents(connection, ente, {line.text("valore") for line in lines})
    cases: list[_Answer] = []
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
                continue
            _act(installation.engine, ente, given, who, done, cases, approving)
            _keep(installation.engine, ente, given, who)
        except DecisionError as error:
            done.errors.append((line.place, str(error)))
    if cases:
        done.delivered = _deliver(installation.settings, ente, cases)
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
) -> None:
    own, other = given.question["id_documento"], given.question["progressivo_registrazione"]
    reason = given.note or f"risposta a {given.question['code']}"
    match given.rule["effect"]:
        case "pair":
            pair = Pair(own or given.value, other or given.value)
            done.decisions += decide_pairs(engine, ente, "pair", [pair], who=who, reason=reason).written
        case "split":
            done.decisions += decide_pairs(engine, ente, "split", [Pair(own, other)], who=who, reason=reason).written
        case "approve" | "refuse" as verdict:
            chosen = Selection(document=own or other)
            judge = approving if verdict == "approve" else None
            done.decisions += decide_operations(engine, ente, verdict, chosen, who=who, reason=reason, judge=judge).written
        case "case":
            cases.append(given)
            done.cases += 1
        case _:
            done.notes += 1


def _keep(engine: sa.Engine, ente: str, given: _Answer, who: str) -> None:
    row = {
        "ente": ente,
        **{name: given.question[name] for name in _KEY},
        "answer": given.rule["answer"],
        "value": given.value or None,
        "in_force_from": given.since,
        "whole_supplier": given.whole_supplier,
        "reason": given.note or None,
        "decided_by": who,
    }
    with deciding(engine, ente) as connection:
        connection.execute(sa.insert(table("answers")).values(decided_at=sa.func.clock_timestamp()), row)


def _deliver(settings: Settings, ente: str, cases: Sequence[_Answer]) -> Path:
    """The special cases as a file in the ente's inbox; its name says its content, and the same content is one delivery."""
    header = (
        "piva_fornitore", "cf_fornitore", "numero", "data_emissione", "importo", "caso", "nuovo_creditore_cf",
        "nuovo_creditore_piva", "nuovo_creditore_denominazione", "decorrenza", "nota",
    )  # fmt: skip
    rows = []
    for given in cases:
        supplier, creditor = given.question["original_creditor"], given.value if given.rule["value"] == "creditor" else ""
        whole = given.whole_supplier
        rows.append(
            {
                "piva_fornitore": supplier if supplier.isdigit() else "",
                "cf_fornitore": "" if supplier.isdigit() else supplier,
                "numero": "" if whole else given.question["numero"],
                "data_emissione": "" if whole else given.question["data_emissione"].isoformat(),
                "caso": given.rule["answer"],
                "nuovo_creditore_piva": creditor if creditor.isdigit() else "",
                "nuovo_creditore_cf": "" if creditor.isdigit() else creditor,
                "decorrenza": given.since.isoformat() if given.since else "",
                "nota": given.note,
            }
        )
    rows.sort(key=lambda row: tuple(str(row[name]) for name in sorted(row)))
    with tempfile.TemporaryDirectory(prefix="pcc-") as folder:
        file = Path(folder) / "risposte.csv"
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, header, delimiter=";", restval="")
            writer.writeheader()
            writer.writerows(rows)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        named = file.rename(file.with_name(f"risposte-{digest}.csv"))
        return deliver(settings.inbox, ente, "special_cases", named)


def _questions(connection: sa.Connection, ente: str) -> list[dict[str, Any]]:
    query = """
        select * from pcc.questions where ente = :ente
        order by abs(remaining) desc, code, id_documento, progressivo_registrazione
    """
    return [dict(row) for row in connection.execute(sa.text(query), {"ente": ente}).mappings()]


def _told(connection: sa.Connection, ente: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The latest answer to each question."""
    query = sa.text("select * from pcc.answers where ente = :ente order by decision")
    return {_identity(row): dict(row) for row in connection.execute(query, {"ente": ente}).mappings()}


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
