"""Words and numbers as readers expect them: Italian unless English is asked for. Texts are in `locale/en.po`."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from pcc_pipeline.clock import ROME
from pcc_pipeline.rules import anomaly_titles

ITALIAN, ENGLISH = "it", "en"

def language(chosen: str | None, accepted: str | None) -> str:
    """The language of a request: what was chosen, else English only where the browser does not take Italian."""
    if chosen in (ITALIAN, ENGLISH):
        return chosen
    wanted = [part.split(";")[0].strip().lower()[:2] for part in (accepted or "").split(",")]
    return ENGLISH if ENGLISH in wanted and ITALIAN not in wanted else ITALIAN


@cache
def translator(wanted: str) -> Callable[[str], str]:
    """What turns the pages' Italian into a language."""
    if wanted == ITALIAN:
        return lambda text: text
    with (Path(__file__).parent / "locale" / f"{wanted}.po").open("rb") as file:
        catalogue = read_po(file, locale=wanted)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled).gettext


#: Python's own format is exact on Decimal, rounds half to even as CLDR does, and costs a tenth of a general formatter.
_ITALIAN = str.maketrans(",.", ".,")


def euro(amount: Decimal | None) -> str:
    """1234.5 → 1.234,50 €; a dash where there is none."""
    return "–" if amount is None else f"{number(amount)} €"


def day(moment: date | datetime | None) -> str:
    """dd/mm/yyyy."""
    return "–" if moment is None else f"{moment:%d/%m/%Y}"


def moment(at: datetime | None) -> str:
    """dd/mm/yyyy hh:mm in Italy."""
    return "–" if at is None else f"{(at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(ROME):%d/%m/%Y %H:%M}"


def whole(number: int | None) -> str:
    """1234 → 1.234."""
    return "–" if number is None else f"{number:,d}".translate(_ITALIAN)


def number(value: Decimal | float | None) -> str:
    """1234.5 → 1.234,50."""
    if value is None:
        return "–"
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    return f"{exact:,.2f}".translate(_ITALIAN)


def percent(value: Decimal | float | None) -> str:
    """97.5 → 97,50 %."""
    return "–" if value is None else f"{number(value)} %"


#: Buckets, views and states in words.
LABELS = {
    "pcc": "Secondo PCC", "right": "Corretto", "projected": "Atteso dopo le operazioni",
    "not_due": "Non scaduto", "0-30": "da 0 a 30 giorni", "31-60": "da 31 a 60 giorni", "61-90": "da 61 a 90 giorni",
    "91-180": "da 91 a 180 giorni", "181-365": "da 181 a 365 giorni", "over_365": "oltre 365 giorni",
    "high": "alta", "medium": "media", "low": "bassa",
    "ente_user": "Utente dell'ente", "ente_manager": "Gestore dell'ente",
    "operator": "Operatore", "administrator": "Amministratore",
    "ITP": "Indicatore di tempestività dei pagamenti", "TMP": "Tempo medio di pagamento", "TMR": "Tempo medio di ritardo",
    "DELAY": "Indicatore di ritardo annuale", "INTEREST": "Interessi di mora sul pagato",
    "INTEREST_UNPAID": "Interessi di mora sul non pagato", "FGDC_RATE": "Aliquota del fondo di garanzia",
    "FGDC_AMOUNT": "Accantonamento al fondo di garanzia", "STOCK": "Stock del debito", "DEBT": "Debito complessivo",
    "CREDITORS": "Imprese creditrici", "days": "giorni", "EUR": "euro", "creditors": "creditori",
    "ALL": "tutti insieme", "SCRIVANIA": "scrivania", "TELEFONO": "telefono",
    "EMAIL": "posta elettronica", "UNKNOWN": "non noto",
    "landed": "ricevuta, da leggere", "staged": "letta", "refused": "rifiutata",
    "DUE": "scaduto", "PARTLY_EXCLUDED": "scaduto, in parte escluso", "PAID": "pagato", "NOT_DUE": "non scaduto",
    "ISSUED_LATER": "emesso dopo", "NON_COMMERCIAL": "non commerciale", "REJECTED": "rifiutato", "EXCLUDED": "escluso",
    "AMBIGUOUS": "abbinamento incerto", "DUPLICATE": "doppione",
    **anomaly_titles(),
}  # fmt: skip


def label(code: str) -> str:
    """A code in words; itself where there are none."""
    return LABELS.get(code, code)


FILTERS: dict[str, Callable[..., Any]] = {
    "euro": euro, "day": day, "moment": moment, "whole": whole, "number": number, "percent": percent, "label": label,
}  # fmt: skip
