"""Decisions as Dagster jobs: what `pcc review` does, from the launchpad. The configuration is its form, with defaults.

With nothing but the ente filled in, a job changes nothing: it shows what there is to decide. A decision counts from the next
calculation; the sensor starts one (see pcc_pipeline.arrival.work).
"""

from dagster import Config, MetadataValue, OpExecutionContext, in_process_executor, job, op
from pydantic import Field

from assets.forms import of_ente, show
from assets.resources import Installation

ENTE = "Tenant code of the ente; with nothing else filled in, what there is to decide is shown and nothing is changed"


class OperationsForm(Config):
    """Which operations, what is decided on them, and who decides."""

    ente: str = Field("", description=ENTE)
    who: str = Field("", description="Who decides; above the ente's limit a second person launches the same again")
    verdict: str = Field("approve", description="approve, refuse or change")
    operations: list[str] = Field([], description="Operation ids, to decide one by one; empty: all that meet what follows")
    code: str = Field("", description="Only this anomaly code, as PAID_NOT_REPORTED; empty: any")
    supplier: str = Field("", description="Only this supplier (VAT number or fiscal code); empty: any")
    document: str = Field("", description="Only this document, by either side's key; empty: any")
    azione: str = Field("", description="Only this action (RC, RF, CO, CS, CP); empty: any")
    amount_from: str = Field("", description="Only from this amount, in euro; empty: any")
    amount_to: str = Field("", description="Only up to this amount, in euro; empty: any")
    changes: dict[str, str] = Field(
        {},
        description="With verdict change, new values by field: natura_spesa, causale, descrizione, cig, cup, importo (named "
        "operations only), data_scadenza, data_mandato, data_ricezione, data_rifiuto; - empties a text",
    )
    reason: str = Field("", description="Why, in your words")


class PairsForm(Config):
    """Which pairs, what is decided on them, and who decides."""

    ente: str = Field("", description=ENTE)
    who: str = Field("", description="Who decides")
    verdict: str = Field("accept", description="accept proposals, pair by hand, or split (no tier may pair them)")
    pairs: list[str] = Field([], description="ID_DOCUMENTO:PROGRESSIVO, one an entry")
    from_score: int = Field(
        0, description="With accept: all proposals from so many points without alternative; 0: only those named"
    )
    reason: str = Field("", description="Why, in your words")


class UndoForm(Config):
    """Which decisions are undone."""

    ente: str = Field("", description=ENTE)
    who: str = Field("", description="Who undoes")
    kind: str = Field("operation", description="operation or match")
    decisions: list[int] = Field([], description="Numbers of the decisions; empty: those that can be undone are shown")
    reason: str = Field("", description="Why, in your words")


class FileForm(Config):
    """A file filled in by a person."""

    ente: str = Field("", description=ENTE)
    who: str = Field("", description="Who decides or answers")
    file: str = Field("", description="Path of the .xlsx or .csv on this machine; empty: one to fill in is written")
    kind: str = Field("decisions", description="decisions (written by pcc review export) or answers (pcc review questions)")


@op
def decide_on_operations(context: OpExecutionContext, config: OperationsForm, installation: Installation) -> None:
    """Approves, refuses or changes operations; the output says how many, and their states now."""
    from pcc_pipeline.review.amounts import amount, judge, read_changes
    from pcc_pipeline.review.operations import Selection, decide_operations, reviewed

    ente = of_ente(context, config.ente)
    selection = Selection(
        tuple(config.operations),
        config.code or None,
        config.supplier or None,
        config.document or None,
        config.azione or None,
        amount(config.amount_from) if config.amount_from else None,
        amount(config.amount_to) if config.amount_to else None,
    )
    if selection == Selection():
        with installation.engine.connect() as connection:
            rows = [row for row in reviewed(connection, ente) if row["state"] in ("proposed", "waiting")]
        columns = ("operation_id", "code", "id_documento", "progressivo_registrazione", "azione", "importo", "state")
        show(context, "to decide", rows, columns, "Name operations, a code, a supplier, a document or amounts, and who decides")
        return
    changes = read_changes(config.changes)
    if config.verdict not in ("approve", "refuse", "change"):
        raise ValueError(f"verdict {config.verdict!r}: approve, refuse or change")
    if "importo" in changes and not selection.named:
        raise ValueError("importo is changed on named operations only")
    judged = judge(installation, ente) if config.verdict == "change" else None
    done = decide_operations(
        installation.engine,
        ente,
        config.verdict,
        selection,
        who=config.who,
        changes=changes,
        reason=config.reason or None,
        judge=judged,
    )
    context.log.info(done.in_words())
    context.add_output_metadata({"written": done.written, "already": done.already, "left": done.left, **done.states})


@op
def decide_on_pairs(context: OpExecutionContext, config: PairsForm, installation: Installation) -> None:
    """Accepts, pairs or splits documents."""
    from pcc_pipeline.review.pairs import Pair, decide_pairs
    from pcc_pipeline.review.proposals import check_pairs, proposals

    ente = of_ente(context, config.ente)
    if config.verdict not in ("accept", "pair", "split"):
        raise ValueError(f"verdict {config.verdict!r}: accept, pair or split")
    if not (config.pairs or config.from_score):
        with installation.engine.connect() as connection:
            rows = proposals(connection, ente)
        columns = ("id_documento", "progressivo_registrazione", "score", "alternatives", "explanation")
        show(context, "proposed pairs", rows, columns, "Name pairs, or a score from which all are accepted, and who decides")
        return
    pairs = []
    for text in config.pairs:
        own, separator, other = text.partition(":")
        if not (own and separator and other):
            raise ValueError(f"{text!r} is not ID_DOCUMENTO:PROGRESSIVO")
        pairs.append(Pair(own, other))
    with installation.engine.connect() as connection:
        check_pairs(connection, ente, pairs, proposed=config.verdict == "accept")
        if config.verdict == "accept" and config.from_score:
            found = proposals(connection, ente, config.from_score, alone=True)
            pairs += [Pair(row["id_documento"], row["progressivo_registrazione"]) for row in found]
    done = decide_pairs(installation.engine, ente, config.verdict, pairs, who=config.who, reason=config.reason or None)
    context.add_output_metadata({"written": done.written, "already": done.already})


@op
def undo_some(context: OpExecutionContext, config: UndoForm, installation: Installation) -> None:
    """Undoes decisions by number."""
    from pcc_pipeline.review.pairs import undo
    from pcc_pipeline.review.proposals import history

    ente = of_ente(context, config.ente)
    if config.kind not in ("operation", "match"):
        raise ValueError(f"kind {config.kind!r}: operation or match")
    if not config.decisions:
        with installation.engine.connect() as connection:
            told = [row for row in history(connection, ente) if row["kind"] == config.kind]
        rows = [row for row in reversed(told) if not (row["undone"] or row["undoes"])]
        columns = ("decision", "verdict", "of_what", "decided_by", "decided_at", "reason")
        show(context, "decisions that stand", rows, columns, "Name the numbers of those to undo, and who undoes them")
        return
    done = undo(installation.engine, ente, config.kind, config.decisions, who=config.who, reason=config.reason or None)
    context.add_output_metadata({"written": done.written, "already": done.already})


@op
def read_file(context: OpExecutionContext, config: FileForm, installation: Installation) -> None:
    """Takes the decisions or answers of a file; wrong lines fail the run after the good ones were taken."""
    from pathlib import Path

    from pcc_pipeline.review.amounts import judge
    from pcc_pipeline.review.answers import read_answers
    from pcc_pipeline.review.worklist import import_decisions

    ente = of_ente(context, config.ente)
    if config.kind not in ("decisions", "answers"):
        raise ValueError(f"kind {config.kind!r}: decisions or answers")
    if not config.file:
        _write_form(context, installation, ente, config.kind)
        return
    path, engine = Path(config.file), installation.engine
    if config.kind == "decisions":
        judged = judge(installation, ente)
        taken = import_decisions(engine, ente, path, who=config.who, judge=judged)
        context.add_output_metadata({"written": taken.written, "already": taken.already})
        errors = taken.errors
    else:
        done = read_answers(installation, ente, path, who=config.who)
        counts = {"decisions": done.decisions, "cases": done.cases, "notes": done.notes, "already": done.already}
        context.add_output_metadata(counts)
        errors = done.errors
    for place, why in errors:
        context.log.error(f"{place}: {why}")
    if errors:
        raise ValueError(f"{len(errors)} lines are wrong (see the log); the others were taken")


def _write_form(context: OpExecutionContext, installation: Installation, ente: str, kind: str) -> None:
    """Writes the file that is to be filled in, and says where it lies."""
    from pcc_pipeline.review.answers import export_questions
    from pcc_pipeline.review.worklist import export_worklist

    folder = installation.settings.home / "reports" / ente
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kind}.xlsx"
    written = (export_worklist if kind == "decisions" else export_questions)(installation.engine, ente, str(path))
    rows = written if isinstance(written, int) else sum(written.values())
    then = "Fill it in, then start this job again with its path and who decides"
    context.add_output_metadata({"file": MetadataValue.path(str(path)), "rows": rows, "how to go on": then})


@job(executor_def=in_process_executor, description="Approve, refuse or change operations of an ente, one by one or in bulk.")
def decide_operations_of_ente() -> None:
    """Decisions on operations, from the launchpad."""
    decide_on_operations()


@job(executor_def=in_process_executor, description="Accept proposed pairs, pair documents by hand, or split a pair, for good.")
def decide_pairs_of_ente() -> None:
    """Decisions on pairs, from the launchpad."""
    decide_on_pairs()


@job(executor_def=in_process_executor, description="Undo decisions by number: what stood before stands again.")
def undo_decisions() -> None:
    """Undoing, from the launchpad."""
    undo_some()


@job(executor_def=in_process_executor, description="Read a work list with decisions, or the ente's answers to questions.")
def read_decisions_file() -> None:
    """Decisions and answers as files, from the launchpad."""
    read_file()


DECISION_JOBS = [decide_operations_of_ente, decide_pairs_of_ente, undo_decisions, read_decisions_file]
