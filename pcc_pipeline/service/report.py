"""The page of an ente's service levels: tables and pictures in one HTML file that needs nothing else.

Reads published tables of that ente alone. Text is Italian, as the ente reads it; pictures are inline SVG.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.clock import ROME
from pcc_pipeline.database.schema import table

CHANNELS = {
    "ALL": "Tutti",
    "SCRIVANIA": "Scrivania",
    "TELEFONO": "Telefono",
    "EMAIL": "E-mail",
    "UNKNOWN": "Non noto",
}
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;color:#1c2733;max-width:72rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.2rem}table{border-collapse:collapse;width:100%;font-size:.9rem}"
    "th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid #dde3ea}th:first-child,td:first-child,th:nth-child(2),"
    "td:nth-child(2){text-align:left}svg{width:100%;height:auto;margin:.6rem 0}.bad{color:#b3261e;font-weight:600}small{color:#5a6876}"
)

Rows = Sequence[Mapping[str, Any]]


def report(engine: sa.Engine, ente: str) -> str:
    """The page of an ente, as HTML."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        tickets, ratings, availability, breaches = (
            _rows(connection, name, ente)
            for name in ("sla_tickets", "sla_satisfaction", "sla_availability", "sla_breaches")
        )
    parts = [_tickets(tickets), _breaches(breaches), _satisfaction(ratings), _availability(availability)]
    seen = max((row["seen_until"] for rows in (tickets, ratings, availability) for row in rows), default=None)
    when = (
        f"<small>Dati fino al {seen.astimezone(ROME):%d/%m/%Y %H:%M}.</small>"
        if isinstance(seen, datetime)
        else ""
    )
    title = f"Livelli di servizio — {escape(ente)}"
    return (
        f'<!doctype html>\n<html lang="it"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><h1>{title}</h1>{when}{''.join(parts)}</body></html>\n"
    )


def _rows(connection: sa.Connection, name: str, ente: str) -> Rows:
    t = table(name)
    order = [t.c[column] for column in ("period", "channel", "service", "opened_at") if column in t.c]
    return [
        dict(row._mapping)
        for row in connection.execute(sa.select(t).where(t.c.ente == ente).order_by(*order))
    ]


def _number(value: Any, digits: int = 0) -> str:
    if value is None:
        return "–"
    text = f"{Decimal(value):,.{digits}f}"
    return text.translate(str.maketrans(",.", ".,"))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "<p>Nessun dato.</p>"
    cells = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{''.join(f'<th>{escape(name)}</th>' for name in head)}</tr></thead><tbody>{cells}</tbody></table>"


def _marked(text: str, bad: bool) -> str:
    return f'<span class="bad">{text}</span>' if bad else text


def _tickets(rows: Rows) -> str:
    shown = [
        [row["period"] + (" chiuso" if row["closed"] else ""), CHANNELS[row["channel"]], str(row["opened"]), str(row["open_now"]),
         _number(row["mean_minutes"]), _number(row["median_minutes"]), _number(row["p90_minutes"]),
         _marked(_number(row["max_minutes"]), row["max_minutes"] > row["limit_minutes"]),
         f"{_number(row['within_share'], 1)} %", _marked(str(row["breaches"]), row["breaches"] > 0), str(row["about_to_breach"])]
        for row in rows
    ]  # fmt: skip
    head = (
        "Periodo",
        "Canale",
        "Aperte",
        "Ancora aperte",
        "Media",
        "Mediana",
        "90° perc.",
        "Massimo",
        "Nei termini",
        "Oltre",
        "In scadenza",
    )
    months = [row for row in rows if row["channel"] == "ALL" and row["period_kind"] == "month"]
    limit = float(months[-1]["limit_minutes"]) if months else 0
    pictures = bars("Segnalazioni aperte per mese", [(row["period"], float(row["opened"])) for row in months])
    pictures += bars(
        "Tempo massimo di primo contatto, minuti lavorativi",
        [(r["period"], float(r["max_minutes"])) for r in months],
        limit,
    )
    return f"<h2>Segnalazioni e primo contatto (minuti lavorativi)</h2>{pictures}{_table(head, shown)}"


def _breaches(rows: Rows) -> str:
    shown = [
        [f"{row['opened_at'].astimezone(ROME):%d/%m/%Y %H:%M}", escape(row["subject"] or row["id_ticket"]), CHANNELS[row["channel"]],
         _number(row["minutes"]), _marked(_number(row["over_minutes"]), row["over_minutes"] is not None), _number(row["left_minutes"]),
         f"{row['deadline_at'].astimezone(ROME):%d/%m/%Y %H:%M}" if row["deadline_at"] else "–"]
        for row in rows
    ]  # fmt: skip
    head = ("Aperta il", "Oggetto", "Canale", "Minuti", "Oltre di", "Restano", "Limite")
    return f"<h2>Oltre il limite e in scadenza</h2>{_table(head, shown)}"


def _satisfaction(rows: Rows) -> str:
    shown = [
        [row["period"], CHANNELS[row["channel"]], str(row["ratings"]), f"{row['positive']} ({_number(row['positive_share'], 1)} %)",
         f"{row['neutral']} ({_number(row['neutral_share'], 1)} %)", f"{row['negative']} ({_number(row['negative_share'], 1)} %)",
         "–" if row["trend"] is None else f"{'+' if row['trend'] > 0 else ''}{_number(row['trend'], 1)}"]
        for row in rows
    ]  # fmt: skip
    head = ("Periodo", "Canale", "Giudizi", "Positivi", "Neutri", "Negativi", "Andamento (punti)")
    months = [row for row in rows if row["channel"] == "ALL" and row["period_kind"] == "month"]
    picture = bars(
        "Giudizi positivi, percento", [(row["period"], float(row["positive_share"])) for row in months]
    )
    return f"<h2>Soddisfazione</h2>{picture}{_table(head, shown)}"


def _availability(rows: Rows) -> str:
    shown = [
        [row["period"], "Servizio" if row["service"] == "ALL" else escape(row["service"]),
         _marked(f"{_number(row['availability'], 3)} %", not row["met"]), f"{_number(row['target'], 0)} %", _number(row["down_minutes"], 1),
         str(row["outages"]), _number(row["budget_minutes"], 1), _marked(_number(row["budget_left_minutes"], 1), row["budget_left_minutes"] < 0)]
        for row in rows
    ]  # fmt: skip
    head = (
        "Periodo",
        "Componente",
        "Disponibilità",
        "Garantita",
        "Minuti fermi",
        "Fermi",
        "Minuti ammessi",
        "Ne restano",
    )
    months = [row for row in rows if row["service"] == "ALL" and row["period_kind"] == "month"]
    target = float(months[-1]["target"]) if months else 0
    picture = bars(
        "Disponibilità del servizio, percento",
        [(r["period"], float(r["availability"])) for r in months],
        target,
        floor=95,
    )
    return f"<h2>Disponibilità</h2>{picture}{_table(head, shown)}"


def bars(title: str, values: Sequence[tuple[str, float]], limit: float = 0, floor: float = 0) -> str:
    """Bars with their values, and a dashed line at `limit` unless zero, as an inline SVG; nothing without values."""
    if not values:
        return ""
    width, height, step = 720, 190, 720 / len(values)
    low = min([floor, *(value for _, value in values)]) if floor else 0.0
    top = max([limit, *(value for _, value in values)]) * (1.0 if floor else 1.08) or 1.0
    scale = 130 / ((top - low) or 1.0)
    parts = [f'<text x="4" y="16" font-size="13" font-weight="600">{escape(title)}</text>']
    for place, (name, value) in enumerate(values):
        tall = max(1.0, (value - low) * scale)
        x, bad = place * step + step * 0.15, bool(limit) and ((value < limit) if floor else (value > limit))
        colour = "#b3261e" if bad else "#2f6db0"
        parts.append(
            f'<rect x="{x:.1f}" y="{160 - tall:.1f}" width="{step * 0.7:.1f}" height="{tall:.1f}" fill="{colour}"/>'
        )
        middle = place * step + step / 2
        parts.append(
            f'<text x="{middle:.1f}" y="{156 - tall:.1f}" font-size="10" text-anchor="middle">{_number(value, 1 if floor else 0)}</text>'
        )
        parts.append(
            f'<text x="{middle:.1f}" y="176" font-size="10" text-anchor="middle">{escape(name)}</text>'
        )
    if limit:
        y = 160 - (limit - low) * scale
        parts.append(
            f'<line x1="0" x2="{width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#b3261e" stroke-dasharray="5 4"/>'
        )
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )
