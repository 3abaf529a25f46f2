"""Which layout: that of an ente's accounting system, or the one that a file fits best."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pcc_pipeline.formats.names import plain
from pcc_pipeline.formats.rows import WHOLE
from pcc_pipeline.formats.source import Source
from pcc_pipeline.formats.tabular.headers import Header, HeaderPlan
from pcc_pipeline.formats.tabular.layouts.load import layouts
from pcc_pipeline.formats.tabular.layouts.model import Layout
from pcc_pipeline.formats.tabular.parts import open_parts
from pcc_pipeline.tables.feeds import FEEDS

#: Kinds that an accounting system writes, and those that PCC exports: the product of their layouts is PCC.
KINDS = ("erp_invoices", "erp_payments")
PCC, PCC_KINDS = "PCC", ("pcc_invoices", "pcc_operations")


def layout_of(product: str | None, version: str | None) -> Layout | None:
    """The layout of a product's release (the register's `gestionale`, `versione_gestionale`); null when the product
    is not known, which then writes the standard columns.

    The release is compared by its beginning (`4` is `4.3`'s); one that no layout names is read as the next older
    one, or the oldest.
    """
    known = [layout for layout in layouts().values() if product and plain(layout.product) == plain(product)]
    if not known:
        return None
    mine = _release(version or "")
    fitting = [
        (len(_release(start)), layout)
        for layout in known
        for start in layout.versions
        if _release(start) == mine[: len(_release(start))]
    ]
    if fitting:
        return max(fitting, key=lambda found: found[0])[1]
    dated = sorted((_release(start), layout.name) for layout in known for start in layout.versions)
    older = [name for release, name in dated if release <= mine] or [name for _, name in dated[:1]]
    return layouts()[older[-1]] if older else known[0]


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", version))


def plan_of(kind: str, layout: Layout) -> HeaderPlan | None:
    """How that layout reads a kind; null when it says nothing of it."""
    found = layout.kinds.get(kind)
    net = kind == "erp_payments" and layout.payments == "net"
    return None if found is None else HeaderPlan(FEEDS[kind], found, layout.name, net)


def plans_for(kind: str, layout: Layout | None, path: Path, folder: Path) -> list[HeaderPlan]:
    """How a file of an ente may be read: by its accounting system's layout, by those of PCC's exports where the kind
    is PCC's, the one that its columns fit best first, else by the standard columns."""
    mine = plan_of(kind, layout) if layout else None
    plans = [HeaderPlan(FEEDS[kind])]
    if kind in PCC_KINDS:
        exports = [plan_of(kind, known) for known in layouts().values() if plain(known.product) == plain(PCC)]
        plans = [*(plan for plan in exports if plan), *plans]
        if len(plans) > 1:
            plans = [fit.plan for fit in sorted((_fit(plan, path, folder) for plan in plans), key=lambda fit: -fit.score)]
    return [*([mine] if mine else []), *plans]


@dataclass(frozen=True)
class Fit:
    """How a file fits a plan: its header and the share of it that is known; `whole` when nothing needed is missing."""

    plan: HeaderPlan
    header: Header
    whole: bool
    reason: str | None
    score: float


def fits(kind: str, path: Path, folder: Path, among: Iterable[Layout] | None = None) -> list[Fit]:
    """How a file fits each layout (all, unless told), best first."""
    found = []
    for layout in layouts().values() if among is None else among:
        plan = HeaderPlan(FEEDS[kind], None, layout.name) if not layout.kinds else plan_of(kind, layout)
        if plan is not None:
            found.append(_fit(plan, path, folder))
    return sorted(found, key=lambda fit: -fit.score)


def _fit(plan: HeaderPlan, path: Path, folder: Path) -> Fit:
    parts, flaw = open_parts([plan], path, folder)
    header = parts[0].header if parts else Header(())
    names = [name for name in header.names if name]
    known = sum(column is not None for column in header.columns)
    score = (known / len(names) if names else 0.0) + (0 if flaw else 1)
    return Fit(plan, header, flaw is None, flaw.reason if flaw else None, score)


def difference(source: Source, layout: Layout | None, folder: Path) -> str:
    """For a file that fits no layout of its ente: the nearest of all, and what the file has otherwise."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        best = next(iter(fits(source.kind, source.path, Path(scratch))), None)
    mine = layout.name if layout else "standard"
    if best is None:
        return f"il layout dell'ente è {mine}"
    if best.whole:
        remedy = "correggere gestionale e versione_gestionale nell'anagrafica degli enti"
        return f"corrisponde al layout {best.plan.name}, non a quello dell'ente ({mine}): {remedy}"
    told = (best.reason or "").removeprefix(WHOLE)
    unknown = ", ".join(name[:40] for name in best.header.unknown[:10])
    told += f"; colonne che non conosce: {unknown}" if unknown else ""
    return f"non corrisponde a nessun layout; il più vicino è {best.plan.name}: {told}"
