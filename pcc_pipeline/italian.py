"""Numbers, dates and the names of things as the enti read them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pcc_pipeline.rules import anomaly_titles

VIEWS = {"pcc": "PCC", "right": "Corretto", "projected": "PCC dopo le operazioni"}

BUCKETS = {
    "not_due": "non scaduto",
    "0-30": "0–30 giorni",
    "31-60": "31–60",
    "61-90": "61–90",
    "91-180": "91–180",
    "181-365": "181–365",
    "over_365": "oltre 365",
}

INDICATORS = {
    "ITP": "Indicatore di tempestività dei pagamenti",
    "TMP": "Tempo medio di pagamento",
    "TMR": "Tempo medio di ritardo",
    "DELAY": "Indicatore di ritardo annuale",
    "INTEREST": "Interessi su quanto pagato in ritardo",
    "INTEREST_UNPAID": "Interessi maturati sul non pagato",
    "FGDC_RATE": "Aliquota FGDC",
    "FGDC_AMOUNT": "Accantonamento FGDC",
    "STOCK": "Stock del debito scaduto",
    "DEBT": "Debito complessivo",
    "CREDITORS": "Imprese creditrici",
}

UNITS = {"days": "giorni", "EUR": "€", "%": "%", "creditors": ""}


def number(value: Decimal | int | None, places: int = 2) -> str:
    """1.234,56; a dash for nothing."""
    if value is None:
        return "–"
    return f"{value:,.{places}f}".translate(str.maketrans(",.", ".,"))


def euro(value: Decimal | None) -> str:
    """1.234,56 €."""
    return "–" if value is None else f"{number(value)} €"


def day(value: date | None) -> str:
    """31/12/2025."""
    return "–" if value is None else f"{value:%d/%m/%Y}"


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
