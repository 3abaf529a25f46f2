"""How one number or date is read: Italian (`1.234,56`, `31/12/2025`) or ISO (`1234.56`, `2025-12-31`).

Here lives the reading of single values, the evidence that a value gives about its column and the choice that
the column's evidence allows. This is the reference: `columns` does the same on whole arrays and comes back
here for every value that is not plain. No file and no table is known here.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from pcc_pipeline.clock import ROME, today

POINT = "point"  # evidence: the point divides the decimals (ISO)
COMMA = "comma"  # evidence: the comma divides the decimals (Italian)
DAY_FIRST = "day first"  # evidence: dates are day/month/year (Italian)
MONTH_FIRST = "month first"  # evidence: dates are month/day/year, which no feed may use
YEAR_FIRST = "year first"  # evidence: dates of two-digit years are year/month/day, which no feed may use

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

_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_COMPACT_DATE = re.compile(r"((?:19|20|99)[0-9]{2})([0-9]{2})([0-9]{2})")
_SLASH_DATE = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})")
_SHORT_DATE = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{2})")
_WORD_DATE = re.compile(r"([0-9]{1,2})(?:°|º)?[ ./-]?([A-Za-zì]{3,10})\.?[ ./-]?([0-9]{4}|[0-9]{2})")
#: Months in Italian and English, and how databases shorten them: no word means two.
_MONTHS = {
    word: month
    for month, names in enumerate(
        (
            "gennaio january", "febbraio february", "marzo march", "aprile april", "maggio may", "giugno june",
            "luglio july", "agosto august", "settembre september sett sept", "ottobre october", "novembre november",
            "dicembre december",
        ),
        1,
    )
    for name in names.split()
    for word in (name, name[:3])
}  # fmt: skip
#: A time of day after a date, as it is written by programs; with its offset from Greenwich or without. RE2 reads it too.
TIME = r"(?:T| +)([01]?[0-9]|2[0-3])[:.]([0-5][0-9])(?:[:.]([0-5][0-9])(?:[.,][0-9]{1,9})?)?(?: ?([AaPp])\.?[Mm]\.?)?"
OFFSET = r"(?: ?([Zz]|[+-][01][0-9](?::?[0-5][0-9])?))?"
_TIMED = re.compile(rf"(.{{6,17}}?){TIME}{OFFSET}")
_MIDNIGHT = re.compile(r"(?:T| +)(?:00?|12(?=.*[Aa]))[:.]00(?:[:.]00(?:[.,]0+)?)?(?: ?[Aa]\.?[Mm]\.?)?")

#: The least day that a row must have (of issue, of payment): what is before it is a program's word for none, or a slip.
#: The days that it may have pass as written: the models judge them (docs/rules.md#rule-2).
EARLIEST = dt.date(2000, 1, 1)
#: Years after the present one in which such a day may still be.
AHEAD = 10
#: Columns of days that may well be some years from now.
DUE = frozenset({"data_scadenza"})
_MOMENT = re.compile(
    r"(?P<day>[0-9/.-]{8,10})"
    r"(?:(?:[T ] ?)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r" ?(?P<offset>[Zz]|[+-][01][0-9](?::?[0-5][0-9])?)?)?"
)
_FIRST_MOMENT = 1900
NOT_AN_AMOUNT = "non è un importo: scrivere 1234.56 o 1.234,56"
ENGLISH = "virgola per le migliaia e punto per i decimali non sono ammessi: scrivere 1234.56 o 1.234,56"
DECIMALS = "più di due decimali: un importo è in euro e centesimi"
TOO_LARGE = "troppo grande: un importo ha al più sedici cifre prima dei decimali"
#: How the reason begins of a value that the rest of its column could have told.
AMBIGUOUS = "valore ambiguo: "
EITHER_AMOUNT = (
    f"{AMBIGUOUS}{{0}} può avere migliaia o decimali, e gli altri valori della colonna non lo dicono: "
    "consegnare importi con il punto e due decimali (1234.56)"
)
NOT_A_DATE = "non è una data: scrivere 2025-12-31 o 31/12/2025"
NO_SUCH_DAY = "giorno che il calendario non ha"
TOO_EARLY = f"data impossibile: prima del {EARLIEST.year}"
TOO_LATE = f"data impossibile: oltre {AHEAD} anni nel futuro"
NOT_A_MOMENT = "non è una data con ora: scrivere 2025-12-31T08:15:00+01:00, o 31/12/2025 08:15 in ora italiana"
NO_MOMENT = f"data impossibile: prima del {_FIRST_MOMENT}, o l'ultima di tutte"
NO_SUCH_TIME = "ora che non esiste"
SKIPPED_TIME = "ora che in Italia non c'è stata (inizio dell'ora legale): scriverla con il fuso (+01:00 o +02:00)"
_ISO = "consegnare date ISO (2025-12-31)"
US_DATE = f"il mese prima del giorno non è ammesso: {_ISO}"
SHORT_YEAR = (
    f"l'anno ha due cifre e viene, o può venire, per primo: {_ISO}, "
    'o indicare nel layout come le scrive la colonna (dates: "%d/%m/%y")'
)
EITHER_DATE = f"{AMBIGUOUS}giorno e mese non si distinguono, e nessun'altra data della colonna dice quale viene prima: {_ISO}"


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
    try:
        return Reading(dt.date(year, month, day))
    except ValueError:
        return Reading(reason=NO_SUCH_DAY)


def last_day() -> dt.date:
    """The last day of those that a row must have."""
    return dt.date(today().year + AHEAD, 12, 31)


def read_date(text: str, ahead: int = 1) -> Reading:
    """What a date means: `text` is trimmed and not empty. A time of day after it is dropped: with an offset from
    Greenwich the day is Italy's. Eight digits are ISO's year, month and day; months may be words.

    With both numbers up to 12 and different, day/month/year waits for the column; month/day/year is never
    accepted, but a value that only it can read speaks against day/month/year. A year of two digits waits, too, unless
    it can only come last: read as the first it would be more than `ahead` years from now.
    """
    timed = _TIMED.fullmatch(text)
    if timed is None:
        return _read_day(text, ahead)
    day = _read_day(timed[1], ahead)
    if timed[6] is None:
        return day
    meanings = tuple((told, _in_rome(meaning, timed)) for told, meaning in day.meanings)
    return replace(_in_rome(day, timed), meanings=meanings)


def _in_rome(day: Reading, timed: re.Match[str]) -> Reading:
    if day.value is None:
        return day
    hour = int(timed[2]) % 12 + (12 if timed[5] in "Pp" else 0) if timed[5] else int(timed[2])
    moment = dt.datetime.combine(day.value, dt.time(hour, int(timed[3])), _zone(timed[6]))
    try:
        return replace(day, value=moment.astimezone(ROME).date())
    except OverflowError:
        return day


def has_time(text: str) -> bool:
    """Whether a date has a time of day after it that is not midnight."""
    timed = _TIMED.fullmatch(text)
    return timed is not None and (timed[6] is not None or not _MIDNIGHT.fullmatch(text, timed.end(1)))


def _read_day(text: str, ahead: int) -> Reading:
    if iso := _ISO_DATE.fullmatch(text):
        return _day(int(iso[1]), int(iso[2]), int(iso[3]))
    if compact := _COMPACT_DATE.fullmatch(text):
        # read from the other end, its first four digits would be a month past 12
        return _day(int(compact[1]), int(compact[2]), int(compact[3]))
    if word := _WORD_DATE.fullmatch(text):
        month = _MONTHS.get(word[2].lower())
        return Reading(reason=NOT_A_DATE) if month is None else _day(_whole_year(word[3]), month, int(word[1]))
    if short := _SHORT_DATE.fullmatch(text):
        return _short_date(int(short[1]), int(short[3]), short[4], ahead)
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


def _whole_year(written: str) -> int:
    """The year; of two digits that of this century up to 49, as databases have it."""
    year = int(written)
    return year if len(written) == 4 else year + (2000 if year < 50 else 1900)


def _short_date(first: int, second: int, written: str, ahead: int) -> Reading:
    last = int(written)
    day_first = _day(_whole_year(written), second, first)
    month_first = _day(_whole_year(written), first, second)
    year_first = _day(_whole_year(f"{first:02d}"), second, last)
    if year_first.value is not None and year_first.value.year > today().year + ahead:
        year_first = Reading(reason=NO_SUCH_DAY)
    if first == second and day_first.value is not None:
        month_first = Reading(reason=NO_SUCH_DAY)
    found = [
        (evidence, reading)
        for evidence, reading in (
            (DAY_FIRST, day_first),
            (MONTH_FIRST, Reading(reason=US_DATE) if month_first.value else month_first),
            (YEAR_FIRST, Reading(reason=SHORT_YEAR) if year_first.value else year_first),
        )
        if reading.reason != NO_SUCH_DAY
    ]
    if not found:
        return Reading(reason=NO_SUCH_DAY)
    if len(found) == 1:
        return _with(found[0][1], found[0][0])
    if DAY_FIRST not in dict(found):
        return Reading(reason=SHORT_YEAR)
    return Reading(reason=SHORT_YEAR if YEAR_FIRST in dict(found) else EITHER_DATE, meanings=tuple(found))


def read_moment(text: str) -> Reading:
    """What a moment means: a date, then a time (`T08:15`, ` 8:15:30`), then an offset (`Z`, `+01:00`) or nothing.

    Without an offset it is Italian local time: of the hour that comes twice the first is meant, the hour that
    does not exist is refused. A date alone is its midnight. The value is a datetime in UTC.
    """
    parts = _MOMENT.fullmatch(text)
    if parts is None:
        return Reading(reason=NOT_A_MOMENT)
    day = _read_day(parts["day"], 1)
    if day.either:
        meanings = tuple((told, _at(meaning, parts)) for told, meaning in day.meanings)
        return Reading(reason=EITHER_DATE, meanings=meanings)
    return _at(day, parts)


def _at(day: Reading, parts: re.Match[str]) -> Reading:
    if day.value is None:
        return day
    if not _FIRST_MOMENT <= day.value.year < dt.MAXYEAR:
        return Reading(reason=NO_MOMENT, evidence=day.evidence)
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
        return dict(reading.meanings).get(only, reading)
    return reading
