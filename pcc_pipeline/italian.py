"""Numbers, dates and the names of things as the enti read them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from pcc_pipeline.clock import ROME
from pcc_pipeline.rules import anomaly_titles

VIEWS = {"pcc": "Secondo PCC", "right": "Corretto", "projected": "Atteso dopo le operazioni"}

BUCKETS = {
    "not_due": "non scaduto",
    "0-30": "0–30 giorni",
    "31-60": "31–60 giorni",
    "61-90": "61–90 giorni",
    "91-180": "91–180 giorni",
    "181-365": "181–365 giorni",
    "over_365": "oltre 365 giorni",
}

INDICATORS = {
    "ITP": "Indicatore di tempestività dei pagamenti",
    "TMP": "Tempo medio di pagamento",
    "TMR": "Tempo medio di ritardo",
    "DELAY": "Indicatore di ritardo annuale",
    "INTEREST": "Interessi di mora sul pagato",
    "INTEREST_UNPAID": "Interessi di mora sul non pagato",
    "FGDC_RATE": "Aliquota del fondo di garanzia (FGDC)",
    "FGDC_AMOUNT": "Accantonamento al fondo di garanzia (FGDC)",
    "STOCK": "Stock del debito scaduto",
    "DEBT": "Debito complessivo",
    "CREDITORS": "Imprese creditrici",
}

TICKET_WORDS = {
    "open": "aperta",
    "taken": "presa in carico",
    "waiting": "in attesa del cliente",
    "closed": "chiusa",
    "reopened": "riaperta",
}
DEPARTMENT_WORDS = {
    "ASSISTENZA": "Assistenza",
    "BONIFICA": "Bonifica e PCC",
    "GESTIONALE": "Gestionale",
    "TECNICO": "Tecnico",
    "COMMERCIALE": "Commerciale",
}
CHANNELS = {
    "ALL": "tutti insieme",
    "SCRIVANIA": "scrivania",
    "TELEFONO": "telefono",
    "EMAIL": "posta elettronica",
    "UNKNOWN": "non noto",
}

#: What a proposed operation is shown as (`review.states.SHOWN`), in the order of the desk's lists.
OPERATION_STATES = {
    "proposed": "da decidere",
    "waiting": "attende una seconda persona",
    "approved": "approvata, da inviare",
    "refused": "rifiutata da una persona",
    "held": "ferma: dipende da una rifiutata",
    "sent": "inviata, senza risposta",
    "accepted": "accettata da PCC",
    "done": "eseguita: si vede su PCC",
    "pcc_refused": "rifiutata da PCC",
}

#: How much an anomaly weighs.
SEVERITIES = {"high": "alta", "medium": "media", "low": "bassa"}

#: Kinds of suspension, as today's PCC has them, and any other cause.
SUSPENSIONS = {
    "lawsuit": "contenzioso",
    "contested": "contestazione o adempimenti normativi",
    "check": "attesa della verifica di conformità",
    "other": "altra causa",
}

UNITS = {"days": "giorni", "EUR": "€", "%": "%", "creditors": ""}


#: Python's own format is exact on Decimal, rounds half to even as CLDR does, and costs a tenth of a general formatter.
_SEPARATORS = str.maketrans(",.", ".,")


def number(value: Decimal | int | float | None, places: int = 2) -> str:
    """1.234,56; a dash for nothing."""
    if value is None:
        return "–"
    exact = value if isinstance(value, Decimal) else Decimal(str(value))  # format makes a float of an int
    return f"{exact:,.{places}f}".translate(_SEPARATORS)


def whole(value: int | None) -> str:
    """1.234."""
    return number(value, 0)


def euro(value: Decimal | None) -> str:
    """1.234,56 €."""
    return "–" if value is None else f"{number(value)} €"


def percent(value: Decimal | float | None) -> str:
    """97,50 %."""
    return "–" if value is None else f"{number(value)} %"


def day(value: date | None) -> str:
    """31/12/2025."""
    return "–" if value is None else f"{value:%d/%m/%Y}"


def moment(at: datetime | None) -> str:
    """31/12/2025 18:30, in Italy."""
    return "–" if at is None else f"{(at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(ROME):%d/%m/%Y %H:%M}"


def figure(value: Decimal | None, unit: str) -> str:
    """A figure with its unit."""
    if value is None:
        return "–"
    shown = number(value, 0 if unit == "creditors" else 2)
    return f"{shown} {UNITS[unit]}".strip()


def period(text: str) -> str:
    """2025, I trimestre 2025, 31/12/2025."""
    if "-Q" in text:
        year, quarter = text.split("-Q")
        return f"{('I', 'II', 'III', 'IV')[int(quarter) - 1]} trimestre {year}"
    return day(date.fromisoformat(text)) if len(text) == 10 else text


def anomaly(code: str) -> str:
    """What an anomaly is called (`rules/data/anomalies.csv`)."""
    return anomaly_titles().get(code, code)
