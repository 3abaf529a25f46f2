"""`pcc models list | show NAME`: the SQL models, and one as it is run."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table as RichTable

from pcc_pipeline.commands.terminal import out, stop

app = typer.Typer(no_args_is_help=True, help="The SQL models: what each makes, of what, and the query that is run")


@app.command("list")
def list_models() -> None:
    """List the models in the order in which they run, with what a row of each stands for."""
    from pcc_pipeline.calculator import load_models, model_order

    table = RichTable("model", "layer", "kept as", "published", "grain")
    for name in model_order():
        model = load_models()[name]
        kept = "step" if model.is_step else "view" if model.is_view else "file"
        table.add_row(name, model.layer, kept, "yes" if model.table.published else "", model.table.grain)
    out.print(table)


@app.command()
def show(name: Annotated[str, typer.Argument(help="Name of a model (pcc models list)")]) -> None:
    """Print one model: grain, key, what it reads, its columns, and its SQL as it is run, templates filled in."""
    from pcc_pipeline.calculator import load_models

    model = load_models().get(name)
    if model is None:
        raise stop(f"No model {name}: see pcc models list")
    readers = sorted(other.name for other in load_models().values() if name in other.depends_on)
    for title, told in (
        ("grain", model.table.grain),
        ("key", ", ".join(model.table.key) or "none"),
        ("reads", ", ".join(sorted(model.reads))),
        ("read by", ", ".join(readers) or "no model"),
    ):
        out.print(f"[bold]{title}[/bold] {told}", highlight=False)
    columns = RichTable("column", "type", "meaning")
    for column in model.table.columns:
        columns.add_row(column.name, column.type, column.meaning)
    out.print(columns)
    out.print(model.sql.strip(), highlight=False, markup=False, soft_wrap=True)
