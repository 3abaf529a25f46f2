"""The one opening of XML: what surrounds, wraps or mars a document without changing it costs nothing; all else refuses."""

from __future__ import annotations

import base64
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opi_flows import beneficiary, flow, order
from opi_flows import invoice as block
from test_fatturapa import NAMESPACE, body, document, invoice
from test_pcc_answer import answer
from test_pcc_answer import document as pcc_document
from test_sdi_messages import message

from pcc_pipeline.formats import parse
from pcc_pipeline.formats.source import Counts, Source
from pcc_pipeline.tables.feeds import FEEDS
from pcc_pipeline.tables.notes import WRAPPED, XML_1_1, XML_ENCODING, XML_TRAILING

fuzz = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
INVOICE = invoice()
OPI = flow(order(5, beneficiary(block("1", "100.00"), "100.00")))
ANSWER = answer(pcc_document())
MESSAGE = message("RicevutaConsegna", "<NomeFile>IT01234567897_00001.xml</NomeFile>")
#: Kind, a document of it, and how many rows that is.
KINDS = [("sdi_invoices", INVOICE, 1), ("erp_opi", OPI, 1), ("pcc_invoices", ANSWER, 1), ("sdi_messages", MESSAGE, 1)]
each_kind = pytest.mark.parametrize(("kind", "content", "count"), KINDS, ids=[kind for kind, _, _ in KINDS])
LARGE = "<Allegati><NomeAttachment>a</NomeAttachment><Attachment>" + "QUJD" * 400_000 + "</Attachment></Allegati>"


class Lists:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.good: list[dict] = []
        self.bad: list[dict] = []
        self.noted: list[dict] = []

    def rows(self, batch: pa.RecordBatch) -> None:
        self.good += batch.to_pylist()

    def defects(self, batch: pa.RecordBatch) -> None:
        self.bad += batch.to_pylist()

    def notes(self, batch: pa.RecordBatch) -> None:
        self.noted += batch.to_pylist()

    @property
    def codes(self) -> list[str]:
        """Codes of the notes on the opening (there are others, on what was read)."""
        return [note["code"] for note in self.noted if note["code"] in (WRAPPED, XML_1_1, XML_ENCODING, XML_TRAILING)]


def read(folder: Path, content: str | bytes, kind: str = "sdi_invoices", name: str = "IT01234567897_00001.xml") -> Lists:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    sink = Lists()
    counts: Counts = parse(kind, [Source("prova", kind, "d1", path.name, path)], sink)["d1"]
    assert (counts.rows, counts.defects) == (len(sink.good), len(sink.bad))
    return sink


def without_declaration(content: str) -> str:
    return content.partition("?>")[2].lstrip() if content.startswith("<?xml") else content


def same_rows(folder: Path, changed: str | bytes, content: str, kind: str) -> Lists:
    got, plain = read(folder, changed, kind), read(folder, content, kind)
    assert got.bad == plain.bad == [] and got.good == plain.good and plain.codes == []
    return got


def with_namespace(content: str, declared: str) -> str:
    """The document with one more declaration on its root."""
    begin = content.index("<", content.find("?>") + 1)
    end = next(place for place in range(begin + 1, len(content)) if content[place] in " />")
    return f"{content[:end]} {declared}{content[end:]}"


uris = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=20)


@each_kind
@fuzz
@given(uri=uris)
def test_a_namespace_that_is_no_uri_changes_nothing(tmp_path: Path, kind: str, content: str, count: int, uri: str) -> None:
    got = same_rows(tmp_path, with_namespace(content, f"xmlns:q={quoteattr(uri)}"), content, kind)
    assert len(got.good) == count and got.codes == []


def test_the_documents_own_namespace_may_be_no_uri_and_elements_may_be_in_it(tmp_path: Path) -> None:
    for uri in (f"{NAMESPACE} ", f"{NAMESPACE}\n", "C:\\schemi\\v1", 'http://x/"'):
        same_rows(tmp_path, INVOICE.replace(f'"{NAMESPACE}"', quoteattr(uri)), INVOICE, "sdi_invoices")
    inner = INVOICE.replace("<Divisa>EUR</Divisa>", '<q:Divisa xmlns:q="a b">EUR</q:Divisa>')
    same_rows(tmp_path, inner, INVOICE, "sdi_invoices")


def test_a_large_invoice_may_have_such_a_namespace(tmp_path: Path) -> None:
    content = invoice(body(rest=LARGE))
    same_rows(tmp_path, with_namespace(content, 'xmlns:q="a b"'), content, "sdi_invoices")


@pytest.mark.parametrize("times", [1, 150])
def test_an_undeclared_prefix_is_refused_beside_any_number_of_bad_namespaces(tmp_path: Path, times: int) -> None:
    many = "".join('<q:x xmlns:q="a b"/>' for _ in range(times))
    broken = INVOICE.replace("<Divisa>EUR</Divisa>", f"<Divisa>EUR</Divisa>{many}<w:Causale>no</w:Causale>")
    got = read(tmp_path, broken)
    assert got.good == [] and "prefisso non dichiarato" in got.bad[0]["reason"]
    many_orders = OPI.replace("</mandato>", f"{many}<w:nota>no</w:nota></mandato>")
    assert "prefisso non dichiarato" in read(tmp_path, many_orders, "erp_opi").bad[0]["reason"]


@each_kind
@fuzz
@given(data=st.data())
def test_a_cut_file_is_refused_whatever_its_namespaces(
    tmp_path: Path, kind: str, content: str, count: int, data: st.DataObject
) -> None:
    marred = with_namespace(content, 'xmlns:q="a b"').rstrip()
    cut = data.draw(st.integers(1, len(marred) - 1))
    padding = data.draw(st.sampled_from([b"", b"\0\0", b"\x1a", b"\n"]))
    got = read(tmp_path, marred[:cut].encode() + padding, kind)
    assert got.bad and (kind != "sdi_invoices" or got.good == [])


before = st.lists(st.sampled_from(["\n", "\r\n", " ", "\t", "\ufeff", "ï»¿", "\0"]), max_size=6).map("".join)
after = st.text("\0\x1a \t\r\n", max_size=70)


@each_kind
@fuzz
@given(before=before, after=after)
def test_blanks_marks_and_padding_around_the_document_change_nothing(
    tmp_path: Path, kind: str, content: str, count: int, before: str, after: str
) -> None:
    got, plain = read(tmp_path, before + content + after, kind), read(tmp_path, content, kind)
    assert got.bad == [] and got.codes == []
    assert got.good == plain.good


def test_lines_of_defects_are_the_files_own(tmp_path: Path) -> None:
    broken = INVOICE.replace("<Data>2025-03-31</Data>", "<Data>ieri</Data>")
    line = broken[: broken.index("<Data>")].count("\n") + 1
    for start in ("", "\n\n", "\ufeff\n"):
        for content in (broken, without_declaration(broken)):
            place = line if content is broken else line - 1
            assert [bad["line"] for bad in read(tmp_path, start + content).bad] == [place + start.count("\n")]
    wrong = OPI.replace("<importo_siope>100.00", "<importo_siope>cento")
    plain = [bad["line"] for bad in read(tmp_path, wrong, "erp_opi").bad]
    assert [bad["line"] for bad in read(tmp_path, f"\n\n{wrong}", "erp_opi").bad] == [line + 2 for line in plain]


def test_a_large_file_may_have_all_of_it_around(tmp_path: Path) -> None:
    content = invoice(body(rest=LARGE))
    same_rows(tmp_path, "\n\ufeff" + content + "\0" * 200_000, content, "sdi_invoices")
    orders = flow(*(order(n, beneficiary(block(str(n), "1.00"), "1.00")) for n in range(1, 1500)))
    same_rows(tmp_path, "\n \n" + orders + "\0" * 1_000_000, orders, "erp_opi")


@each_kind
def test_other_bytes_after_the_document_are_noted(tmp_path: Path, kind: str, content: str, count: int) -> None:
    for rest in (b"\x04\x82\x01\x00\xa0garbage", b"\0\0x", b"</a>"):
        got = same_rows(tmp_path, content.encode() + rest, content, kind)
        assert got.codes == [XML_TRAILING] and all(note["line"] for note in got.noted)


@each_kind
def test_a_second_document_after_the_first_is_no_garbage(tmp_path: Path, kind: str, content: str, count: int) -> None:
    for second in (content, without_declaration(content), f"\0{content}"):
        got = read(tmp_path, content + second, kind)
        assert any(told in got.bad[0]["reason"] for told in ("secondo documento", "non all'inizio"))
        assert got.good == [] if kind == "sdi_invoices" else True


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings_with_blanks_and_padding(tmp_path: Path, encoding: str) -> None:
    declared = INVOICE.replace("UTF-8", "UTF-16" if "16" in encoding else "UTF-32")
    plain = read(tmp_path, INVOICE)
    for start, rest in (("", ""), (" \n" if encoding != "utf-32" else "", "\n")):
        got = read(tmp_path, (start + declared + rest).encode(encoding) + b"\0\0\0")
        assert got.good == plain.good and got.bad == []


def test_a_declaration_of_two_bytes_a_character_that_is_not_so_is_told(tmp_path: Path) -> None:
    for name in ("UTF-16", "utf-16le", "UCS-2"):
        got = same_rows(tmp_path, INVOICE.replace("UTF-8", name), INVOICE, "sdi_invoices")
        assert got.codes == [XML_ENCODING] and name in got.noted[0]["note"]
    got = read(tmp_path, INVOICE.replace("UTF-8", "UTF-16").replace("Anna", "Nicolò").encode("cp1252"))
    assert got.good == [] and "UTF-16" in got.bad[0]["reason"] and "un byte per carattere" in got.bad[0]["reason"]


def test_latin_1_with_the_signs_of_windows_is_windows(tmp_path: Path) -> None:
    content = INVOICE.replace("UTF-8", "ISO-8859-1").replace("Anna", "L’Anna €")
    assert read(tmp_path, content.encode("cp1252")).good[0]["denominazione_fornitore"] == "L’Anna € Prova"


def test_xml_1_1_is_read_without_what_1_0_has_not(tmp_path: Path) -> None:
    plain = INVOICE.replace('version="1.0"', 'version="1.1"')
    same_rows(tmp_path, plain, INVOICE, "sdi_invoices")
    for changed in (
        plain.replace("Anna", "An&#x1;na&#31;"),
        plain.replace("<FatturaElettronicaHeader>", '<FatturaElettronicaHeader xmlns:p="">'),
        plain.replace("<Divisa>", "\u0085<Divisa>").replace("An", "An&#x0B;"),
    ):
        got = same_rows(tmp_path, changed, INVOICE, "sdi_invoices")
        assert got.codes == [XML_1_1]
    assert read(tmp_path, plain.replace("Anna", "An&#x9;na&#10;")).good[0]["denominazione_fornitore"] == "An\tna Prova"
    assert read(tmp_path, INVOICE.replace("Anna", "An&#x1;na")).good == []


def _written_out(text: bytes) -> bytes:
    return b"\\n".join(text[at : at + 76] for at in range(0, len(text), 76))


@each_kind
@pytest.mark.parametrize(
    "write",
    [lambda text: text, lambda text: text.rstrip(b"="), _written_out, lambda text: text.replace(b"A", b"\r\nA"),
     lambda text: b'"' + text + b'"\n', lambda text: _written_out(text).replace(b"\\n", b"&#13;\n")],
)  # fmt: skip
def test_base64_however_written(tmp_path: Path, kind: str, content: str, count: int, write) -> None:
    for padding in ("", " ", "  "):  # all lengths of padding
        same_rows(tmp_path, write(base64.b64encode((content + padding).encode())), content, kind)


def envelope(inside: str) -> str:
    return (
        '<?xml version="1.0"?>\n<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
        f"{inside}</soapenv:Body></soapenv:Envelope>"
    )


def handed(content: str, more: str = "") -> str:
    file = base64.b64encode(content.encode()).decode()
    return (
        '<n:fileSdIConMetadati xmlns:n="http://www.fatturapa.gov.it/sdi/ws/ricezione/v1.0/types">'
        f"<IdentificativoSdI>42</IdentificativoSdI><NomeFile>IT01234567897_00001.xml</NomeFile><File>{file}</File>{more}"
        "</n:fileSdIConMetadati>"
    )


def test_invoices_in_the_envelopes_of_sdi(tmp_path: Path) -> None:
    for wrapped in (handed(INVOICE), envelope(handed(INVOICE)), envelope(without_declaration(INVOICE))):
        got = same_rows(tmp_path, wrapped, INVOICE, "sdi_invoices")
        assert got.codes == [WRAPPED]


def test_a_large_invoice_in_an_envelope(tmp_path: Path) -> None:
    content = invoice(body(rest=LARGE.replace("QUJD", "QUJDQUJDQUJDQUJDQUJDQUJD")))
    got = same_rows(tmp_path, envelope(handed(content)), content, "sdi_invoices")
    assert got.good[0]["allegati"][0]["bytes"] == 3 * 6 * 400_000


def test_a_message_in_an_envelope_is_the_metadata_or_the_file(tmp_path: Path) -> None:
    metadata = base64.b64encode(MESSAGE.encode()).decode()
    for wrapped in (
        handed(MESSAGE),
        handed(INVOICE, f"<Metadati>{metadata}</Metadati>"),
        envelope(without_declaration(MESSAGE)),
    ):
        assert same_rows(tmp_path, wrapped, MESSAGE, "sdi_messages").codes == [WRAPPED]


def test_envelopes_that_hold_none_or_several_say_so(tmp_path: Path) -> None:
    one = without_declaration(INVOICE)
    for inside, told in (
        ("", "non contiene File"),
        (one + one, "più di una fattura"),
        (handed(INVOICE) + handed(INVOICE), "più di un File"),
        ("<fileSdI><File><x:Include xmlns:x='u' href='cid:1'/></File></fileSdI>", "allegato"),
        ("<fileSdI><File>%%%</File></fileSdI>", "non contiene XML"),
    ):
        got = read(tmp_path, envelope(inside))
        assert got.good == [] and told in got.bad[0]["reason"]


def test_defects_in_an_envelope_are_named(tmp_path: Path) -> None:
    broken = invoice(body(document(data="ieri")))
    for wrapped in (envelope(without_declaration(broken)), handed(broken)):
        (bad,) = read(tmp_path, wrapped).bad
        assert bad["field"].endswith("DatiGeneraliDocumento/Data") and bad["value"] == "ieri"
        assert bad["field"].startswith("FatturaElettronicaBody") and bad["line"]


@each_kind
@fuzz
@given(noise=st.binary(max_size=40), place=st.floats(0, 1))
def test_no_damage_raises(tmp_path: Path, kind: str, content: str, count: int, noise: bytes, place: float) -> None:
    at = int(place * len(content))
    read(tmp_path, content[:at].encode() + noise + content[at:].encode(), kind)
    assert set(FEEDS) >= {kind}
