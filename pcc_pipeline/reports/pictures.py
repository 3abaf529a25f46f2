"""The charts of a report as plain shapes, drawn once and written as SVG (HTML) or as a drawing (PDF).

A chart is a Picture; `svg` and `drawing` write any Picture. No figure is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from html import escape
from typing import Any

from pcc_pipeline.italian import BUCKETS, VIEWS, number

COLOURS = {"pcc": "#8a94a6", "right": "#1f4e79", "projected": "#c9822b"}
WORSE, BETTER, INK, RULE = "#b23b3b", "#3d7a4f", "#222222", "#d5d9e0"
#: What operations settle of a difference, what waits for an answer.
SETTLED, OPEN = BETTER, "#c8791c"
#: Width of a letter at size 10, on average.
LETTER = 5.2


@dataclass(frozen=True)
class Rect:
    """A filled rectangle; y grows downwards, as in SVG."""

    x: float
    y: float
    width: float
    height: float
    fill: str


@dataclass(frozen=True)
class Path:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    stroke: str
    width: float = 1


@dataclass(frozen=True)
class Label:
    """Words at their base line; anchor start, middle or end."""

    x: float
    y: float
    words: str
    anchor: str = "start"
    size: float = 10
    fill: str = INK


@dataclass
class Picture:
    """Shapes on a sheet of so many points, with a sentence that says what is seen."""

    width: float
    height: float
    says: str
    shapes: list[Rect | Path | Label] = field(default_factory=list)


def svg(picture: Picture) -> str:
    """The picture as an inline SVG element."""
    parts = []
    for shape in picture.shapes:
        if isinstance(shape, Rect):
            parts.append(
                f'<rect x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" height="{shape.height:.1f}" '
                f'fill="{shape.fill}"/>'
            )
        elif isinstance(shape, Path):
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
            parts.append(f'<polyline points="{points}" fill="none" stroke="{shape.stroke}" stroke-width="{shape.width}"/>')
        else:
            parts.append(
                f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" font-size="{shape.size}" text-anchor="{shape.anchor}" '
                f'fill="{shape.fill}">{escape(shape.words)}</text>'
            )
    return (
        f'<svg viewBox="0 0 {picture.width:.0f} {picture.height:.0f}" role="img" '
        f'font-family="Helvetica, Arial, sans-serif"><title>{escape(picture.says)}</title>{"".join(parts)}</svg>'
    )


def drawing(picture: Picture, width: float) -> Any:
    """The picture as a ReportLab drawing of that width, in points."""
    from reportlab.graphics import shapes
    from reportlab.lib.colors import HexColor

    scale = width / picture.width
    made = shapes.Drawing(width, picture.height * scale)
    group = shapes.Group(transform=(scale, 0, 0, scale, 0, 0))
    for shape in picture.shapes:
        if isinstance(shape, Rect):
            y = picture.height - shape.y - shape.height
            group.add(shapes.Rect(shape.x, y, shape.width, shape.height, fillColor=HexColor(shape.fill), strokeColor=None))
        elif isinstance(shape, Path):
            flat = [n for x, y in shape.points for n in (x, picture.height - y)]
            group.add(shapes.PolyLine(flat, strokeColor=HexColor(shape.stroke), strokeWidth=shape.width))
        else:
            group.add(
                shapes.String(
                    shape.x,
                    picture.height - shape.y,
                    shape.words,
                    fontSize=shape.size,
                    textAnchor=shape.anchor,
                    fillColor=HexColor(shape.fill),
                    fontName="Helvetica",
                )
            )
    made.add(group)
    return made


def ageing(by_view: Mapping[str, Mapping[str, Decimal]]) -> Picture:
    """The debt by days past due, PCC's bars beside the right ones."""
    picture = Picture(640, 240, "Debito per giorni di ritardo")
    views, buckets = ("pcc", "right"), list(BUCKETS)
    scale = _Scale([amount for view in views for amount in by_view[view].values()], 200, 30)
    _axis(picture, scale, 70)
    step = (picture.width - 80) / len(buckets)
    for place, bucket in enumerate(buckets):
        left = 75 + place * step
        for number_, view in enumerate(views):
            amount = by_view[view][bucket]
            top, height = scale.bar(amount)
            picture.shapes.append(Rect(left + 8 + number_ * step * 0.38, top, step * 0.36, height, COLOURS[view]))
        picture.shapes.append(Label(left + step / 2, 216, BUCKETS[bucket], "middle", 9))
    _legend(picture, views, 232)
    return picture


def trend(by_view: Mapping[str, Sequence[tuple[date, Decimal]]]) -> Picture:
    """The stock at each month's end."""
    picture = Picture(640, 240, "Andamento dello stock, fine mese")
    views = [view for view in ("pcc", "right") if by_view[view]]
    scale = _Scale([amount for view in views for _, amount in by_view[view]], 200, 30)
    _axis(picture, scale, 70)
    days = sorted({day for view in views for day, _ in by_view[view]})
    at = {day: 80 + (picture.width - 100) * place / max(len(days) - 1, 1) for place, day in enumerate(days)}
    for view in views:
        points = tuple((at[day], scale.y(amount)) for day, amount in by_view[view])
        if len(points) > 1:
            picture.shapes.append(Path(points, COLOURS[view], 2))
    for place, day in enumerate(days):
        if place % max(len(days) // 8, 1) == 0:
            picture.shapes.append(Label(at[day], 216, f"{day:%m/%Y}", "middle", 9))
    _legend(picture, views, 232)
    return picture


@dataclass(frozen=True)
class Bar:
    """A bar of a waterfall: its words, from which amount to which, its colour, the amount told beside it."""

    words: str
    start: Decimal
    end: Decimal
    fill: str
    told: Decimal


def waterfall(pcc: Decimal, parts: Sequence[tuple[str, Decimal]], right: Decimal) -> Picture:
    """From PCC's stock to the right one: what each anomaly takes away or adds. Parts sum to the difference."""
    told = [part for part in parts if part[1]][:9]
    rest = pcc - right - sum((amount for _, amount in told), Decimal(0))
    steps = [*told, *([("altre", rest)] if rest else [])]
    bars, at = [Bar("Stock PCC", Decimal(0), pcc, COLOURS["pcc"], pcc)], pcc
    for code, amount in steps:
        bars.append(Bar(code, at, at - amount, BETTER if amount > 0 else WORSE, -amount))
        at -= amount
    bars.append(Bar("Stock corretto", Decimal(0), right, COLOURS["right"], right))
    return _falling(bars, "Dallo stock di PCC a quello corretto, per anomalia")


def settled_waterfall(pcc: Decimal, parts: Sequence[tuple[str, Decimal, Decimal]], right: Decimal) -> Picture:
    """From PCC's stock to the projected one by what operations settle, then to the right one by what waits for answers.

    A part is a code, what is settled, what remains; the parts sum to the difference.
    """
    return _falling(settled_bars(pcc, parts, right), "Dallo stock di PCC a quello corretto, passando per le operazioni")


def settled_bars(pcc: Decimal, parts: Sequence[tuple[str, Decimal, Decimal]], right: Decimal) -> list[Bar]:
    """The bars of `settled_waterfall`."""
    bars, at = [Bar("Stock PCC", Decimal(0), pcc, COLOURS["pcc"], pcc)], pcc
    for code, settled, _ in parts:
        if settled:
            bars.append(Bar(code, at, at - settled, SETTLED, -settled))
            at -= settled
    bars.append(Bar("Stock proiettato", Decimal(0), at, COLOURS["projected"], at))
    for code, _, remaining in parts:
        if remaining:
            bars.append(Bar(code, at, at - remaining, OPEN, -remaining))
            at -= remaining
    return [*bars, Bar("Stock corretto", Decimal(0), right, COLOURS["right"], right)]


def _falling(bars: Sequence[Bar], says: str) -> Picture:
    picture = Picture(640, 16 + 22 * len(bars), says)
    edges = [Decimal(0), *(edge for bar in bars for edge in (bar.start, bar.end))]
    left, width = 200.0, picture.width - 320
    span = float(max(edges) - min(edges)) or 1.0

    def x(amount: Decimal) -> float:
        return left + width * float(amount - min(edges)) / span

    for place, bar in enumerate(bars):
        y = 10.0 + 22 * place
        low, high = sorted((x(bar.start), x(bar.end)))
        picture.shapes.append(Label(left - 8, y + 12, bar.words[:40], "end", 9))
        picture.shapes.append(Rect(low, y + 2, max(high - low, 0.8), 14, bar.fill))
        picture.shapes.append(Label(max(high, x(Decimal(0))) + 5, y + 12, number(bar.told), "start", 9))
    return picture


def columns(
    says: str, values: Sequence[tuple[str, float]], *, most: float | None = None, least: float | None = None, floor: float = 0
) -> Picture:
    """Columns with their values, and a line at a limit: `most` not to be passed, or `least` to be reached.

    Heights begin at `floor` (or the least value, if lower). Nothing is drawn without values.
    """
    picture = Picture(720, 190, says)
    if not values:
        return picture
    limit = most if most is not None else least
    step = picture.width / len(values)
    told = [value for _, value in values]
    low = min(floor, *told)
    top = max([*told, *([] if limit is None else [limit])]) * (1.0 if floor else 1.08) or 1.0
    scale = 130 / ((top - low) or 1.0)
    picture.shapes.append(Label(4, 16, says, "start", 13))
    for place, (name, value) in enumerate(values):
        tall, middle = max(1.0, (value - low) * scale), place * step + step / 2
        missed = (most is not None and value > most) or (least is not None and value < least)
        fill = WORSE if missed else COLOURS["right"]
        picture.shapes.append(Rect(place * step + step * 0.15, 160 - tall, step * 0.7, tall, fill))
        picture.shapes.append(Label(middle, 156 - tall, number(value, 1 if floor else 0), "middle"))
        picture.shapes.append(Label(middle, 176, name, "middle"))
    if limit is not None:
        y = 160 - (limit - low) * scale
        picture.shapes.append(Path(((0, y), (picture.width, y)), WORSE))
    return picture


def creditors(rows: Sequence[tuple[str, Decimal]]) -> Picture:
    """Who is owed most, in the right stock."""
    picture = Picture(640, 20 + 22 * max(len(rows), 1), "Maggiori creditori")
    if not rows:
        picture.shapes.append(Label(8, 20, "Nessun creditore nello stock"))
    most = max([abs(float(amount)) for _, amount in rows] or [1.0]) or 1.0
    for place, (name, amount) in enumerate(rows):
        y = 8.0 + 22 * place
        width = 330 * abs(float(amount)) / most
        picture.shapes.append(Label(212, y + 12, name if len(name) < 40 else name[:38] + "…", "end", 9))
        picture.shapes.append(Rect(220, y + 2, max(width, 0.8), 14, COLOURS["right"] if amount >= 0 else BETTER))
        picture.shapes.append(Label(225 + width, y + 12, number(amount), "start", 9))
    return picture


class _Scale:
    """Amounts to heights between a bottom and a top; zero is always on it."""

    def __init__(self, amounts: Sequence[Decimal], bottom: float, top: float) -> None:
        self.least = min([0.0, *map(float, amounts)])
        self.most = max([0.0, *map(float, amounts)]) or 1.0
        self._bottom, self._top = bottom, top

    def y(self, amount: Decimal | float) -> float:
        return self._bottom - (self._bottom - self._top) * (float(amount) - self.least) / (self.most - self.least)

    def bar(self, amount: Decimal) -> tuple[float, float]:
        """Top and height of a bar from zero."""
        ends = sorted((self.y(0), self.y(amount)))
        return ends[0], ends[1] - ends[0]


def _axis(picture: Picture, scale: _Scale, left: float) -> None:
    for step in range(5):
        amount = scale.least + (scale.most - scale.least) * step / 4
        y = scale.y(amount)
        picture.shapes.append(Path(((left, y), (picture.width - 5, y)), RULE, 0.6))
        picture.shapes.append(Label(left - 5, y + 3, _short(amount), "end", 9))


def _short(amount: float) -> str:
    for limit, unit in ((1e6, " M"), (1e3, " k")):
        if abs(amount) >= limit:
            return f"{amount / limit:.1f}{unit}".replace(".", ",")
    return f"{amount:.0f}"


def _legend(picture: Picture, views: Sequence[str], y: float) -> None:
    x = 75.0
    for view in views:
        picture.shapes.append(Rect(x, y - 8, 9, 9, COLOURS[view]))
        picture.shapes.append(Label(x + 13, y, VIEWS[view], "start", 9))
        x += 30 + LETTER * len(VIEWS[view])
