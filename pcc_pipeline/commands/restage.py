"""`pcc restage`: reading the kept bytes of a kind again. The work is in `pcc_pipeline.arrival.staging`."""

from __future__ import annotations

from typing import Annotated

import typer

from pcc_pipeline.commands.terminal import code, err, out, stop


def restage(
    kind: Annotated[str, typer.Option(help="Kind of delivery: erp_invoices, pcc_invoices, …")],
    ente: Annotated[
        list[str] | None, typer.Option(help="Only this ente; may be repeated; _provider for its own", callback=code)
    ] = None,
) -> None:
    """Read all deliveries of a kind again from the kept bytes, as after a column was added; figures follow at the next run."""
    from pcc_pipeline.arrival.staging import read_anew
    from pcc_pipeline.enti.facts import ente_facts
    from pcc_pipeline.installation import Installation
    from pcc_pipeline.tables import FEEDS

    if kind not in FEEDS:
        raise stop(f"Nothing reads deliveries of kind {kind}: there are {', '.join(sorted(FEEDS))}")
    installation = Installation.from_environment()
    known = installation.register.enti()
    if missing := sorted(set(ente or ()) - set(known)):
        raise stop(f"Nothing was ever delivered for {', '.join(missing)}")
    total = 0
    for name in sorted(set(ente or known)):
        with err.status(f"Reading {kind} of {name} again"):
            done = read_anew(installation, name, ente_facts(installation, name).layout, kind=kind)
        if not done.deliveries:
            continue
        total += done.deliveries
        out.print(
            f"{name}: {done.deliveries} deliveries read again: rows {done.rows_before} → {done.rows_after}, "
            f"defects {done.defects_before} → {done.defects_after}",
            highlight=False,
        )
        for file, reason in done.report.refused.items():
            out.print(f"  {file}: {reason}", highlight=False)
    words = "Published figures follow with the next run: the sensor starts one, or pcc run."
    err.print(words if total else f"No delivery of kind {kind} to read again")
