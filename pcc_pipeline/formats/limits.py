"""What a delivered file may ask of the machine: every bound that foreign bytes meet, in one place.

Files within them may still be made to do harm: therefore they are read in a process of their own
(`pcc_pipeline.arrival.reading`), which has limits of memory and time. These bounds give what is usual a clear reason.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Zipped:
    """What a zip file may hold: members, bytes unpacked, times its packed size once past `free`; bytes of its directory."""

    members: int = 1_000_000
    bytes: int = 64 << 30
    ratio: int = 300
    free: int = 64 << 20
    directory: int = 128 << 20


@dataclass(frozen=True)
class Sheets:
    """What a workbook may hold. Its reader makes whole rectangles of a sheet's cells, some 70 bytes each: those of
    `cells` at most, and past `free_cells` so many for each that is written (`sparse`)."""

    columns: int = 2_000
    cells: int = 20_000_000
    free_cells: int = 4_000_000
    sparse: int = 20
    #: Rows that merged cells cover, over all of a sheet's.
    merged_rows: int = 2_000_000
    #: Bytes of the parts that are held whole: the book's own and its relations; the shared strings, and how many.
    book: int = 16 << 20
    strings: int = 512 << 20
    count_strings: int = 10_000_000


@dataclass(frozen=True)
class ReadingLimits:
    """What the process may use that reads files: bytes of memory at least, seconds for the first byte, and more by size
    and number; files after which a process is replaced; processes at once; times that a run may die over a delivery."""

    memory: int = 1 << 30
    seconds: float = 120.0
    bytes_a_second: int = 256 << 10
    seconds_a_file: float = 0.05
    files: int = 20_000
    at_once: int = 2
    deaths: int = 2


ARCHIVE = Zipped()
WORKBOOK = Zipped(members=10_000, bytes=4 << 30)
SHEETS = Sheets()
READING = ReadingLimits()
#: The longest line of a text table, in bytes.
LINE = 1 << 20
