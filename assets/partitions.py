"""The partitions: one per ente, added as enti arrive; and how a run says which enti it works on.

A run started in the web interface works on the partitions chosen there. A run started by the sensor or the
command line names its enti in its configuration, since Dagster's own tags can name one partition or a
contiguous range only; it then reports each ente's materialisation itself (tag REPORTS_ITSELF).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dagster import BackfillPolicy, DynamicPartitionsDefinition

from pcc_pipeline.database.dagster_storage import ENTE_TAG, FAILED_TAG, PARTITION, RANGE_END, RANGE_START

ENTI_NAME = "enti"
ENTI = DynamicPartitionsDefinition(name=ENTI_NAME)

#: Many enti chosen in the web interface become one run, not one run each.
ONE_RUN = BackfillPolicy.single_run()

#: Dagster then plans and emits no asset events of its own for the run: the assets log them, ente by ente.
REPORTS_ITSELF = "dagster/defer_asset_events"


def failed_tag(ente: str) -> str:
    """The tag by which the list of runs says of a failed run that it failed for this ente; its value says why."""
    return f"{FAILED_TAG}{ente}"


def run_tags(enti: Mapping[str, str], known: Iterable[str]) -> dict[str, str]:
    """Tags of a run over `enti` (ente to fingerprint); `known` are the partitions in Dagster's order.

    Steps need some partition or range to look their inputs up by. The range spans the run's enti; which of
    them the run works on is in its configuration.
    """
    place = {ente: position for position, ente in enumerate(known)}
    ordered = sorted(enti, key=lambda ente: place.get(ente, len(place)))
    where = {PARTITION: ordered[0]} if len(ordered) == 1 else {RANGE_START: ordered[0], RANGE_END: ordered[-1]}
    return {REPORTS_ITSELF: "true", **where, **{ENTE_TAG + ente: mark for ente, mark in enti.items()}}


def enti_of_tags(tags: Mapping[str, str]) -> Sequence[str]:
    """The enti that a run with these tags works on."""
    named = [tag.removeprefix(ENTE_TAG) for tag in tags if tag.startswith(ENTE_TAG)]
    partition = tags.get(PARTITION)
    return named or ([partition] if partition else [])
