"""One line that is too long costs itself, not the rows around it."""

from __future__ import annotations

from pathlib import Path

import pytest
from opi_flows import Lists

from pcc_pipeline.formats import Source, parse
from pcc_pipeline.formats.tabular.csv_careful import TOO_LONG

HEADER = b"piva_fornitore;numero;data_emissione;importo\n"
ROW = b"00743110157;%d;2025-01-31;10,00\n"


@pytest.mark.parametrize("megabytes", [3, 20])
@pytest.mark.parametrize("end", [b"\n", b""])
def test_its_line_is_a_defect_and_the_others_are_read(tmp_path: Path, megabytes: int, end: bytes) -> None:
    path = tmp_path / "lunga.csv"
    path.write_bytes(HEADER + ROW % 1 + b"x" * (megabytes << 20) + end + (ROW % 2 if end else b""))
    sink = Lists("open_list")
    counts = parse("open_list", [Source("alfa", "open_list", "d", path.name, path)], sink)["d"]
    assert (counts.rows, counts.refused) == (2 if end else 1, 1)
    assert [(row["line"], row["reason"], len(row["value"])) for row in sink.bad] == [(3, TOO_LONG, 200)]


def test_a_long_field_in_quotes(tmp_path: Path) -> None:
    path = tmp_path / "lunga.csv"
    path.write_bytes(HEADER + ROW % 1 + b'"' + (b"x" * 2000 + b"\n") * 1000 + b'";a;b;c\n' + ROW % 2)
    sink = Lists("open_list")
    counts = parse("open_list", [Source("alfa", "open_list", "d", path.name, path)], sink)["d"]
    assert counts.rows == 2 and counts.refused >= 1
