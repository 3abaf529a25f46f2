"""`pcc layout list | check | guess`: which layouts there are, what one makes of a file, which one a file fits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as RichTable

from pcc_pipeline.commands.terminal import err, out
from pcc_pipeline.commands.terminal import stop as _stop

app = typer.Typer(no_args_is_help=True, help="Layouts: how each accounting system names and writes its columns")

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False)]
Kind = Annotated[str | None, typer.Option(help="Kind of delivery (told from the columns, unless given)")]


@app.command("list")
def list_layouts() -> None:
    """List the layouts with their products, releases and kinds."""
    from pcc_pipeline.formats.tabular.layouts import layouts

    table = RichTable("layout", "product", "releases", "kinds", "how it writes")
    for layout in layouts().values():
        table.add_row(
            layout.name, layout.product, ", ".join(layout.versions) or "all", ", ".join(layout.kinds) or "all",
            layout.description,
        )  # fmt: skip
    out.print(table)


@app.command()
def check(
    file: File,
    layout: Annotated[
        str | None, typer.Option(help="A layout's name or its YAML file (the one that fits best, unless given)")
    ] = None,
    kind: Kind = None,
) -> None:
    """Say what a layout reads of a file, what it leaves, what it cannot tell; exit 1 when the file does not fit."""
    from pcc_pipeline.formats.tabular.report import kind_of, report

    found = report(file, _kind(kind) or kind_of(file), _layout(layout))
    out.print(f"{file.name} as {found.kind} by the layout {found.layout}", highlight=False)
    if found.problem:
        err.print(f"[red]does not fit: {found.problem}", highlight=False)
    _pairs("reads", found.reads)
    for title, names in (("leaves", found.left), ("nothing gives", found.absent)):
        if names:
            out.print(f"[bold]{title}[/bold]: {', '.join(names)}", highlight=False)
    for title, told in (("cannot tell", found.untold), ("refuses", found.refused)):
        for one in told:
            place = f"line {one.line}, for instance {one.value!r}" if one.value else f"line {one.line}"
            out.print(f"[bold]{title}[/bold] {one.field or 'row'} ({one.times} times, {place}): {one.reason}", highlight=False)
    for note in found.notes:
        what = " ".join(part for part in (note["field"], note["value"]) if part)
        out.print(f"[bold]notes[/bold] line {note['line']}, {note['times']} times: {what}: {note['note']}", highlight=False)
    out.print(f"rows {found.counts.rows}, refused {found.counts.refused}", highlight=False)
    if found.problem:
        raise typer.Exit(1)


@app.command()
def guess(file: File, kind: Kind = None) -> None:
    """Propose a layout for a file: the one it fits, else a draft in YAML to be finished by hand."""
    import tempfile

    from pcc_pipeline.formats.rows import WHOLE
    from pcc_pipeline.formats.tabular.choose import fits
    from pcc_pipeline.formats.tabular.guess import draft
    from pcc_pipeline.formats.tabular.report import kind_of

    chosen = _kind(kind) or kind_of(file)
    with tempfile.TemporaryDirectory(prefix="pcc-") as folder:
        found = fits(chosen, file, Path(folder))
    for fit in found[:3]:
        known = sum(column is not None for column in fit.header.columns)
        told = "fits" if fit.whole else (fit.reason or "").removeprefix(WHOLE)
        err.print(f"{fit.plan.name}: {known} of {len(fit.header.names)} columns known; {told}", highlight=False)
    if found and found[0].whole:
        out.print(f"{chosen}: {found[0].plan.name}", highlight=False)
        return
    try:
        text = draft(file, chosen)
    except ValueError as error:
        raise _stop(f"{file.name}: {error}") from None
    err.print("No layout fits: a draft follows", highlight=False)
    print(text)  # noqa: T201 - YAML must not be wrapped


def _kind(name: str | None) -> str | None:
    from pcc_pipeline.tables import FEEDS

    if name is not None and name not in FEEDS:
        raise _stop(f"Unknown kind {name}; known: {', '.join(FEEDS)}")
    return name


def _layout(name: str | None):  # type: ignore[no-untyped-def]  # the import is the function's own
    from pcc_pipeline.formats.tabular.layouts import LayoutError, layouts, read_layout

    if name is None:
        return None
    try:
        found = read_layout(Path(name)) if name.endswith((".yaml", ".yml")) else layouts().get(name)
    except LayoutError as error:
        raise _stop(str(error)) from None
    if found is None:
        raise _stop(f"No layout is called {name}; there are {', '.join(layouts())}")
    return found


def _pairs(title: str, pairs: list[tuple[str, str]]) -> None:
    if not pairs:
        return
    table = RichTable("column of the file", title)
    for pair in pairs:
        table.add_row(*pair)
    out.print(table)
