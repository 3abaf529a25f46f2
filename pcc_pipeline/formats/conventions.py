"""How one number or date is read: Italian (`1.234,56`, `31/12/2025`) or ISO (`1234.56`, `2025-12-31`).

Here lives the reading of single values, the evidence that a value gives about its column and the choice that
the column's evidence allows. This is the reference: `columns` does the same on whole arrays and comes back
here for every value that is not plain. No file and no table is known here.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pcc_pipeline.clock import ROME

POINT = "point"  # evidence: the point divides the decimals (ISO)
COMMA = "comma"  # evidence: the comma divides the decimals (Italian)
DAY_FIRST = "day first"  # evidence: dates are day/month/year (Italian)
MONTH_FIRST = "month first"  # evidence: dates are month/day/year, which no feed may use

_DIGITS = re.compile(r"[+-]?[0-9]+")
_POINT = re.compile(r"[+-]?[0-9]*\.[0-9]+")
_COMMA = re.compile(r"[+-]?(?:[0-9]*|[1-9][0-9]{0,2}(?:\.[0-9]{3})+),[0-9]+")
_POINT_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}")
_EITHER = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
_ENGLISH = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+\.[0-9]+|[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3}){2,}")

#: How an amount is dressed, and what it is without: marks of the currency, a minus that comes last or is written as
#: parentheses, spaces or apostrophes between thousands. Read alike by `re` and by RE2.
UNDRESS: tuple[tuple[str, str], ...] = (
    ("[\u00a0\u2007\u2009\u202f]", " "),
    ("\u2212", "-"),
    (r"(?i)^([-+(]? ?)(?:€|euro?\.?) ?", r"\1"),
    (r"(?i) ?(?:€|euro?\.?)( ?[-)]?)$", r"\1"),
    (r"^\( ?([^-+()]+?) ?\)$", r"-\1"),
    (r"^([^-+()]+?) ?-$", r"-\1"),
    (r"^([-+]) +", r"\1"),
)
#: Thousands apart by one mark that is no point and no comma: it goes.
GROUPED = r"^[-+]?[1-9][0-9]{0,2}(?:(?: [0-9]{3})+|(?:'[0-9]{3})+|(?:’[0-9]{3})+)(?:[.,][0-9]+)?$"
GROUP_MARK = "[ '’]"

_MIDNIGHT = r"(?:[T ]00:00(?::00(?:\.0+)?)?)?"
_ISO_DATE = re.compile(rf"([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}}){_MIDNIGHT}")
_COMPACT_DATE = re.compile(r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})")
_SLASH_DATE = re.compile(rf"([0-9]{{1,2}})([/.-])([0-9]{{1,2}})\2([0-9]{{4}}){_MIDNIGHT}")
_EARLIEST = 1900
_MOMENT = re.compile(
    r"(?P<day>[0-9/.-]{8,10})"
    r"(?:(?:[T ] ?)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r" ?(?P<offset>[Zz]|[+-][01][0-9](?::?[0-5][0-9])?)?)?"
)
NOT_AN_AMOUNT = "not an amount: write 1234.56 or 1.234,56"
ENGLISH = "comma between thousands and point before decimals is not accepted: write 1234.56 or 1.234,56"
DECIMALS = "more than two decimals: an amount is in euro and cents"
TOO_LARGE = "too large: an amount has at most sixteen digits before the decimals"
EITHER_AMOUNT = (
    "ambiguous: {0} may be thousands or decimals, and the column's other values do not tell: "
    "deliver amounts with two decimals and a point (1234.56)"
)
NOT_A_DATE = "not a date: write 2025-12-31 or 31/12/2025"
NO_SUCH_DAY = "no such day in the calendar"
TOO_EARLY = f"not a plausible date: before the year {_EARLIEST}"
NOT_A_MOMENT = "not a date and time: write 2025-12-31T08:15:00+01:00, or 31/12/2025 08:15 as Italian local time"
NO_SUCH_TIME = "no such time of day"
SKIPPED_TIME = "no such time in Italy: clocks went forward over it; write it with its offset (+01:00 or +02:00)"
US_DATE = "month before day is not accepted: deliver ISO dates (2025-12-31)"
EITHER_DATE = (
    "ambiguous: day and month cannot be told apart, and no other date of the column tells which comes first: "
    "deliver ISO dates (2025-12-31)"
)


@dataclass(frozen=True)
class Reading:
    """What one text may mean.

    `value` is its only meaning, or `reason` says why it has none. An `either` text has one meaning for each
    evidence (`meanings`, itself readings) and waits for the column to decide. `evidence` is what this text
    tells about its column, null when it reads the same under every convention.
    """

    value: Any = None
    reason: str | None = None
    evidence: str | None = None
    meanings: tuple[tuple[str, Reading], ...] = ()

    @property
    def either(self) -> bool:
        """Whether only the column can decide."""
        return bool(self.meanings)


def _euro(text: str) -> Reading:
    """The amount written with a point before decimals and no thousands; two significant decimals at most."""
    whole, _, decimals = text.lstrip("+-").partition(".")
    if decimals.rstrip("0")[2:]:
        return Reading(reason=DECIMALS)
    if len(whole.lstrip("0")) > 16:
        return Reading(reason=TOO_LARGE)
    cents = Decimal(int(whole or "0") * 100 + int((decimals + "00")[:2])).scaleb(-2)
    return Reading(-cents if text.startswith("-") else cents)


def _with(reading: Reading, evidence: str) -> Reading:
    return Reading(reading.value, reading.reason, evidence)


def undressed(text: str) -> str:
    """The amount without what it is dressed in (see UNDRESS)."""
    for pattern, bare in UNDRESS:
        text = re.sub(pattern, bare, text)
    return re.sub(GROUP_MARK, "", text) if re.search(GROUPED, text) else text


def read_amount(text: str) -> Reading:
    """What an amount in euro means; `text` is trimmed, not empty. The value is a Decimal with two decimals.

    `1.234` and `1,234` (one to three digits, then exactly three) may be either. A sign may come first or last, or be
    parentheses; the currency may be named; thousands may be apart by points, spaces or apostrophes.
    """
    reading = read_bare_amount(text)
    if reading.reason == NOT_AN_AMOUNT and (bare := undressed(text)) != text:
        return read_bare_amount(bare)
    return reading


def read_bare_amount(text: str) -> Reading:
    """The same of an amount that is undressed already: what it still wears makes it none."""
    if _DIGITS.fullmatch(text):
        return _euro(text)
    if _EITHER.fullmatch(text):
        if "." in text:
            meanings = ((COMMA, _euro(text.replace(".", ""))), (POINT, _euro(text)))
        else:
            meanings = ((COMMA, _euro(text.replace(",", "."))), (POINT, Reading(reason=ENGLISH)))
        return Reading(reason=EITHER_AMOUNT.format(text), meanings=meanings)
    if _POINT.fullmatch(text):
        return _with(_euro(text), POINT)
    if _COMMA.fullmatch(text):
        return _with(_euro(text.replace(".", "").replace(",", ".")), COMMA)
    if _POINT_GROUPS.fullmatch(text):
        return _with(_euro(text.replace(".", "")), COMMA)
    if _ENGLISH.fullmatch(text):
        return Reading(reason=ENGLISH, evidence=POINT)
    return Reading(reason=NOT_AN_AMOUNT)


def _day(year: int, month: int, day: int) -> Reading:
    if year < _EARLIEST:
        return Reading(reason=TOO_EARLY)
    try:
        return Reading(dt.date(year, month, day))
    except ValueError:
        return Reading(reason=NO_SUCH_DAY)


def read_date(text: str) -> Reading:
    """What a date means: `text` is trimmed and not empty. A time of midnight after it is accepted; eight digits are
    ISO's year, month and day.

    With both numbers up to 12 and different, day/month/year waits for the column; month/day/year is never
    accepted, but a value that only it can read speaks against day/month/year.
    """
    if iso := _ISO_DATE.fullmatch(text):
        return _day(int(iso[1]), int(iso[2]), int(iso[3]))
    if compact := _COMPACT_DATE.fullmatch(text):
        # read from the other end, its first four digits would be a month past 12
        return _day(int(compact[1]), int(compact[2]), int(compact[3]))
    slash = _SLASH_DATE.fullmatch(text)
    if slash is None:
        return Reading(reason=NOT_A_DATE)
    first, second, year = int(slash[1]), int(slash[3]), int(slash[4])
    day_first = _day(year, second, first)
    if not (1 <= first <= 31 and 1 <= second <= 31) or first == second or (first > 12 and second > 12):
        return day_first
    if first > 12:
        return _with(day_first, DAY_FIRST)
    if second > 12:
        return Reading(reason=US_DATE, evidence=MONTH_FIRST)
    meanings = ((DAY_FIRST, day_first), (MONTH_FIRST, Reading(reason=US_DATE)))
    return Reading(reason=EITHER_DATE, meanings=meanings)


def read_moment(text: str) -> Reading:
    """What a moment means: a date, then a time (`T08:15`, ` 8:15:30`), then an offset (`Z`, `+01:00`) or nothing.

    Without an offset it is Italian local time: of the hour that comes twice the first is meant, the hour that
    does not exist is refused. A date alone is its midnight. The value is a datetime in UTC.
    """
    parts = _MOMENT.fullmatch(text)
    if parts is None:
        return Reading(reason=NOT_A_MOMENT)
    day = read_date(parts["day"])
    if day.either:
        meanings = tuple((told, _at(meaning, parts)) for told, meaning in day.meanings)
        return Reading(reason=EITHER_DATE, meanings=meanings)
    return _at(day, parts)


def _at(day: Reading, parts: re.Match[str]) -> Reading:
    if day.value is None:
        return day
    try:
        clock = dt.time(
            int(parts["hour"] or 0),
            int(parts["minute"] or 0),
            int(parts["second"] or 0),
            int((parts["fraction"] or "").ljust(6, "0")[:6]),
        )
    except ValueError:
        return Reading(reason=NO_SUCH_TIME, evidence=day.evidence)
    local = dt.datetime.combine(day.value, clock, _zone(parts["offset"]))
    moment = local.astimezone(dt.UTC)
    if moment.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
        return Reading(reason=SKIPPED_TIME, evidence=day.evidence)
    return Reading(moment, evidence=day.evidence)


def _zone(offset: str | None) -> dt.tzinfo:
    if offset is None:
        return ROME
    if offset in "Zz":
        return dt.UTC
    digits = offset[1:].replace(":", "").ljust(4, "0")
    ahead = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return dt.timezone(-ahead if offset[0] == "-" else ahead)


def settle(reading: Reading, evidence: frozenset[str]) -> Reading:
    """The reading once the whole column's evidence is known.

    A text with several meanings takes that of the column's only evidence; without evidence, or with both
    kinds, it stays refused.
    """
    if reading.either and len(evidence) == 1:
        (only,) = evidence
        return dict(reading.meanings)[only]
    return reading
