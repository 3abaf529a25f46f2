"""What the jobs that are started by filling in a form have in common: the ente by whose name a run is found, and tables of
what there is to decide, shown where nothing was chosen yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dagster import Failure, MetadataValue, OpExecutionContext

from assets.partitions import ENTE_TAG, ENTI_NAME, failed_tag
from assets.steps import sample_table
from pcc_pipeline.checks.result import plain

#: At most this many rows, or names of enti, are shown.
SHOWN = 50


def of_ente(context: OpExecutionContext, ente: str) -> str:
    """The ente that a form names, by which its run is found from now on. Raises Failure where it names none."""
    name = ente.strip()
    if not name:
        known = ", ".join(sorted(context.instance.get_dynamic_partitions(ENTI_NAME))[:SHOWN]) or "none yet"
        raise Failure(f"Fill in the ente: its tenant code. Known here: {known}")
    tags = {ENTE_TAG + name: context.job_name}
    if failed_tag(name) in context.run.tags:
        tags[failed_tag(name)] = "tried again"  # copied from the run that failed
    context.instance.add_run_tags(context.run_id, tags)
    return name


def show(context: OpExecutionContext, what: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], then: str) -> None:
    """Shows what there is to decide, in the run's output; `then` says how to go on."""
    first = [{name: plain(row[name]) if row[name] is not None else "" for name in columns} for row in rows[:SHOWN]]
    told = {what: len(rows), "how to go on": then}
    table = {"first": MetadataValue.md(sample_table(first))} if first else {}
    context.log.info(f"Nothing was chosen, so nothing was changed. {what}: {len(rows)}. {then}")
    context.add_output_metadata({**told, **table})
