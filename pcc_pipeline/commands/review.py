"""`pcc review …`: a person's word on operations, pairs and questions. What each does is in `pcc_pipeline.review`."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table as RichTable

from pcc_pipeline.commands.terminal import Ente, err, out, stop

if TYPE_CHECKING:
    import sqlalchemy as sa

    from pcc_pipeline.installation import Installation
    from pcc_pipeline.review.operations import Selection

app = typer.Typer(no_args_is_help=True, help="Decide on operations, pairs and questions: approve, refuse, change, pair, undo.")


def _user() -> str:
    return os.environ.get("PCC_USER") or getpass.getuser()


Who = Annotated[str, typer.Option("--who", default_factory=_user, help="Who decides (PCC_USER, else the user of the system)")]
Reason = Annotated[str | None, typer.Option(help="Why, in your words")]
Operations = Annotated[list[str] | None, typer.Option("--operation", help="An operation by its id; may be repeated")]
Code = Annotated[str | None, typer.Option(help="All of this anomaly code")]
Supplier = Annotated[str | None, typer.Option(help="All of this supplier (VAT number or fiscal code)")]
Document = Annotated[str | None, typer.Option(help="All of this document, by either side's key")]
Azione = Annotated[str | None, typer.Option(help="All of this action: RC, RF, CO, CS, CP")]
Least = Annotated[str | None, typer.Option("--min", help="From this amount, in euro")]
Most = Annotated[str | None, typer.Option("--max", help="Up to this amount, in euro")]
_FIELDS = (
    "FIELD=VALUE: importo, natura_spesa, causale, descrizione, cig, cup, data_scadenza, data_mandato, data_ricezione, "
    "data_rifiuto; - empties a text"
)
Pairs = Annotated[list[str] | None, typer.Argument(help="ID_DOCUMENTO:PROGRESSIVO; several may be given")]


@app.command("list")
def show(
    ente: Ente,
    what: Annotated[str, typer.Option(help="operations, proposals, history, stale")] = "operations",
    state: Annotated[str | None, typer.Option(help="Only operations proposed, waiting, approved or refused")] = None,
    code: Code = None,
    supplier: Supplier = None,
    document: Document = None,
    azione: Azione = None,
    least: Least = None,
    most: Most = None,
    limit: Annotated[int, typer.Option(help="Rows at most")] = 50,
) -> None:
    """Show what there is to decide, what was decided, or which words no longer apply."""
    from pcc_pipeline.review.operations import reviewed, stale_operations
    from pcc_pipeline.review.proposals import history, proposals, stale_pairs

    with _telling(), _engine().connect() as connection:
        if what == "operations":
            asked = (code, supplier, document, azione, least, most)
            chosen = _selection(None, *asked) if any(asked) else None
            rows = [
                {
                    **row,
                    "document": row["id_documento"] or row["progressivo_registrazione"],
                    "what": f"{row['step']} {row['azione']} {row['stato_debito'] or ''}",
                    "state": "held" if row["held"] else row["state"],
                    "by": ", ".join(row["approvers"]) or row["decided_by"],
                }
                for row in reviewed(connection, ente, chosen, state)
            ]
            columns: tuple[str, ...] = ("operation_id", "code", "document", "what", "importo", "state", "by")
        elif what == "proposals":
            rows = proposals(connection, ente)
            columns = ("id_documento", "progressivo_registrazione", "score", "alternatives", "explanation")
        elif what == "history":
            rows = history(connection, ente)
            columns = ("kind", "decision", "verdict", "of_what", "undone", "decided_by", "decided_at", "reason")
        elif what == "stale":
            rows = [{**row, "of_what": row["operation_id"]} for row in stale_operations(connection, ente)]
            rows += [
                {**row, "of_what": f"{row['id_documento']} / {row['progressivo_registrazione']}", "state": row["word"]}
                for row in stale_pairs(connection, ente)
            ]
            columns = ("decision", "of_what", "state", "decided_by", "decided_at")
        else:
            raise stop("--what: operations, proposals, history, stale")
    _table(rows, columns, limit)


@app.command()
def approve(
    ente: Ente, who: Who, operation: Operations = None, code: Code = None, supplier: Supplier = None, document: Document = None,
    azione: Azione = None, least: Least = None, most: Most = None, reason: Reason = None,
) -> None:  # fmt: skip
    """Approve operations: one by one, or all that meet the conditions and are undecided."""
    _decide(ente, "approve", _selection(operation, code, supplier, document, azione, least, most), who, reason)


@app.command()
def refuse(
    ente: Ente, who: Who, operation: Operations = None, code: Code = None, supplier: Supplier = None, document: Document = None,
    azione: Azione = None, least: Least = None, most: Most = None, reason: Reason = None,
) -> None:  # fmt: skip
    """Refuse operations: they are not sent and leave the projection, with the steps that need them."""
    _decide(ente, "refuse", _selection(operation, code, supplier, document, azione, least, most), who, reason)


@app.command()
def change(
    ente: Ente, who: Who,
    values: Annotated[list[str], typer.Argument(help=_FIELDS)],
    operation: Operations = None, code: Code = None, supplier: Supplier = None, document: Document = None,
    azione: Azione = None, least: Least = None, most: Most = None, reason: Reason = None,
) -> None:  # fmt: skip
    """Change what operations say; they need approval anew. A changed amount stays within its source account."""
    from pcc_pipeline.review.amounts import read_changes

    with _telling():
        if wrong := [value for value in values if "=" not in value]:
            raise stop(f"FIELD=VALUE: {', '.join(wrong)}")
        changes = read_changes(dict(value.split("=", 1) for value in values))
    chosen = _selection(operation, code, supplier, document, azione, least, most)
    if "importo" in changes and not chosen.named:
        raise stop("L'importo si cambia a operazioni indicate una per una (--operation)")
    _decide(ente, "change", chosen, who, reason, changes)


@app.command()
def accept(
    ente: Ente, who: Who, pairs: Pairs = None,
    score: Annotated[int | None, typer.Option(help="All proposals from so many points that have no alternative")] = None,
    reason: Reason = None,
) -> None:  # fmt: skip
    """Accept proposed pairs, named or all from a score."""
    _decide_pairs(ente, "accept", pairs, who, reason, score)


@app.command()
def split(ente: Ente, who: Who, pairs: Pairs = None, reason: Reason = None) -> None:
    """Say that two documents are not the same: no tier pairs them any more."""
    _decide_pairs(ente, "split", pairs, who, reason)


@app.command()
def pair(ente: Ente, who: Who, pairs: Pairs = None, reason: Reason = None) -> None:
    """Pair documents by hand, before any tier."""
    _decide_pairs(ente, "pair", pairs, who, reason)


@app.command()
def undo(
    ente: Ente, who: Who,
    decisions: Annotated[list[int], typer.Argument(help="Numbers, as pcc review list --what history shows them")],
    kind: Annotated[str, typer.Option(help="match or operation")] = "operation",
    reason: Reason = None,
) -> None:  # fmt: skip
    """Undo decisions: what stood before stands again."""
    from pcc_pipeline.review.pairs import undo as undone

    if kind not in ("match", "operation"):
        raise stop("--kind: match, operation")
    with _telling():
        done = undone(_engine(), ente, kind, decisions, who=who, reason=reason)
    err.print(f"{done.written} annullate, {done.already} già annullate", highlight=False)


@app.command("export")
def export_(ente: Ente, out_file: Annotated[Path, typer.Option("--out", help=".xlsx")]) -> None:
    """Write the work list: operations and proposed pairs, with columns to decide in."""
    from pcc_pipeline.review.worklist import export_worklist

    with _telling():
        rows = export_worklist(_engine(), ente, str(out_file))
    err.print(f"{', '.join(f'{name}: {number}' for name, number in rows.items())} → {out_file}", highlight=False)


@app.command("import")
def import_(ente: Ente, who: Who, file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Take the decisions written in a work list; exit 1 if some line is wrong (the good ones are taken)."""
    from pcc_pipeline.review.amounts import judge
    from pcc_pipeline.review.worklist import import_decisions

    installation = _installation()
    with _telling():
        done = import_decisions(installation.engine, ente, file, who=who, judge=judge(installation, ente))
    err.print(f"{done.written} decisioni, {done.already} già prese", highlight=False)
    _errors(done.errors)


@app.command()
def questions(ente: Ente, out_file: Annotated[Path, typer.Option("--out", help=".xlsx")]) -> None:
    """Write the questions for the ente's office, with a column for the answers."""
    from pcc_pipeline.review.answers import export_questions

    with _telling():
        rows = export_questions(_engine(), ente, str(out_file))
    err.print(f"{rows} domande → {out_file}", highlight=False)


@app.command()
def answers(ente: Ente, who: Who, file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Read the ente's answers back: special cases through the inbox, decisions, notes; exit 1 if some line is wrong."""
    from pcc_pipeline.review.answers import read_answers

    with _telling():
        done = read_answers(_installation(), ente, file, who=who)
    err.print(
        f"{done.decisions} decisioni, {done.cases} casi particolari, {done.notes} note, {done.already} risposte già lette",
        highlight=False,
    )
    if done.delivered:
        err.print(f"Casi particolari consegnati: {done.delivered}", highlight=False)
    _errors(done.errors)


@app.command()
def limit(
    ente: Ente, who: Who,
    amount: Annotated[str | None, typer.Argument(help="In euro; left out: shows it")] = None,
    reason: Reason = None,
) -> None:  # fmt: skip
    """Amount above which an operation of the ente needs a second person."""
    from pcc_pipeline.review.operations import limit as limit_of
    from pcc_pipeline.review.operations import set_limit

    with _telling():
        if amount is not None:
            set_limit(_engine(), ente, _euro(amount), who=who, reason=reason)
        with _engine().connect() as connection:
            out.print(f"{limit_of(connection, ente):.2f}", highlight=False)


def _decide(
    ente: str, verdict: str, chosen: Selection, who: str, reason: str | None, changes: dict[str, object] | None = None
) -> None:
    from pcc_pipeline.review.amounts import judge
    from pcc_pipeline.review.operations import decide_operations

    installation = _installation()
    judged = judge(installation, ente) if verdict == "change" else None
    with _telling():
        done = decide_operations(
            installation.engine, ente, verdict, chosen, who=who, changes=changes, reason=reason, judge=judged
        )
    err.print(done.in_words(), highlight=False)


def _decide_pairs(
    ente: str, verdict: str, written: Sequence[str] | None, who: str, reason: str | None, score: int | None = None
) -> None:
    from pcc_pipeline.review.pairs import Pair, decide_pairs
    from pcc_pipeline.review.proposals import check_pairs, proposals

    engine = _engine()
    with _telling():
        pairs = []
        for text in written or ():
            own, separator, other = text.partition(":")
            if not (own and separator and other):
                raise stop(f"{text}: ID_DOCUMENTO:PROGRESSIVO")
            pairs.append(Pair(own, other))
        with engine.connect() as connection:
            check_pairs(connection, ente, pairs, proposed=verdict == "accept")
            if score is not None:
                found = proposals(connection, ente, score, alone=True)
                pairs += [Pair(row["id_documento"], row["progressivo_registrazione"]) for row in found]
        if not pairs:
            raise stop("Nessuna coppia indicata")
        done = decide_pairs(engine, ente, verdict, pairs, who=who, reason=reason)
    err.print(f"{done.written} decisioni, {done.already} già prese; valgono dal prossimo calcolo", highlight=False)


def _selection(
    operations: Sequence[str] | None, code: str | None, supplier: str | None, document: str | None, azione: str | None,
    least: str | None, most: str | None,
) -> Selection:  # fmt: skip
    from pcc_pipeline.review.operations import Selection

    with _telling():
        return Selection(
            tuple(operations or ()), code, supplier, document, azione,
            _euro(least) if least else None, _euro(most) if most else None,
        )  # fmt: skip


def _euro(text: str) -> Decimal:
    from pcc_pipeline.review.amounts import amount

    return amount(text)


def _installation() -> Installation:
    from pcc_pipeline.installation import Installation

    return Installation.from_environment()


def _engine() -> sa.Engine:
    return _installation().engine


@contextmanager
def _telling() -> Iterator[None]:
    """What cannot be decided ends the command with its reason."""
    from pcc_pipeline.review.pairs import DecisionError
    from pcc_pipeline.review.sheets import UnreadableError

    try:
        yield
    except (DecisionError, UnreadableError) as error:
        raise stop(str(error)) from None


def _errors(errors: Sequence[tuple[str, str]]) -> None:
    for place, why in errors:
        err.print(f"[red]{place}:[/red] {why}", highlight=False)
    if errors:
        raise typer.Exit(1)


def _table(rows: Sequence[Any], columns: Sequence[str], limit: int) -> None:
    shown = RichTable(*columns)
    for column in shown.columns:
        column.overflow = "fold"
    shown.columns[0].no_wrap = True
    for row in rows[:limit]:
        shown.add_row(*("" if row[name] is None else _cell(row[name]) for name in columns))
    out.print(shown)
    if len(rows) > limit:
        err.print(f"{len(rows) - limit} altre righe: --limit, o pcc review export", highlight=False)


def _cell(value: object) -> str:
    from datetime import datetime

    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else str(value)
