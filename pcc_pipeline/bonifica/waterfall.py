"""The waterfall from PCC's stock to the right one, as inline SVG: a bar a code, what operations settle beside what remains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from pcc_pipeline.bonifica.facts import Step

WIDTH, BAR, TOP, LABEL = 960, 26, 10, 250
PLOT = WIDTH - LABEL - 150


@dataclass(frozen=True)
class Bar:
    """A horizontal bar from one amount to another."""

    label: str
    start: Decimal
    end: Decimal
    kind: str  # stock, settled or open
    shown: Decimal


def bars(pcc: Decimal, right: Decimal, steps: Sequence[Step]) -> list[Bar]:
    """PCC's stock, what operations settle code by code, the projected stock, what remains code by code, the right stock."""
    made, at = [Bar("Stock su PCC", Decimal(0), pcc, "stock", pcc)], pcc
    for step in steps:
        if step.settled:
            made.append(Bar(step.code, at, at - step.settled, "settled", -step.settled))
            at -= step.settled
    made.append(Bar("Stock proiettato", Decimal(0), at, "stock", at))
    for step in steps:
        if step.remaining:
            made.append(Bar(step.code, at, at - step.remaining, "open", -step.remaining))
            at -= step.remaining
    made.append(Bar("Stock giusto", Decimal(0), right, "stock", right))
    return made


def svg(drawn: Sequence[Bar]) -> str:
    """The bars as an SVG element."""
    edges = [Decimal(0), *(edge for bar in drawn for edge in (bar.start, bar.end))]
    low, high = min(edges), max(edges)
    scale = Decimal(PLOT) / (high - low or Decimal(1))

    def x(amount: Decimal) -> float:
        return float(LABEL + (amount - low) * scale)

    height = TOP * 2 + BAR * len(drawn)
    lines = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Dallo stock su PCC allo stock giusto">']
    lines.append(f'<line x1="{x(Decimal(0)):.1f}" y1="{TOP}" x2="{x(Decimal(0)):.1f}" y2="{height - TOP}" class="axis"/>')
    for number, bar in enumerate(drawn):
        y, left, right = TOP + BAR * number, min(bar.start, bar.end), max(bar.start, bar.end)
        lines.append(f'<text x="{LABEL - 8}" y="{y + 17}" text-anchor="end">{escape(bar.label)}</text>')
        lines.append(
            f'<rect x="{x(left):.1f}" y="{y + 4}" width="{max(x(right) - x(left), 1.0):.1f}" height="{BAR - 8}" '
            f'class="{bar.kind}"/>'
        )
        lines.append(f'<text x="{x(right) + 6:.1f}" y="{y + 17}">{euro(bar.shown)}</text>')
    return "\n".join([*lines, "</svg>"])


def euro(amount: Decimal) -> str:
    """1234567.89 as 1.234.567,89."""
    return f"{amount:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")
