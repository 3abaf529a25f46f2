"""Files of every format, damaged by a seed: whatever comes of one, it is rows or quarantine, never an error.

`case(seed)` makes one; `outcome` says what reading it gave. `benchmarks/mutations.py` tries as many as it is told.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import bombs
import corpus
import pyarrow as pa

from pcc_pipeline.arrival import archive, reading
from pcc_pipeline.formats import Counts, Source

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "inbox"
KINDS = {".xml": ("sdi_invoices", "sdi_messages", "erp_opi", "pcc_invoices"), ".p7m": ("sdi_invoices",)}
_TABLES = ("open_list", "erp_payments", "pcc_invoices", "pcc_outcomes")
#: What a table or a document seldom holds.
_TOKENS = (
    b"\0", b'"', b'""', b"\r", b"\n", b"\xff", b"\xfe\xff", b";", b"\t", b"<!DOCTYPE x>", b"&#0;", b"&x;", b"]]>", b"<![CDATA[",
    b"9" * 40, b"-", b"1e308", b"NaN", b"31/02/2025", b"9999-12-31", b"=1+1", b"\xe2\x80\x8b", b"\xc3", b"<a>" * 300, b"x" * 3000,
)  # fmt: skip
_MODEL = (
    "0;0;0\r\nCodice del modello;003 - UTENTE PA - OPERAZIONI SU FATTURE ESISTENTI\r\nVersione del modello;1\r\n"
    "Utente che trasmette il file (Codice Fiscale);RSSMRA80A01H501U\r\nDATI AMMINISTRAZIONE;;TIPO OPERAZIONE\r\n;;\r\n;;\r\n"
    "00488410010;UFABC1;00484960588;IT00484960588;CO;100000070;12/A;04/03/2025;1220.00;;;;;;1000.00;CO;;LIQ;;;;Z123456789;NA"
    ";;;;;;;;;;;;;;;\r\n00488410010;UFABC1;00484960588;IT00484960588;CP;100000070;12/A;04/03/2025;1220.00;;;;;;;;;;;;;;;;;;"
    "1000.50;CO;;;0077;01/12/2025;IT00484960588;NA;NA;;E255;natura\r\n"
).encode("cp1252")


@dataclass(frozen=True)
class Case:
    """A damaged file: the kind as which it is read, its name and its bytes."""

    seed: int
    kind: str
    name: str
    data: bytes


@cache
def samples() -> tuple[tuple[str, str, bytes], ...]:
    """Good files of every format, small: kind, name, bytes."""
    found = [
        (path.parent.name, path.name, path.read_bytes()[:20_000]) for path in sorted(GOLDEN.glob("*/*/*")) if path.is_file()
    ]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for path in corpus.files(corpus.OWN, place / "sdi"):
            kind = "sdi_messages" if path.name.split("_")[2:] and path.suffix == ".xml" else "sdi_invoices"
            found.append((kind, path.name, path.read_bytes()))
        found.append(("open_list", "elenco.xlsx", bombs.workbook(place / "a.xlsx", bombs.usual()).read_bytes()))
        found.append(("open_list", "elenco.ods", bombs.ods(place / "a.ods").read_bytes()))
        with zipfile.ZipFile(place / "a.zip", "w", zipfile.ZIP_DEFLATED) as out:
            out.writestr("a.csv", found[0][2])
            out.writestr("b/c.csv", b"numero\n1\n")
        found.append(("open_list", "archivio.zip", (place / "a.zip").read_bytes()))
    found.append(("pcc_outcomes", "esito.csv", _MODEL))
    return tuple(found)


def case(seed: int) -> Case:
    """The damaged file of a seed, always the same."""
    random = Random(seed)
    kind, name, data = random.choice(samples())
    damage = _inside if data.startswith(b"PK") and random.random() < 0.7 else damaged
    data = damage(data, random)
    if random.random() < 0.1:
        kind = random.choice(KINDS.get(Path(name).suffix, _TABLES))
    return Case(seed, kind, name, data)


def damaged(data: bytes, random: Random) -> bytes:
    """The bytes with one to four damages."""
    for _ in range(random.randint(1, 4)):
        data = random.choice(_DAMAGES)(data, random)
    return data


def _inside(data: bytes, random: Random) -> bytes:
    """The zip file with one damaged member."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        members = [(entry.filename, book.read(entry)) for entry in book.infolist()]
    chosen, out = random.randrange(len(members)), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for place, (name, content) in enumerate(members):
            book.writestr(name, damaged(content, random) if place == chosen else content)
    return out.getvalue()


def _flip(data: bytes, random: Random) -> bytes:
    made = bytearray(data)
    for _ in range(random.randint(1, 8) if made else 0):
        made[random.randrange(len(made))] = random.randrange(256)
    return bytes(made)


def _cut(data: bytes, random: Random) -> bytes:
    begin, end = _span(data, random)
    return data[:begin] + data[end:]


def _again(data: bytes, random: Random) -> bytes:
    begin, end = _span(data, random)
    return data[:end] + data[begin:end] * random.choice((1, 2, 50)) + data[end:]


def _end(data: bytes, random: Random) -> bytes:
    return data[: random.randint(0, len(data))]


def _token(data: bytes, random: Random) -> bytes:
    place = random.randint(0, len(data))
    return data[:place] + random.choice(_TOKENS) + data[place:]


def _graft(data: bytes, random: Random) -> bytes:
    other = random.choice(samples())[2]
    begin, end = _span(other, random)
    place = random.randint(0, len(data))
    return data[:place] + other[begin:end] + data[place:]


def _recode(data: bytes, random: Random) -> bytes:
    return data.decode("latin-1").encode(random.choice(("utf-16", "utf-16-le", "utf-8", "utf-32", "cp037")), "replace")


def _span(data: bytes, random: Random) -> tuple[int, int]:
    begin = random.randint(0, len(data))
    return begin, min(len(data), begin + random.choice((1, 10, 100, 1000)))


_DAMAGES: Sequence[Callable[[bytes, Random], bytes]] = (_flip, _flip, _cut, _again, _end, _token, _token, _graft, _recode)


class _Counted:
    """A sink that counts, and keeps no row that a defect has."""

    def __init__(self) -> None:
        self.good = self.bad = 0

    def rows(self, batch: pa.RecordBatch) -> None:
        batch.validate(full=True)
        self.good += batch.num_rows

    def defects(self, batch: pa.RecordBatch) -> None:
        assert all(batch.column("reason").to_pylist())
        self.bad += batch.num_rows

    def notes(self, batch: pa.RecordBatch) -> None:
        batch.validate(full=True)


def outcome(made: Case, folder: Path, parse: Callable[..., dict[str, Counts]] = reading.parse) -> tuple[int, int]:
    """Rows and defects that reading it gave. Raises whatever reading raises, and AssertionError where the counts lie."""
    path = folder / made.name
    path.write_bytes(made.data)
    if made.name.endswith(".zip"):
        return _members(path)
    sink, more = _Counted(), dict[str, Any]()
    counts = parse(made.kind, [Source("alfa", made.kind, "d", made.name, path)], sink, **more)["d"]
    assert (counts.rows, counts.defects) == (sink.good, sink.bad), (counts, sink.good, sink.bad)
    return sink.good, sink.bad


def _members(path: Path) -> tuple[int, int]:
    good = bad = 0
    try:
        with archive.opened(path) as (opened, members):
            for member in members:
                try:
                    with archive.read(opened, member) as stream:
                        good += len(stream.read(member.size + 1)) <= member.size
                except archive.DAMAGE:
                    bad += 1
    except archive.Unreadable:
        bad += 1
    return good, bad
