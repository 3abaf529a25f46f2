"""Runs small enti from a folder of inboxes, in this process without Dagster, and compares each with what is right.

A case is a folder `<case>/<kind>/<file>` with an `expected.toml` or `expected.md`. What differs is said in words.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import duckdb

from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.calculator import prepared, source
from pcc_pipeline.enti.facts import ente_facts
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs.inputs import inputs
from pcc_pipeline.tables import FEEDS
from tests.cases.expectation import Expectation, expectation
from tests.models import needed

#: The tables that a verdict reads.
READ = ("stock", "anomalies", "operations", "questions", "debt_positions")


@dataclass
class Verdict:
    """What a case gave: its right stock, and what is wrong, in words (empty where all is right)."""

    case: str
    right: Decimal = Decimal(0)
    wrong: list[str] = field(default_factory=list)


def cases(root: Path) -> Iterator[Path]:
    """The folders below `root` that hold a case: an expectation beside folders named like kinds of delivery."""
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        if any((folder / kind).is_dir() for kind in FEEDS):
            yield folder


def run_case(installation: Installation, folder: Path) -> Verdict:
    """Delivers, reads and calculates one case; files of one kind arrive one after the other in the order of their names."""
    wanted = expectation(folder) or Expectation()
    ente = folder.name.replace("-", "_")[:32]
    number = 0
    for number, file in enumerate(sorted(path for path in folder.glob("*/*") if path.is_file() and path.parent.name in FEEDS)):
        _deliver(installation, ente, file, file.parent.name, number)
    # Files of a folder of this name arrive after all others; each is called like its kind.
    for later, file in enumerate(sorted((folder / "second_delivery").glob("*.csv")), number + 1):
        _deliver(installation, ente, file, file.stem, later)
    facts = ente_facts(installation, ente)
    # The cases' operations are in the words of Modello 003.
    facts = replace(facts, modelli_pcc=facts.modelli_pcc or "003")
    made_from = {name for table in READ for name in needed(table)}
    given = inputs(installation, ente, wanted.reference_date, wanted.observed_at, facts=facts)
    installation.calculator.run_inputs(given, made_from)
    with prepared(installation.settings, installation.store) as connection:
        for name in READ:
            connection.execute(f"create temp view {name} as select * from {source(installation.store, ente, name)}")
        if (folder / "second_delivery").is_dir():  # the words are of the first delivery, the right stock of both
            wanted = replace(wanted, only=False, no_operations=())
        refused = any(installation.register.deliveries(ente)["reason"].to_pylist())
        return _judge(connection, folder.name, replace(wanted, right=()) if wanted.or_refused and refused else wanted)


def _deliver(installation: Installation, ente: str, file: Path, kind: str, number: int) -> None:
    inbox = installation.settings.home / "case" / str(number)
    target = inbox / ente / kind / f"{number}_{file.name}"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, target)
    land(installation, inbox, ente, drain=True)
    stage(installation, ente)


def _judge(connection: duckdb.DuckDBPyConnection, case: str, wanted: Expectation) -> Verdict:
    ((right,),) = connection.execute("select coalesce(sum(amount), 0) from stock where view = 'right'").fetchall()
    found = Verdict(case, Decimal(right))
    if wanted.right and right not in wanted.right:
        found.wrong.append(f"right stock {right}, not {' or '.join(str(amount) for amount in wanted.right)}")
    codes = connection.execute("select code, amount from anomalies").fetchall()
    found.wrong += _wrong_anomalies(codes, wanted)
    rows = connection.execute(
        "select concat_ws(' ', azione, stato_debito, coalesce(importo, 0), model, numero_mandato, causale) from operations"
    ).fetchall()
    found.wrong += _wrong_operations([str(row[0]) for row in rows], wanted)
    if wanted.question and not connection.execute("select count(*) from questions").fetchall()[0][0]:
        found.wrong.append("no question is asked")
    found.wrong += _broken_promises(connection)
    return found


def _wrong_anomalies(codes: list[tuple[str, Decimal]], wanted: Expectation) -> list[str]:
    there, wrong = {code for code, _ in codes}, []
    for line in wanted.anomalies:
        code, _, amount = line.partition(" ")
        if not any(code == one and (not amount or Decimal(amount) == value) for one, value in codes):
            wrong.append(f"{line} is missing (there: {', '.join(f'{c} {a}' for c, a in codes) or 'none'})")
    wrong += [f"{code} must not be there" for code in wanted.absent if code in there]
    if wanted.only and there - {line.split(" ")[0] for line in wanted.anomalies}:
        wrong.append(f"beside what is right: {', '.join(sorted(there))}")
    return wrong


def _wrong_operations(rows: list[str], wanted: Expectation) -> list[str]:
    wrong = []
    for line in wanted.operations:
        if not any(all(word in row.split(" ") for word in line.split(" ")) for row in rows):
            wrong.append(f"operation {line} is missing (there: {'; '.join(rows) or 'none'})")
    for word in wanted.no_operations:
        if rows if word == "*" else any(word in row.split(" ") for row in rows):
            wrong.append(f"operations that must not be there ({word}): {'; '.join(rows)}")
    return wrong


def _broken_promises(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """What holds for every ente: every cent explained, no document outside [0, its amount] in the right view."""
    (row,) = connection.execute(
        "select (select coalesce(sum(amount), 0) from stock where view = 'pcc')"
        " - (select coalesce(sum(amount), 0) from stock where view = 'right')"
        # A document may bear several codes, all with its amount.
        " - (select coalesce(sum(amount), 0) from (select distinct id_documento, progressivo_registrazione, amount from anomalies))"
    ).fetchall()
    wrong = [f"{row[0]} of the difference is not explained"] if row[0] else []
    outside = connection.execute(
        "select count(*) from debt_positions where view = 'right'"
        " and (open_amount * sign(commercial_amount) < 0 or abs(open_amount) > abs(commercial_amount))"
    ).fetchall()[0][0]
    return wrong + ([f"{outside} documents stand below zero or above their amount"] if outside else [])
