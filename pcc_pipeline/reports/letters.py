"""The provider's letters to enti, from templates: as text, as PDF, as a mail with both (docs/rules.md#rule-10).

Their dates are those of `enti.life`, which reads the rule's days from the rule book. A template's first line is the subject;
below it `#` begins a title, `-` a point, `|` a line of a table, anything else a paragraph.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from email.message import EmailMessage
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from pcc_pipeline import italian
from pcc_pipeline.enti.life import life
from pcc_pipeline.tables.letters import DEACTIVATION, ERASURE, REMINDER, TAKEN_IN_CHARGE

#: Column of the register that says when the letter of a kind went out: from it the letter's deadlines run.
DATED_BY = {TAKEN_IN_CHARGE: "presa_in_carico_il", DEACTIVATION: "pec_disattivazione_il"}
_AUTHORISATION = "authorisation.txt.j2"
_TEMPLATES = {
    TAKEN_IN_CHARGE: "taken_in_charge.txt.j2", REMINDER: "reminder.txt.j2", DEACTIVATION: "deactivation.txt.j2",
    ERASURE: "erasure.txt.j2",
}  # fmt: skip
#: Kinds that only certified mail may carry.
CERTIFIED = (DEACTIVATION,)


class LetterError(ValueError):
    """A letter that cannot be written; its text says why, in Italian."""


@dataclass(frozen=True)
class Sender:
    """The provider as its letters name it: its name, what stands below it (address, contacts), who signs."""

    name: str = "Il fornitore del servizio"
    lines: tuple[str, ...] = ()
    signature: str = ""


@dataclass(frozen=True)
class Paper:
    """One text with its title, in blocks: (what, its parts), what being title, point, row or text."""

    title: str
    blocks: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def text(self) -> str:
        """The blocks as plain text."""
        lines = []
        for what, parts in self.blocks:
            before = "" if what in ("point", "row") else "\n"
            lines.append(before + ("- " if what == "point" else "") + ": ".join(parts))
        return "\n".join(lines).strip() + "\n"


@dataclass(frozen=True)
class Letter:
    """A letter of a kind and date with what goes with it: other papers by file name, and files as they are."""

    kind: str
    dated: date
    paper: Paper
    forms: Mapping[str, Paper] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


def letter(kind: str, row: Mapping[str, Any], on: date, delivered: set[str], sender: Sender) -> Letter:
    """The letter of a kind to the ente of a register's row, dated `on`; `delivered` are the lists that it delivered.

    Raises LetterError where there is nothing to say.
    """
    column = DATED_BY.get(kind)
    start = on if column is None else row[column] or on
    if kind == TAKEN_IN_CHARGE and row["ordine_il"] is None:
        raise LetterError("Il registro non ha la data dell'ordine")
    seen = {**row, **({column: start} if column else {})}
    found = life(seen, on, delivered)
    lacks = life({**seen, "pec_disattivazione_il": None}, on, delivered).missing
    if kind == REMINDER and not lacks:
        raise LetterError("Non manca nulla: non c'è che cosa sollecitare")
    given = {
        "row": seen, "name": row["denominazione"], "due": found.due, "missing": lacks, "dated": on, "start": start,
        "provider": sender.name, "day": italian.day,
    }  # fmt: skip
    forms = {"autorizzazione-accesso-remoto.pdf": _paper(_AUTHORISATION, given)} if kind == TAKEN_IN_CHARGE else {}
    return Letter(kind, on, _paper(_TEMPLATES[kind], given), forms)


def receipt_letter(receipt: Mapping[str, Any], name: str, on: date) -> Letter:
    """The letter that brings the receipt of an erasure; the ente's name is told by who writes, since nothing knows it."""

    def told(counts: Any) -> str:
        return ", ".join(f"{unit} {count}" for unit, count in counts.items()) if isinstance(counts, Mapping) else str(counts)

    what = [(place, told(counts)) for place, counts in dict(receipt.get("what") or {}).items()]

    def moment(text: str | None) -> str:
        return italian.moment(datetime.fromisoformat(text)) if text else "–"

    given = {"receipt": receipt, "name": name, "what": what, "moment": moment}
    body = json.dumps(dict(receipt), indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"
    return Letter(ERASURE, on, _paper(_TEMPLATES[ERASURE], given), files={f"ricevuta-{receipt['receipt']}.json": body})


def mail(written: Letter, recipient: str, sender: Sender) -> EmailMessage:
    """The letter as a mail that is not sent yet: its text, the PDFs, the files. Raises LetterError as `address` does."""
    message = EmailMessage()
    message["Subject"] = written.paper.title
    message["To"] = address(recipient)
    message["X-Unsent"] = "1"  # a mail program opens it as a draft
    message.set_content("\n".join([written.paper.text, *_closing(written, sender)]) + "\n")
    message.add_attachment(
        pdf(written.paper, sender, written.dated), maintype="application", subtype="pdf", filename="lettera.pdf"
    )
    for name, form in written.forms.items():
        message.add_attachment(pdf(form, None, None), maintype="application", subtype="pdf", filename=name)
    for name, data in written.files.items():
        message.add_attachment(data, maintype="application", subtype="json", filename=name)
    return message


def address(text: str) -> str:
    """One mail address. Raises LetterError for anything else."""
    if re.fullmatch(r"""[^@\s<>,;:"]+@[^@\s<>,;:"]+\.[^@\s<>,;:".]+""", text) is None:
        raise LetterError("L'indirizzo non è valido")
    return text


def pdf(paper: Paper, sender: Sender | None, dated: date | None) -> bytes:
    """A paper as PDF, on the provider's head where it is a letter; the same says the same bytes."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

    styles = getSampleStyleSheet()
    styles["BodyText"].fontSize, styles["BodyText"].leading = 10.5, 14

    def words(text: str, style: str = "BodyText", **more: Any) -> Any:
        return Paragraph(escape(text), styles[style], **more)

    story: list[Any] = []
    if sender is not None:
        story += [
            words(sender.name, "Heading3"),
            *map(words, sender.lines),
            Spacer(1, 12),
            words(italian.day(dated)),
            Spacer(1, 6),
        ]
    story += [words(paper.title, "Heading2")]
    rows: list[list[Any]] = []
    for what, parts in [*paper.blocks, ("end", ())]:
        if what != "row" and rows:
            story += [Table(rows, colWidths=[330, 150], hAlign="LEFT", style=[("VALIGN", (0, 0), (-1, -1), "TOP"),
                            ("LINEBELOW", (0, 0), (-1, -1), 0.3, "#9aa4b2")]), Spacer(1, 6)]  # fmt: skip
            rows = []
        if what == "row":
            rows.append([words(part) for part in parts])
        elif what == "point":
            story.append(words(parts[0], bulletText="–"))
        elif what != "end":
            story.append(words(parts[0], "Heading3" if what == "title" else "BodyText"))
    if sender is not None:
        story += [Spacer(1, 18), words(sender.name), *([words(sender.signature)] if sender.signature else [])]
    out = io.BytesIO()
    SimpleDocTemplate(out, pagesize=A4, leftMargin=56, rightMargin=56, topMargin=50, bottomMargin=50, invariant=1,
                      title=paper.title, lang="it").build(story)  # fmt: skip
    return out.getvalue()


def _closing(written: Letter, sender: Sender) -> Sequence[str]:
    return [line for line in (italian.day(written.dated), sender.name, sender.signature, *sender.lines) if line]


def _paper(template: str, given: Mapping[str, Any]) -> Paper:
    title, _, rest = _templates().get_template(template).render(given).partition("\n")
    blocks: list[tuple[str, tuple[str, ...]]] = []
    for line in filter(None, map(str.strip, rest.splitlines())):
        if line.startswith("# "):
            blocks.append(("title", (line[2:],)))
        elif line.startswith("- "):
            blocks.append(("point", (line[2:],)))
        elif line.startswith("|"):
            blocks.append(("row", tuple(part.strip() for part in line.strip("|").split("|", 1))))
        else:
            blocks.append(("text", (line,)))
    return Paper(" ".join(title.split()), tuple(blocks))


@cache
def _templates() -> Any:
    """The templates of letters; what they name must be given. Escaping is the PDF's matter: the text is plain."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("pcc_pipeline.reports", "templates/letters")
    return Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
