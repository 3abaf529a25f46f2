"""The work list as a workbook, and the decisions written in it read back, good lines taken and bad ones told.

Reading the same file twice changes nothing. What a decision does is in `pcc_pipeline.database`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from pcc_pipeline.italian import OPERATION_STATES
from pcc_pipeline.review.amounts import BY_ACTION, read_changes
from pcc_pipeline.review.operations import (
    Judge,
    Selection,
    decide_operations,
    reviewed,
    stale_operations,
)
from pcc_pipeline.review.pairs import DecisionError, Pair, decide_pairs, standing_pairs
from pcc_pipeline.review.proposals import known_documents, proposals
from pcc_pipeline.review.sheets import Line, UnreadableError, WorkSheet, read, write
from pcc_pipeline.tables.decisions import CHANGES

OPERATIONS, PAIRS, STANDING = "Operazioni", "Abbinamenti", "Decisioni superate"
_EDITABLE = tuple(column.name for column in CHANGES)
_DECISIONS = ("APPROVA", "RIFIUTA", "MODIFICA", "MODIFICA E APPROVA")
_PAIR_DECISIONS = {"ABBINA": "pair", "ACCETTA": "accept", "SEPARA": "split"}

_COLUMNS = (
    *("decisione", "motivo", "stato", "approvata_da", "operation_id", "codice", "id_documento", "progressivo_registrazione"),
    *("passo", "azione", "stato_debito", "fornitore", "denominazione", "numero", "data_emissione", "totale", "effetto_stock"),
    *("numero_mandato", *_EDITABLE),
)
_STANDING_COLUMNS = ("operation_id", "codice", "id_documento", "progressivo_registrazione", "azione", "stato", "deciso_da")
_PAIR_COLUMNS = (
    "decisione",
    "motivo",
    "id_documento",
    "progressivo_registrazione",
    "punti",
    "alternative",
    "fornitore",
    "denominazione",
    "spiegazione",
    "numero_gestionale",
    "numero_pcc",
    "data_gestionale",
    "data_pcc",
    "totale_gestionale",
    "totale_pcc",
)


@dataclass
class Taken:
    """What a file of decisions did: decisions written, those that stood already, and errors by line."""

    written: int = 0
    already: int = 0
    errors: list[tuple[str, str]] = field(default_factory=list)


def export_worklist(engine: sa.Engine, ente: str, out: IO[bytes] | str) -> dict[str, int]:
    """Writes the ente's work list (.xlsx): operations, proposed pairs, words that no longer apply. Returns rows by sheet."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        operations = [_operation(row) for row in reviewed(connection, ente)]
        pairs = [_pair(row) for row in proposals(connection, ente)]
        stale = [
            {
                "operation_id": row["operation_id"],
                "codice": row["code"],
                "id_documento": row["id_documento"],
                "progressivo_registrazione": row["progressivo_registrazione"],
                "azione": row["azione"],
                "stato": OPERATION_STATES[row["state"]],
                "deciso_da": row["decided_by"],
            }
            for row in stale_operations(connection, ente)
        ]
    write(
        out,
        [
            WorkSheet(OPERATIONS, _COLUMNS, operations, {"decisione": _DECISIONS}, ("decisione", "motivo", *_EDITABLE)),
            WorkSheet(PAIRS, _PAIR_COLUMNS, pairs, {"decisione": tuple(_PAIR_DECISIONS)}, ("decisione", "motivo")),
            WorkSheet(STANDING, _STANDING_COLUMNS, stale),
        ],
    )
    return {OPERATIONS: len(operations), PAIRS: len(pairs), STANDING: len(stale)}


def import_decisions(engine: sa.Engine, ente: str, path: Path, *, who: str, judge: Judge | None = None) -> Taken:
    """Takes the decisions of a work list (.xlsx, or one of its tables as .csv). Raises UnreadableError for another file."""
    taken = Taken()
    tables = read(path)
    known = 0
    for lines in tables.values():
        columns = {name for line in lines for name in line.cells}
        if "decisione" not in columns:
            continue
        known += 1
        if "operationid" in columns:
            _take_operations(engine, ente, lines, who, judge, taken)
        else:
            _take_pairs(engine, ente, lines, who, taken)
    if not known:
        raise UnreadableError(f"{path.name}: nessuna colonna «decisione» compilata: è l'elenco scritto da pcc review export?")
    return taken


def _take_operations(engine: sa.Engine, ente: str, lines: Sequence[Line], who: str, judge: Judge | None, taken: Taken) -> None:
    with engine.connect() as connection:
        proposed = {row["operation_id"]: row for row in reviewed(connection, ente)}
    alike: dict[tuple[str, str], list[tuple[Line, str]]] = defaultdict(list)
    for line, name, word in _words(lines, "operation_id", _DECISIONS, taken):
        row = proposed.get(name)
        if row is None:
            taken.errors.append((line.place, f"l'operazione {name} non è più proposta: i dati sono cambiati"))
        elif word in ("APPROVA", "RIFIUTA"):
            if row["sent"] not in (None, "refused"):
                taken.errors.append((line.place, f"l'operazione {name} è già stata inviata a PCC"))
            elif word == "APPROVA" and row["held"]:
                taken.errors.append((line.place, f"l'operazione {name} attende un passo precedente che è stato rifiutato"))
            else:
                alike[word, line.text("motivo")].append((line, name))
        else:
            _change(engine, ente, line, row, word, who, judge, taken)
    for (word, reason), group in alike.items():
        verdict = "approve" if word == "APPROVA" else "refuse"
        names = Selection(tuple(name for _, name in group))
        places = f"{group[0][0].place} e altre {len(group) - 1}" if len(group) > 1 else group[0][0].place

        def decide(verdict: str = verdict, names: Selection = names, reason: str = reason) -> Any:
            return decide_operations(engine, ente, verdict, names, who=who, reason=reason or None)

        _count(places, decide, taken)


def _change(
    engine: sa.Engine, ente: str, line: Line, row: Mapping[str, Any], word: str, who: str, judge: Judge | None, taken: Taken
) -> None:
    def decide() -> Any:
        values = read_changes({name: line.value(name) for name in _EDITABLE})
        # The list was written with the present values: what differs was changed. `-` empties, a blank changes nothing.
        changed = {name: value for name, value in values.items() if (row[name] or "") != value}
        outside = set(changed) - BY_ACTION[row["azione"]] - ({"data_scadenza"} if row["model"] == "002" else set())
        if outside:
            raise DecisionError(f"una {row['azione']} non porta {', '.join(sorted(outside))}")
        name, reason = Selection((row["operation_id"],)), line.text("motivo") or None
        if not changed and word == "MODIFICA":
            if row["changed_importo"] is None and not any(row[f"changed_{c}"] is not None for c in _EDITABLE):
                raise DecisionError("MODIFICA, ma nessun valore è diverso da quello proposto")
            taken.already += 1
            return None
        done = None
        if changed:
            done = decide_operations(engine, ente, "change", name, who=who, changes=changed, reason=reason, judge=judge)
        if word == "MODIFICA":
            return done
        taken.written += done.written if done else 0
        return decide_operations(engine, ente, "approve", name, who=who, reason=reason)

    _count(line.place, decide, taken)


def _take_pairs(engine: sa.Engine, ente: str, lines: Sequence[Line], who: str, taken: Taken) -> None:
    with engine.connect() as connection:
        proposed = {(row["id_documento"], row["progressivo_registrazione"]) for row in proposals(connection, ente)}
        standing = {(row["id_documento"], row["progressivo_registrazione"]) for row in standing_pairs(connection, ente)}
        named = {line.text("id_documento") for line in lines} | {line.text("progressivo_registrazione") for line in lines}
        known = known_documents(connection, ente, named)
    for line, name, word in _words(lines, "id_documento", tuple(_PAIR_DECISIONS), taken):
        pair = Pair(name, line.text("progressivo_registrazione"))
        keys = (pair.id_documento, pair.progressivo_registrazione)
        if not pair.progressivo_registrazione:
            taken.errors.append((line.place, "manca il progressivo_registrazione"))
        elif word == "ACCETTA" and keys not in proposed | standing:
            taken.errors.append((line.place, f"{name} e {keys[1]} non sono più una proposta: per abbinarli scrivere ABBINA"))
        elif unknown := [key for key in keys if key not in known]:
            taken.errors.append((line.place, f"documento sconosciuto: {', '.join(unknown)}"))
        else:

            def decide(pair: Pair = pair, word: str = word, line: Line = line) -> Any:
                return decide_pairs(engine, ente, _PAIR_DECISIONS[word], [pair], who=who, reason=line.text("motivo") or None)

            _count(line.place, decide, taken)


def _words(lines: Sequence[Line], key: str, allowed: Sequence[str], taken: Taken) -> Iterator[tuple[Line, str, str]]:
    """Lines with a decision: the key and the decision; the rest of what is wrong with a line is told."""
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for line in lines:
        word, name = " ".join(line.text("decisione").upper().split()), line.text(key)
        if not word:
            continue
        identity = (name, line.text("progressivo_registrazione") if key == "id_documento" else "")
        before = seen.setdefault(identity, (word, line.place))
        if word not in allowed:
            taken.errors.append((line.place, f"decisione «{word}» sconosciuta: {', '.join(allowed)}"))
        elif not name:
            taken.errors.append((line.place, f"manca {key}"))
        elif before[0] != word:
            taken.errors.append((line.place, f"{name}: {before[1]} dice {before[0]}, qui {word}"))
        elif before[1] == line.place:
            yield line, name, word


def _count(place: str, decide: Callable[[], Any], taken: Taken) -> None:
    try:
        done = decide()
    except DecisionError as error:
        taken.errors.append((place, str(error)))
        return
    if done is not None:
        taken.written += done.written
        taken.already += done.already


def _operation(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{
            name: row[name]
            for name in (
                "operation_id",
                "id_documento",
                "progressivo_registrazione",
                "azione",
                "stato_debito",
                "data_emissione",
                "numero_mandato",
                *_EDITABLE,
            )
        },
        "stato": OPERATION_STATES[row["shown"]],
        "approvata_da": ", ".join(row["approvers"] or ()) or None,
        "codice": row["code"],
        "passo": row["step"],
        "fornitore": row["original_creditor"],
        "denominazione": row["denominazione_fornitore"],
        "numero": row["numero_documento"],
        "totale": row["importo_totale"],
        "effetto_stock": row["stock_effect"],
    }


def _pair(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id_documento": row["id_documento"],
        "progressivo_registrazione": row["progressivo_registrazione"],
        "punti": row["score"],
        "alternative": row["alternatives"],
        "fornitore": row["creditor"],
        "denominazione": row["creditor_name"],
        "spiegazione": row["explanation"],
        "numero_gestionale": row["erp_number"],
        "numero_pcc": row["pcc_number"],
        "data_gestionale": row["erp_issue_date"],
        "data_pcc": row["pcc_issue_date"],
        "totale_gestionale": row["erp_total"],
        "totale_pcc": row["pcc_total"],
    }
