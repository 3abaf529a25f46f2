"""Whether changed operations are still what PCC would accept: values by action, amounts within the source account.

The accounts a document starts from are the model `remedies`' (Parquet); the movements are docs/rules.md#rule-3. The simulation
of all operations is the model `ledger`; here only the documents of changed operations are walked through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.calculator import prepared, source
from pcc_pipeline.formats.conventions import DAY_FIRST, DECIMALS, read_amount, read_date, settle
from pcc_pipeline.formats.pcc.values import NOT_APPLICABLE, problem
from pcc_pipeline.installation import Installation
from pcc_pipeline.review.operations import Judge, reviewed
from pcc_pipeline.review.pairs import DecisionError
from pcc_pipeline.rules import causali, rule_rows
from pcc_pipeline.tables.common import NATURES
from pcc_pipeline.tables.decisions import CHANGES

_ACCOUNTS = {"unbooked": "ricevuto", "liquidated": "liquidato", "suspended": "sospeso", "not_payable": "non_liquidabile"}

#: What a person may change.
CHANGED = tuple(column.name for column in CHANGES)

#: Which values a line of each action bears.
BY_ACTION = {
    "CO": {"importo", "natura_spesa", "causale", "descrizione", "cig", "cup"},
    "CP": {"importo", "natura_spesa", "descrizione", "cig", "cup", "data_mandato"},
    "CS": {"data_scadenza"},
    "RC": {"data_ricezione"},
    "RF": {"data_rifiuto", "descrizione"},
    # A SID says the whole state of its document, and the other rows of today's models have no value: nothing to change.
    "IP": {"importo", "natura_spesa", "cig", "cup", "data_mandato"},
    "SID": set(),
    "MI": set(),
    "CH": set(),
    "RS": set(),
    "RT": set(),
}


@cache
def _movements() -> dict[tuple[str, str], dict[str, str]]:
    """What moves money, by action and state of debt: from which account to which, and what must be NA."""
    return {(row["azione"], row["stato_debito"]): row for row in rule_rows("debt_movements")}


def _movement(row: Mapping[str, Any]) -> dict[str, str]:
    return _movements().get((row["azione"], row["stato_debito"] or ""), {})


def read_changes(given: Mapping[str, Any]) -> dict[str, object]:
    """Values as written (text, numbers, dates) as typed changes; blank ones are left out, `-` empties a text.

    Raises DecisionError naming the field.
    """
    found: dict[str, object] = {}
    for name, value in given.items():
        text = str(value).strip() if value is not None else ""
        if not text:
            continue
        if name == "importo":
            found[name] = amount(value)
        elif name.startswith("data_"):
            found[name] = day(value, name)
        else:
            found[name] = "" if text == "-" else text if name == "descrizione" else text.upper()
    if found.get("natura_spesa", NOT_APPLICABLE) not in NATURES:
        raise DecisionError("natura_spesa: CO, CA o NA")
    if found.get("causale", "") not in ("", *causali()):
        raise DecisionError(f"causale: {', '.join(causali())}, oppure - per nessuna")
    for name, length in (("cig", 10), ("cup", 15)):
        if name in found and problem(name, str(found[name])):
            raise DecisionError(f"{name}: {length} lettere o cifre, oppure NA")
    return found


def amount(value: object, name: str = "importo") -> Decimal:
    """An amount in euro written as in a delivered table (`formats.conventions`), or a number; two decimals at most.

    Raises DecisionError, also where it may mean two amounts (1.234).
    """
    if isinstance(value, str):
        read = read_amount(value.strip())
        if read.value is not None:
            return Decimal(read.value)
        if any(meaning.value is not None for _, meaning in read.meanings):
            raise DecisionError(f"{name}: {value!r} può voler dire due importi: scrivere 1.234,00 oppure 1,23")
        reasons = {read.reason, *(meaning.reason for _, meaning in read.meanings)}
        wrong = "ha più di due decimali" if DECIMALS in reasons else "non è un importo"
        raise DecisionError(f"{name}: {value!r} {wrong}")
    try:
        found = Decimal(str(value))
        cents = found.quantize(Decimal("0.01"))
    except InvalidOperation:
        raise DecisionError(f"{name}: {value!r} non è un importo") from None
    if abs(found - cents) > Decimal("0.000001") or (not isinstance(value, float) and found != cents):
        raise DecisionError(f"{name}: {value!r} ha più di due decimali")
    return cents


def day(value: object, name: str = "data") -> date:
    """A date written as in a delivered table (`formats.conventions`), the day before the month, or one already. Raises
    DecisionError."""
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    read = settle(read_date(str(value).strip()), frozenset([DAY_FIRST]))
    if not isinstance(read.value, date):
        raise DecisionError(f"{name}: {value!r} non è una data (gg/mm/aaaa)")
    return read.value


def judge(installation: Installation, ente: str) -> Judge:
    """What judges changed operations of an ente (see `operation_decisions.decide_operations`)."""

    def judged(connection: sa.Connection, operations: Sequence[str]) -> None:
        every = reviewed(connection, ente)
        asked = set(operations)
        touched = {_document(row) for row in every if row["operation_id"] in asked}
        for row in every:
            if row["operation_id"] in asked:
                _values(row)
        starts = _accounts(installation, ente, touched)
        for document in touched:
            _walk([row for row in every if _document(row) == document], starts.get(document))

    return judged


def _document(row: Mapping[str, Any]) -> tuple[str | None, str | None]:
    return row["id_documento"], row["progressivo_registrazione"]


def _values(row: Mapping[str, Any]) -> None:
    changed = {name for name in CHANGED if row[f"changed_{name}"] is not None}
    allowed = BY_ACTION[row["azione"]] | ({"data_scadenza"} if row["model"] == "002" else set())
    where = f"operazione {row['operation_id']}"
    if wrong := sorted(changed - allowed):
        raise DecisionError(f"{where}: una {row['azione']} non porta {', '.join(wrong)}")
    state, movement = row["stato_debito"], _movement(row)
    if movement.get("natura_na") == "true" and row["natura_spesa"] not in (None, NOT_APPLICABLE):
        raise DecisionError(f"{where}: per {state} la natura di spesa è NA (E255)")
    if movement.get("cig_na") == "true" and {row["cig"], row["cup"]} - {None, NOT_APPLICABLE}:
        raise DecisionError(f"{where}: per {state} CIG e CUP sono NA")
    if row["importo"] is not None and row["importo"] <= 0:
        raise DecisionError(f"{where}: l'importo deve essere positivo")
    if row["azione"] == "IP" and row["importo"] > row["proposed_importo"]:
        raise DecisionError(f"{where}: a PCC mancano {row['proposed_importo']}, non {row['importo']}")


def _walk(rows: Sequence[Mapping[str, Any]], start: Mapping[str, Decimal] | None) -> None:
    """One document's operations in order, refused and held ones left out: no account may go below zero."""
    accounts = dict(start or {"ricevuto": rows[0]["importo_totale"]})
    for row in sorted(rows, key=lambda each: each["step"]):
        if row["state"] == "refused" or row["held"] or row["azione"] not in ("CO", "CP") or row["importo"] is None:
            continue
        movement = _movement(row)
        origin = movement["from_account"]
        there = accounts.get(origin, Decimal(0))
        if row["importo"] > there:
            raise DecisionError(
                f"operazione {row['operation_id']} (passo {row['step']}): {row['importo']} supera i {there} del "
                f"conto {origin.replace('_', ' ')} da cui parte"
            )
        accounts[origin] = there - row["importo"]
        if row["azione"] == "CO":
            accounts[movement["to_account"]] = accounts.get(movement["to_account"], Decimal(0)) + row["importo"]


def _accounts(
    installation: Installation, ente: str, documents: set[tuple[str | None, str | None]]
) -> dict[tuple[str | None, str | None], dict[str, Decimal]]:
    with prepared(installation.settings, installation.store) as connection:
        start = [f"coalesce({name}, 0)" for name in _ACCOUNTS if name != "unbooked"]
        start.insert(0, "if(new_on_pcc, commercial_amount, coalesce(unbooked, 0))")
        remedies = source(installation.store, ente, "remedies")
        query = (
            f"select id_documento, progressivo_registrazione, {', '.join(start)} from {remedies} "
            "where list_contains($1, id_documento) or list_contains($2, progressivo_registrazione)"
        )
        ours, theirs = [own for own, _ in documents if own], [other for _, other in documents if other]
        rows = connection.execute(query, [ours, theirs]).fetchall()
    return {(own, other): dict(zip(_ACCOUNTS.values(), amounts, strict=True)) for own, other, *amounts in rows}
