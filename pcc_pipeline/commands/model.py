"""`pcc model …` and `pcc check-model`: files for PCC, what PCC said of them, and the rows that only a person asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column as RichColumn
from rich.table import Table as RichTable

from pcc_pipeline.commands.terminal import Ente, code, err, out, stop
from pcc_pipeline.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="Files for PCC (today's models, Modello 003 and 002): write, list, fetch; restore or reset a document",
)

#: Findings shown of one file.
SHOWN = 200


@app.command("write")
def write(
    ente: Ente,
    user: Annotated[str, typer.Option(help="Fiscal code of who transmits the file to PCC")],
    out_dir: Annotated[Path | None, typer.Option("--out", help="Folder for the files (PCC_HOME/outbox/<ente>)")] = None,
) -> None:
    """Write what is approved and not yet sent to Modello 003 and 002; a second call writes nothing anew."""
    from pcc_pipeline.enti.facts import ente_facts
    from pcc_pipeline.installation import Installation
    from pcc_pipeline.review.sending import SendingError, send

    installation = Installation.from_environment()
    facts = ente_facts(installation, ente)
    if facts.refusal:
        raise stop(facts.refusal)
    folder = out_dir or installation.settings.home / "outbox" / ente
    try:
        report = send(installation, ente, user, folder, name=facts.name, cf=facts.cf)
    except SendingError as error:
        raise stop(str(error)) from None
    for path in report.handed:
        out.print(str(path), highlight=False, soft_wrap=True)
    err.print(f"{report.operations} operations in {len(report.files)} new files", highlight=False)
    for held in report.held[:SHOWN]:
        finding = held.finding
        err.print(f"[yellow]{held.document} held back: {finding.field} {finding.value!r}: {finding.message}", highlight=False)
    if len(report.held) > SHOWN:
        err.print(f"[yellow]and {len(report.held) - SHOWN} more")


@app.command("list")
def list_files(
    ente: Annotated[str | None, typer.Option("--ente", help="Only this ente", callback=code)] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Instead, the operations not seen done in time")] = False,
) -> None:
    """List the files written for PCC and what became of their operations; exit 1 if any is overdue (with --overdue)."""
    from pcc_pipeline.database.engine import engine
    from pcc_pipeline.review import sent

    connected = engine(Settings.from_environment())
    if overdue:
        late = sent.overdue(connected, ente)
        table = RichTable("ente", "document", "operation", "amount €", "sent", "state", "answer", "file", "line")
        for row in late:
            table.add_row(
                row["ente"], row["progressivo_registrazione"] or row["id_documento"] or "", row["azione"] or "",
                "" if row["importo"] is None else f"{row['importo']:,.2f}", f"{row['sent_at']:%Y-%m-%d}", row["state"],
                row["reason"] or row["answer_code"] or "", row["file"], str(row["line"]),
            )  # fmt: skip
        out.print(table)
        raise typer.Exit(1 if late else 0)
    counted = ("rows", "sent", "accepted", "refused", "done", "overdue")
    table = RichTable("ente", RichColumn("file", no_wrap=True), "written", "uploaded", "state", *counted, "sha-256")
    for row in sent.files(connected, ente):
        counts = [str(row[name]) for name in counted]
        told = f"{row['uploaded_at']:%Y-%m-%d %H:%M} {row['uploaded_by']}" if row["uploaded_by"] else ""
        written = f"{row['sent_at']:%Y-%m-%d %H:%M}"
        table.add_row(row["ente"], row["file"], written, told, row["state"], *counts, row["sha256"][:12])
    out.print(table)


@app.command("get")
def get(
    ente: Ente,
    file: Annotated[str, typer.Argument(help="Name of the file, as `pcc model list` shows it")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder to copy it to")] = Path(),
) -> None:
    """Copy a file that was written before, byte for byte; nothing is sent anew by it."""
    from pcc_pipeline.installation import Installation
    from pcc_pipeline.review import sent
    from pcc_pipeline.review.sending import copy_file

    installation = Installation.from_environment()
    found = [row for row in sent.files(installation.engine, ente) if row["file"] == file]
    if not found:
        raise stop(f"No file {file} of {ente}")
    out_dir.mkdir(parents=True, exist_ok=True)
    path = copy_file(installation.store, ente, file, found[0]["sha256"], out_dir)
    out.print(str(path), highlight=False, soft_wrap=True)


@app.command("uploaded")
def uploaded(
    ente: Ente,
    file: Annotated[str, typer.Argument(help="Name of the file, as `pcc model list` shows it")],
    who: Annotated[str, typer.Option("--by", help="Who uploaded it to PCC")],
) -> None:
    """Say that a file was uploaded to PCC, and by whom; the first to say so stands."""
    from pcc_pipeline.database.engine import engine
    from pcc_pipeline.review.pairs import DecisionError
    from pcc_pipeline.review.uploads import uploaded as told

    try:
        new = told(engine(Settings.from_environment()), ente, file, who)
    except KeyError:
        raise stop(f"No file {file} of {ente}") from None
    except DecisionError as error:
        raise stop(str(error)) from None
    err.print(f"{file}: uploaded" if new else f"{file}: somebody said so before (pcc model list)", highlight=False)


Document = Annotated[str, typer.Argument(help="The document by PCC's key (progressivo di registrazione)")]
By = Annotated[str, typer.Option("--by", help="Who asks for it")]


@app.command("restore")
def restore(ente: Ente, document: Document, who: By, reason: Annotated[str, typer.Option(help="Why, in your words")]) -> None:
    """Ask PCC to restore a document closed by mistake (RS). It is approved and sent as all rows are."""
    _ask(ente, document, "RS", who, reason)


@app.command("reset")
def reset(ente: Ente, document: Document, who: By, reason: Annotated[str, typer.Option(help="Why, in your words")]) -> None:
    """Ask PCC to wipe what was set on a document, to start over (RT). It is approved and sent as all rows are."""
    _ask(ente, document, "RT", who, reason)


@app.command("withdraw")
def withdraw(
    ente: Ente, document: Document, who: By, reason: Annotated[str | None, typer.Option(help="Why, in your words")] = None
) -> None:
    """Take back a restore or reset that was asked for and not sent yet."""
    from pcc_pipeline.database.engine import engine
    from pcc_pipeline.review.pairs import DecisionError
    from pcc_pipeline.review.requests import withdraw as taken_back

    try:
        taken_back(engine(Settings.from_environment()), ente, document, who=who, reason=reason)
    except DecisionError as error:
        raise stop(str(error)) from None
    err.print(f"{document}: withdrawn; from the next calculation on", highlight=False)


def _ask(ente: str, document: str, azione: str, who: str, reason: str) -> None:
    from pcc_pipeline.enti.facts import ente_facts
    from pcc_pipeline.installation import Installation
    from pcc_pipeline.review.pairs import DecisionError
    from pcc_pipeline.review.requests import ask

    installation = Installation.from_environment()
    facts = ente_facts(installation, ente)
    if facts.refusal:
        raise stop(facts.refusal)
    try:
        new = ask(installation.engine, ente, document, azione, who=who, reason=reason, models=facts.modelli_pcc or "AREA_RGS")
    except DecisionError as error:
        raise stop(str(error)) from None
    said = "asked for; among the operations from the next calculation on" if new else "asked for before"
    err.print(f"{document}: {azione} {said}", highlight=False)


def check_model(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A Modello 003 or 002, ours or others'")],
) -> None:
    """Say what PCC would refuse in a Modello 003 or 002, by line and column; exit 1 if there is any error."""
    from pcc_pipeline.clock import today
    from pcc_pipeline.formats.pcc.check import check_file

    found = check_file(file, today())
    errors = sum(finding.severity == "error" for finding in found)
    if found:
        table = RichTable("line", "column", "field", "PCC's code", "", "what is wrong")
        for finding in found[:SHOWN]:
            colour = "red" if finding.severity == "error" else "yellow"
            table.add_row(
                str(finding.line), finding.letter, finding.field or "", finding.code or "", f"[{colour}]{finding.severity}",
                finding.message.replace("[", r"\["),
            )  # fmt: skip
        out.print(table)
        if len(found) > SHOWN:
            out.print(f"and {len(found) - SHOWN} more")
    err.print(f"{errors} errors, {len(found) - errors} warnings", highlight=False)
    raise typer.Exit(1 if errors else 0)
