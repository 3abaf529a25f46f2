"""Every format that can be delivered, one module a format; this is only the door to them.

A parser takes Sources and gives typed Arrow batches and defects to a Sink. It reads bytes and knows nothing of
the store, the register or the rules.
"""

from __future__ import annotations

from collections.abc import Sequence

from pcc_pipeline.formats.source import Counts, Sink, Source, defect

#: Kinds whose deliveries are many small files: read many at a time.
SMALL_FILES = frozenset({"sdi_invoices"})


def parse(kind: str, sources: Sequence[Source], sink: Sink, *, workers: int = 1) -> dict[str, Counts]:
    """Reads the files of one kind into `sink`; returns the counts by delivery.

    Bad input never raises: it becomes defects. Raises KeyError for a kind that nothing reads.
    """
    from pcc_pipeline.tables import FEEDS

    if kind not in FEEDS:
        raise KeyError(f"nothing reads the kind {kind}")
    if kind == "sdi_invoices":
        from pcc_pipeline.formats.fatturapa import parse_fatturapa

        return parse_fatturapa(sources, sink, workers=workers)
    from pcc_pipeline.formats.tabular import parse_tabular

    return {source.delivery: parse_tabular(source, sink) for source in sources}


__all__ = ["SMALL_FILES", "Counts", "Sink", "Source", "defect", "parse"]
