"""Every format that can be delivered, one module a format; this is only the door to them.

A parser takes Sources and gives typed Arrow batches, defects and notes to a Sink. It reads bytes and knows nothing of
the store and the register; of the rules it has lists of words and of PCC's checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pcc_pipeline.formats.source import Counts, Sink, Source, defect

if TYPE_CHECKING:
    from pcc_pipeline.formats.tabular.layouts.model import Layout

#: Kinds whose deliveries are many small files: read many at a time.
SMALL_FILES = frozenset({"sdi_invoices", "sdi_messages"})


def parse(
    kind: str, sources: Sequence[Source], sink: Sink, *, workers: int = 1, layout: Layout | None = None
) -> dict[str, Counts]:
    """Reads the files of one kind into `sink`; returns the counts by delivery. `layout` is that of the ente's
    accounting system; the standard columns are read without one, too.

    Bad input never raises: it becomes defects. Raises KeyError for a kind that nothing reads.
    """
    from pcc_pipeline.tables import FEEDS

    if kind not in FEEDS:
        raise KeyError(f"nothing reads the kind {kind}")
    if kind == "sdi_invoices":
        from pcc_pipeline.formats.fatturapa.parse import parse_fatturapa

        return parse_fatturapa(sources, sink, workers=workers)
    if kind == "sdi_messages":
        from pcc_pipeline.formats.sdi_messages import parse_sdi_messages

        return parse_sdi_messages(sources, sink)
    if kind == "erp_opi":
        from pcc_pipeline.formats.opi import parse_opi

        return {source.delivery: parse_opi(source, sink) for source in sources}
    return {source.delivery: _parse_table(kind, source, sink, layout) for source in sources}


def _parse_table(kind: str, source: Source, sink: Sink, layout: Layout | None) -> Counts:
    """A table, or PCC's answer in XML where one comes in a table's place."""
    if kind == "pcc_invoices":
        from pcc_pipeline.formats.pcc.answer import parse_pcc_answer
        from pcc_pipeline.formats.tabular.pages import is_page
        from pcc_pipeline.formats.xml_source import looks_xml

        if looks_xml(source.path) and not is_page(source.path):
            return parse_pcc_answer(source, sink)
    if kind in ("pcc_outcomes", "pcc_invoices"):
        from pcc_pipeline.formats.pcc.feeds import parse_model

        return parse_model(source, sink)
    from pcc_pipeline.formats.tabular.parse import parse_tabular

    return parse_tabular(source, sink, layout=layout)


__all__ = ["SMALL_FILES", "Counts", "Sink", "Source", "defect", "parse"]
