"""FatturaPA: what a file says becomes a row, what is broken is refused with file, line and reason."""

from __future__ import annotations

import base64
import codecs
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pcc_pipeline.formats.fatturapa import parse
from pcc_pipeline.formats.fatturapa.parse import parse_fatturapa
from pcc_pipeline.formats.reasons import EMPTY_FILE
from pcc_pipeline.formats.source import Counts, Source
from pcc_pipeline.tables.feeds import QUARANTINE, SDI_INVOICES

NAMESPACE = "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2"
SUPPLIER = """<CedentePrestatore><DatiAnagrafici>
<IdFiscaleIVA><IdPaese>IT</IdPaese><IdCodice>01234567897</IdCodice></IdFiscaleIVA>
<CodiceFiscale>01234567897</CodiceFiscale>
<Anagrafica><Nome>Anna</Nome><Cognome>Prova</Cognome></Anagrafica><RegimeFiscale>RF01</RegimeFiscale>
</DatiAnagrafici><Sede><Indirizzo>Via Uno</Indirizzo><CAP>00100</CAP></Sede></CedentePrestatore>"""
SUMMARY = """<DatiRiepilogo><AliquotaIVA>22.00</AliquotaIVA><ImponibileImporto>100.00</ImponibileImporto>
<Imposta>22.00</Imposta><EsigibilitaIVA>S</EsigibilitaIVA></DatiRiepilogo>"""


#: Days on which a document may be issued.
issued = st.dates(date(2000, 1, 1), date(date.today().year + 10, 12, 31))  # noqa: DTZ011


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.batches: list[pa.RecordBatch] = []
        self.faults: list[pa.RecordBatch] = []

    def rows(self, batch: pa.RecordBatch) -> None:
        assert batch.schema == SDI_INVOICES.arrow_schema
        batch.validate(full=True)
        self.batches.append(batch)

    def defects(self, batch: pa.RecordBatch) -> None:
        assert batch.schema == QUARANTINE.arrow_schema
        self.faults.append(batch)

    @property
    def good(self) -> list[dict]:
        return [row for batch in self.batches for row in batch.to_pylist()]

    @property
    def bad(self) -> list[dict]:
        return [row for batch in self.faults for row in batch.to_pylist()]


def document(numero="1/PA", data="2025-03-31", tipo="TD01", more="") -> str:
    return f"""<DatiGeneraliDocumento>
<TipoDocumento>{tipo}</TipoDocumento><Divisa>EUR</Divisa>
<Data>{data}</Data>
<Numero>{numero}</Numero>{more}
</DatiGeneraliDocumento>"""


def body(general: str | None = None, references="", summary=SUMMARY, rest="") -> str:
    general = document() if general is None else general
    return f"""<FatturaElettronicaBody><DatiGenerali>{general}{references}</DatiGenerali>
<DatiBeniServizi><DettaglioLinee><NumeroLinea>1</NumeroLinea><PrezzoTotale>100.00000</PrezzoTotale></DettaglioLinee>
{summary}</DatiBeniServizi>{rest}</FatturaElettronicaBody>"""


def invoice(*bodies: str, supplier=SUPPLIER, declaration='<?xml version="1.0" encoding="UTF-8"?>', formato="FPA12") -> str:
    return f"""{declaration}
<p:FatturaElettronica versione="{formato}" xmlns:p="{NAMESPACE}" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
<FatturaElettronicaHeader><DatiTrasmissione><ProgressivoInvio>00001</ProgressivoInvio>
<FormatoTrasmissione>{formato}</FormatoTrasmissione><CodiceDestinatario>UFXYZ1</CodiceDestinatario></DatiTrasmissione>
{supplier}
<CessionarioCommittente><DatiAnagrafici><CodiceFiscale>80012345678</CodiceFiscale>
<Anagrafica><Denominazione> Comune di Prova </Denominazione></Anagrafica></DatiAnagrafici>
</CessionarioCommittente>
</FatturaElettronicaHeader>
{"".join(bodies or (body(),))}</p:FatturaElettronica>"""


def read(folder: Path, *files: str | bytes, **how) -> tuple[Kept, dict[str, Counts]]:
    sources = []
    for number, content in enumerate(files):
        path = folder / f"IT01234567897_{number:05d}.xml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        sources.append(Source("prova", "sdi_invoices", f"d{number % 2}", path.name, path))
    kept = Kept()
    return kept, parse_fatturapa(sources, kept, **how)


def only_row(folder: Path, content: str | bytes) -> dict:
    kept, _ = read(folder, content)
    assert kept.bad == []
    (row,) = kept.good
    return row


def only_defect(folder: Path, content: str | bytes) -> dict:
    kept, counts = read(folder, content)
    assert kept.good == []
    (defect,) = kept.bad
    assert counts == {"d0": Counts(0, 1, 1)}
    assert (defect["ente"], defect["kind"], defect["file"]) == (
        "prova",
        "sdi_invoices",
        "IT01234567897_00000.xml",
    )
    return defect


def test_every_field(tmp_path):
    more = """<DatiRitenuta><TipoRitenuta>RT01</TipoRitenuta><ImportoRitenuta>20.00</ImportoRitenuta>
<AliquotaRitenuta>20.00</AliquotaRitenuta><CausalePagamento>A</CausalePagamento></DatiRitenuta>
<DatiBollo><BolloVirtuale>SI</BolloVirtuale><ImportoBollo>2.00</ImportoBollo></DatiBollo>
<DatiCassaPrevidenziale><TipoCassa>TC01</TipoCassa><AlCassa>4.00</AlCassa><ImportoContributoCassa>4.00</ImportoContributoCassa>
<ImponibileCassa>100.00</ImponibileCassa><AliquotaIVA>0.00</AliquotaIVA><Natura>N4</Natura></DatiCassaPrevidenziale>
<ImportoTotaleDocumento>122.00</ImportoTotaleDocumento><Arrotondamento>-0.01</Arrotondamento>
<Causale>Primo</Causale><Causale>secondo &amp; terzo</Causale>"""
    references = """<DatiOrdineAcquisto><RiferimentoNumeroLinea>1</RiferimentoNumeroLinea>
<RiferimentoNumeroLinea>2</RiferimentoNumeroLinea><IdDocumento>O1</IdDocumento><Data>2025-01-02+01:00</Data>
<CodiceCommessaConvenzione>C9</CodiceCommessaConvenzione><CodiceCUP>J31</CodiceCUP><CodiceCIG>Z123</CodiceCIG>
</DatiOrdineAcquisto><DatiContratto><IdDocumento>K1</IdDocumento><CodiceCIG>Z123</CodiceCIG></DatiContratto>
<DatiFattureCollegate><IdDocumento>77</IdDocumento></DatiFattureCollegate>"""
    rest = """<DatiPagamento><CondizioniPagamento>TP01</CondizioniPagamento>
<DettaglioPagamento><Beneficiario>Anna</Beneficiario><ModalitaPagamento>MP05</ModalitaPagamento>
<DataRiferimentoTerminiPagamento>2025-04-01</DataRiferimentoTerminiPagamento><GiorniTerminiPagamento>60</GiorniTerminiPagamento>
<DataScadenzaPagamento>2025-05-31</DataScadenzaPagamento><ImportoPagamento>50.00</ImportoPagamento><IBAN>IT60</IBAN>
</DettaglioPagamento><DettaglioPagamento><ModalitaPagamento>MP05</ModalitaPagamento>
<DataScadenzaPagamento>2025-04-30</DataScadenzaPagamento><ImportoPagamento>50.00</ImportoPagamento></DettaglioPagamento>
</DatiPagamento><Allegati><NomeAttachment>a.pdf</NomeAttachment><FormatoAttachment>PDF</FormatoAttachment>
<Attachment>aGVs
bG8=</Attachment></Allegati>"""
    row = only_row(tmp_path, invoice(body(document(more=more), references, rest=rest)))
    expected = {
        "ente": "prova",
        "delivery": "d0",
        "line": 1,
        "file": "IT01234567897_00000.xml",
        "formato": "FPA12",
        "progressivo_invio": "00001",
        "codice_destinatario": "UFXYZ1",
        "id_fiscale_iva": "IT01234567897",
        "cf_fornitore": "01234567897",
        "denominazione_fornitore": "Anna Prova",
        "regime_fiscale": "RF01",
        "id_fiscale_iva_committente": None,
        "cf_committente": "80012345678",
        "denominazione_committente": "Comune di Prova",
        "tipo_documento": "TD01",
        "divisa": "EUR",
        "numero": "1/PA",
        "data_emissione": date(2025, 3, 31),
        "importo_totale": Decimal("122.00"),
        "arrotondamento": Decimal("-0.01"),
        "imponibile": Decimal("100.00"),
        "imposta": Decimal("22.00"),
        "split_payment": True,
        "reverse_charge": False,
        "bollo": Decimal("2.00"),
        "causale": "Primo secondo & terzo",
        "cig": "Z123",
        "cup": "J31",
        "data_scadenza": date(2025, 5, 31),
        "firma": None,
        "firmatario": None,
    }
    assert {name: row[name] for name in expected} == expected
    assert row["riepilogo_iva"] == [
        {
            "aliquota": Decimal("22.00"),
            "natura": None,
            "imponibile": Decimal("100.00"),
            "imposta": Decimal("22.00"),
            "esigibilita": "S",
        }
    ]
    assert row["pagamenti"][0] == {
        "condizioni": "TP01",
        "modalita": "MP05",
        "data_scadenza": date(2025, 5, 31),
        "data_riferimento_termini": date(2025, 4, 1),
        "giorni_termini": 60,
        "importo": Decimal("50.00"),
        "iban": "IT60",
        "beneficiario": "Anna",
    }
    assert row["pagamenti"][1]["condizioni"] == "TP01"
    assert [(r["tipo"], r["documento"], r["data"], r["commessa"]) for r in row["riferimenti"]] == [
        ("ordine", "O1", date(2025, 1, 2), "C9"),
        ("contratto", "K1", None, None),
        ("fatture_collegate", "77", None, None),
    ]
    assert row["ritenute"] == [{"tipo": "RT01", "importo": Decimal("20.00"), "aliquota": Decimal("20.00"), "causale": "A"}]
    assert row["casse"] == [
        {
            "tipo": "TC01",
            "aliquota": Decimal("4.00"),
            "importo": Decimal("4.00"),
            "imponibile": Decimal("100.00"),
            "aliquota_iva": Decimal("0.00"),
            "natura": "N4",
        }
    ]
    assert row["allegati"] == [{"nome": "a.pdf", "formato": "PDF", "compressione": None, "descrizione": None, "bytes": 5}]


def test_what_is_missing_is_null(tmp_path):
    row = only_row(tmp_path, invoice(body(summary="")))
    for name in (
        "importo_totale",
        "imponibile",
        "imposta",
        "split_payment",
        "reverse_charge",
        "bollo",
        "causale",
        "cig",
        "cup",
        "data_scadenza",
        "arrotondamento",
    ):
        assert row[name] is None, name
    assert row["riepilogo_iva"] == [] and row["pagamenti"] == []


@pytest.mark.parametrize(
    ("lines", "split", "reverse"),
    [
        ([("22.00", "22.00", "S", ""), ("0.00", "0.00", "", "N1")], True, False),
        ([("22.00", "22.00", "S", ""), ("10.00", "1.00", "I", "")], False, False),
        ([("22.00", "22.00", "", "")], False, False),
        ([("0.00", "0.00", "", "N6.3")], False, True),
        ([("0.00", "0.00", "S", "N2.2")], False, False),
    ],
)
def test_who_owes_the_vat(tmp_path, lines, split, reverse):
    summary = "".join(
        f"<DatiRiepilogo><AliquotaIVA>{rate}</AliquotaIVA>{f'<Natura>{natura}</Natura>' if natura else ''}"
        f"<ImponibileImporto>1.00</ImponibileImporto><Imposta>{vat}</Imposta>"
        f"{f'<EsigibilitaIVA>{due}</EsigibilitaIVA>' if due else ''}</DatiRiepilogo>"
        for rate, vat, due, natura in lines
    )
    row = only_row(tmp_path, invoice(body(summary=summary)))
    assert (row["split_payment"], row["reverse_charge"]) == (split, reverse)


def test_without_formato_trasmissione_the_root_names_the_version(tmp_path):
    for empty in ("", "<FormatoTrasmissione> </FormatoTrasmissione>"):
        text = invoice(formato="1.1").replace("<FormatoTrasmissione>1.1</FormatoTrasmissione>", empty)
        assert only_row(tmp_path, text)["formato"] == "1.1"


def test_two_different_cig_name_none(tmp_path):
    references = "".join(f"<DatiContratto><IdDocumento>1</IdDocumento><CodiceCIG>{c}</CodiceCIG></DatiContratto>" for c in "AB")
    row = only_row(tmp_path, invoice(body(references=references)))
    assert row["cig"] is None
    assert [r["cig"] for r in row["riferimenti"]] == ["A", "B"]


def simplified(*supplies: str) -> str:
    return f"""<?xml version="1.0"?><x:FatturaElettronicaSemplificata versione="FSM10" xmlns:x="{NAMESPACE}">
<FatturaElettronicaHeader><DatiTrasmissione><FormatoTrasmissione>FSM10</FormatoTrasmissione></DatiTrasmissione>
<CedentePrestatore><IdFiscaleIVA><IdPaese>IT</IdPaese><IdCodice>01234567897</IdCodice></IdFiscaleIVA>
<Denominazione>Bar Uno</Denominazione><Sede><Indirizzo>Via</Indirizzo></Sede>
<RappresentanteFiscale><IdFiscaleIVA><IdPaese>IT</IdPaese><IdCodice>9</IdCodice></IdFiscaleIVA></RappresentanteFiscale>
<RegimeFiscale>RF01</RegimeFiscale></CedentePrestatore>
<CessionarioCommittente><IdentificativiFiscali><CodiceFiscale>80012345678</CodiceFiscale></IdentificativiFiscali>
<AltriDatiIdentificativi><Denominazione>Comune</Denominazione></AltriDatiIdentificativi></CessionarioCommittente>
</FatturaElettronicaHeader><FatturaElettronicaBody><DatiGenerali>{document(tipo="TD08")}
<DatiFatturaRettificata><NumeroFR>9</NumeroFR><DataFR>2025-01-01</DataFR></DatiFatturaRettificata></DatiGenerali>
{"".join(f"<DatiBeniServizi><Descrizione>x</Descrizione>{s}</DatiBeniServizi>" for s in supplies)}
</FatturaElettronicaBody></x:FatturaElettronicaSemplificata>"""


def test_simplified_invoice(tmp_path):
    row = only_row(
        tmp_path,
        simplified(
            "<Importo>122.00</Importo><DatiIVA><Imposta>22.00</Imposta></DatiIVA>",
            "<Importo>11.00</Importo><DatiIVA><Aliquota>10.00</Aliquota></DatiIVA>",
            "<Importo>5.00</Importo><DatiIVA></DatiIVA><Natura>N2.2</Natura>",
        ),
    )
    assert (row["importo_totale"], row["imponibile"], row["imposta"]) == (
        Decimal("138.00"),
        Decimal("115.00"),
        Decimal("23.00"),
    )
    assert (row["formato"], row["id_fiscale_iva"], row["denominazione_fornitore"]) == (
        "FSM10",
        "IT01234567897",
        "Bar Uno",
    )
    assert (row["cf_committente"], row["denominazione_committente"], row["regime_fiscale"]) == (
        "80012345678",
        "Comune",
        "RF01",
    )
    assert (row["split_payment"], row["riferimenti"][0]["documento"]) == (False, "9")


def test_simplified_invoice_whose_vat_is_not_told(tmp_path):
    row = only_row(tmp_path, simplified("<Importo>122.00</Importo><DatiIVA></DatiIVA>"))
    assert (row["importo_totale"], row["imponibile"], row["imposta"]) == (Decimal("122.00"), None, None)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.decimals("-99999999999.99", "99999999999.99", places=2), st.decimals("0", "100", places=2))
def test_simplified_vat_is_exact(tmp_path, gross, rate):
    row = only_row(tmp_path, simplified(f"<Importo>{gross:f}</Importo><DatiIVA><Aliquota>{rate:f}</Aliquota></DatiIVA>"))
    vat = (abs(gross) * rate / (100 + rate)).quantize(Decimal("0.01"), ROUND_HALF_UP).copy_sign(gross)
    assert (row["importo_totale"], row["imposta"], row["imponibile"]) == (gross, vat, gross - vat)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.decimals("-99999999999.99", "99999999999.99", places=2), min_size=1, max_size=5), issued)
def test_amounts_and_dates_come_through_exactly(tmp_path, amounts, day):
    summary = "".join(
        f"<DatiRiepilogo><ImponibileImporto>{a:f}</ImponibileImporto><Imposta>{a:f}</Imposta></DatiRiepilogo>" for a in amounts
    )
    row = only_row(tmp_path, invoice(body(document(data=day.isoformat()), summary=summary)))
    assert [line["imponibile"] for line in row["riepilogo_iva"]] == amounts
    assert (row["imponibile"], row["imposta"]) == (sum(amounts), sum(amounts))
    assert row["data_emissione"] == day


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.from_regex(r"[-+0-9eE., ]{0,14}", fullmatch=True))
def test_an_amount_is_read_or_refused_never_guessed(tmp_path, text):
    content = invoice(body(document(more=f"\n<ImportoTotaleDocumento>{text}</ImportoTotaleDocumento>")))
    kept, _ = read(tmp_path, content)
    plain = text.strip(" ")
    digits = plain.removeprefix("-").removeprefix("+") if plain[:2] not in ("-+", "+-") else "x"
    whole, _, cents = digits.partition(".")
    fits = whole.isdigit() and len(whole) <= 11 and (not cents or (cents.isdigit() and len(cents) <= 2))
    fits = fits and not digits.endswith(".")
    if not plain or fits:
        assert kept.good[0]["importo_totale"] == (Decimal(plain) if plain else None)
    else:
        (defect,) = kept.bad
        line = content.split("<ImportoTotale")[0].count("\n") + 1
        assert (defect["value"], defect["line"]) == (plain, line)
        assert defect["field"] == "FatturaElettronicaBody/DatiGenerali/DatiGeneraliDocumento/ImportoTotaleDocumento"


NAMES = st.text(st.characters(codec="windows-1252", categories=["L", "N"]), min_size=1, max_size=30)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES, st.sampled_from(["UTF-8", "windows-1252", "ISO-8859-15", "UTF-16", "UTF-16LE", "cp1252", "UTF-32"]))
def test_encodings(tmp_path, name, encoding):
    try:
        encoded_name = name.encode(encoding)
    except UnicodeEncodeError:
        return
    assert encoded_name
    supplier = SUPPLIER.replace("<Nome>Anna</Nome><Cognome>Prova</Cognome>", f"<Denominazione>{name}</Denominazione>")
    text = invoice(supplier=supplier, declaration=f'<?xml version="1.0" encoding="{encoding}"?>')
    assert only_row(tmp_path, text.encode(encoding))["denominazione_fornitore"] == name


def test_bom_and_base64(tmp_path):
    for content in (
        codecs.BOM_UTF8 + invoice().encode(),
        base64.b64encode(invoice().encode()),
        codecs.BOM_UTF8 + base64.encodebytes(invoice().encode()),
        b"\n  " + invoice(declaration="").encode(),
    ):
        assert only_row(tmp_path, content)["numero"] == "1/PA"


@pytest.mark.parametrize(
    "write",
    [
        lambda text: text.replace("p:Fattura", "Fattura").replace("xmlns:p=", "xmlns="),
        lambda text: text.replace("<", "<p:").replace("<p:/", "</p:").replace("<p:?", "<?").replace("p:p:", "p:"),
        lambda text: text.replace("<FatturaElettronicaBody>", '<FatturaElettronicaBody xmlns="urn:altro">'),
        lambda text: text.replace("<Data>", '<q:Data xmlns:q="urn:q">').replace("</Data>", "</q:Data>"),
        lambda text: text.replace("p:Fattura", "Fattura").replace("xmlns:p=", "xmlns:z="),
        lambda text: text.replace("<Numero>", "<!-- <Numero>2</Numero> --><?x y?><Numero>").replace(
            "1/PA", "1<!--x-->/<![CDATA[PA]]>"
        ),
    ],
    ids=["default", "prefixed", "inner", "leaf", "none", "comments"],
)
def test_namespaces_and_comments_do_not_matter(tmp_path, write):
    row = only_row(tmp_path, write(invoice()))
    assert (row["numero"], row["data_emissione"], row["id_fiscale_iva"]) == (
        "1/PA",
        date(2025, 3, 31),
        "IT01234567897",
    )
    assert row["imponibile"] == Decimal("100.00")


def test_a_bad_body_does_not_stop_the_others(tmp_path):
    content = invoice(body(document("1")), body(document("2", "2025-02-30")), body(document("3")))
    kept, counts = read(tmp_path, content, "", invoice())
    assert [(row["line"], row["numero"]) for row in kept.good] == [(1, "1"), (3, "3"), (1, "1/PA")]
    assert counts == {"d0": Counts(3, 1, 1), "d1": Counts(0, 1, 1)}
    wrong, empty = sorted(kept.bad, key=lambda row: row["line"] is None)
    assert wrong["field"] == "FatturaElettronicaBody[2]/DatiGenerali/DatiGeneraliDocumento/Data"
    assert (wrong["value"], wrong["line"]) == ("2025-02-30", content.split("2025-02-30")[0].count("\n") + 1)
    assert "data del calendario" in wrong["reason"]
    assert empty["reason"] == EMPTY_FILE


def test_all_defects_of_a_body_are_listed(tmp_path):
    kept, counts = read(
        tmp_path,
        invoice(body(document("", "31/12/2025", "FATTURA", "<Arrotondamento>0,01</Arrotondamento>"))),
    )
    assert {d["field"].rsplit("/", 1)[1] for d in kept.bad} == {
        "Numero",
        "Data",
        "TipoDocumento",
        "Arrotondamento",
    }
    assert counts == {"d0": Counts(0, 1, 4)}


@pytest.mark.parametrize(
    ("change", "field", "word"),
    [
        ((SUPPLIER, ""), "FatturaElettronicaHeader/CedentePrestatore", "manca"),
        (
            (
                "<IdPaese>IT</IdPaese><IdCodice>01234567897</IdCodice></IdFiscaleIVA>\n<CodiceFiscale>01234567897</CodiceFiscale>",
                "<IdCodice>01234567897</IdCodice></IdFiscaleIVA>",
            ),
            "FatturaElettronicaHeader/CedentePrestatore",
            "né IdFiscaleIVA",
        ),
        (
            ("<Numero>1/PA</Numero>", ""),
            "FatturaElettronicaBody/DatiGenerali/DatiGeneraliDocumento/Numero",
            "manca",
        ),
        (
            ("<Numero>1/PA</Numero>", "<Numero>1</Numero><Numero>2</Numero>"),
            "FatturaElettronicaBody/DatiGenerali/DatiGeneraliDocumento/Numero[2]",
            "due volte",
        ),
        (
            ("<Imposta>22.00</Imposta>", "<Imposta>22.001</Imposta>"),
            "FatturaElettronicaBody/DatiBeniServizi/DatiRiepilogo/Imposta",
            "due decimali",
        ),
        (
            (
                "<CodiceFiscale>01234567897</CodiceFiscale>",
                "<CodiceFiscale>1</CodiceFiscale><CodiceFiscale>2</CodiceFiscale>",
            ),
            "FatturaElettronicaHeader/CedentePrestatore/DatiAnagrafici/CodiceFiscale[2]",
            "due volte",
        ),
    ],
)
def test_one_defect(tmp_path, change, field, word):
    assert change[0] in invoice()
    defect = only_defect(tmp_path, invoice().replace(*change))
    assert defect["field"] == field
    assert word in defect["reason"]
    assert defect["line"] > 1


@pytest.mark.parametrize(
    ("content", "word", "line"),
    [
        ("", EMPTY_FILE, None),
        ("   \n", EMPTY_FILE, None),
        ("Cordiali saluti", "non contiene XML", 1),
        (invoice()[:-30], "tag non chiuso", invoice().count("\n") + 1),
        (invoice().replace("<?xml", "<!-- x -->\n<?xml"), "non all'inizio", 2),
        (
            invoice()
            .replace(
                "<p:Fattura",
                '<!DOCTYPE p:FatturaElettronica [<!ENTITY a SYSTEM "file:///x">]>\n<p:Fattura',
                1,
            )
            .replace("1/PA", "&a;"),
            "DOCTYPE",
            2,
        ),
        (
            invoice().replace("1/PA", "&unknown;"),
            "entità non definita",
            invoice().split("1/PA")[0].count("\n") + 1,
        ),
        ('<?xml version="1.0"?>\n<t:NotificaScarto xmlns:t="urn:x"/>', "messaggio SDI (NotificaScarto)", 2),
        ("<html><body/></html>", "l'elemento radice è html", 1),
        (f'<p:FatturaElettronica xmlns:p="{NAMESPACE}"/>', "manca FatturaElettronicaBody", 1),
        (b"\xff\xfe<\x00x", "UTF-16", None),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "klingon", None),
        (b"\x30\x82\x10\x00\x06", "danneggiato", None),
        ("<a>" * 100_000, "annidati", 1),
        ("<a>" * 600_000, "malformato", 1),
        ("\x01" * 50, "non contiene XML", 1),
    ],
)
def test_a_file_refused(tmp_path, content, word, line):
    defect = only_defect(tmp_path, content)
    assert word in defect["reason"]
    assert defect["field"] is None
    if line is not None:
        assert defect["line"] == line


@pytest.mark.parametrize(
    ("block", "field"),
    [
        (SUPPLIER, "FatturaElettronicaHeader/CedentePrestatore[2]"),
        (
            "<IdFiscaleIVA><IdPaese>IT</IdPaese><IdCodice>01234567897</IdCodice></IdFiscaleIVA>",
            "FatturaElettronicaHeader/CedentePrestatore/DatiAnagrafici/IdFiscaleIVA[2]",
        ),
        ("</FatturaElettronicaHeader>", "FatturaElettronicaHeader[2]"),
    ],
)
def test_two_suppliers_are_not_chosen_between(tmp_path, block, field):
    twice = f"{block}<FatturaElettronicaHeader/>" if block.startswith("</") else block * 2
    assert block in invoice()
    defect = only_defect(tmp_path, invoice().replace(block, twice, 1))
    assert (defect["field"], "due volte" in defect["reason"]) == (field, True)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_entities_are_refused_however_far_down(tmp_path, encoding):
    bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "' + "&a;" * 50 + '"><!ENTITY c "' + "&b;" * 50 + '">]>'
    text = invoice(declaration=f'<?xml version="1.0" encoding="{encoding}"?><!--{" " * 5000}-->{bomb}').replace("1/PA", "&c;")
    assert "DOCTYPE" in only_defect(tmp_path, text.encode(encoding))["reason"]


def test_a_word_in_a_comment_is_no_doctype(tmp_path):
    declaration = '<?xml version="1.0"?>' + "<?a?>" * 300 + "<!-- <!DOCTYPE -->"
    assert only_row(tmp_path, invoice(declaration=declaration))["numero"] == "1/PA"


@pytest.mark.parametrize("wrap", [lambda data: data, base64.encodebytes], ids=["plain", "base64"])
def test_a_large_file_keeps_sizes_and_lines(tmp_path, wrap):
    def attachment(size: int) -> str:
        content = base64.encodebytes(b"x" * size).decode()
        name = f"<NomeAttachment>{size}</NomeAttachment>"
        return f"<Allegati>{name}<Attachment>{content}</Attachment></Allegati>"

    sizes = (3_000_000, 0, 1, 12_000_000)
    text = invoice(body(rest="".join(map(attachment, sizes))), body(document(data="never")))
    kept, _ = read(tmp_path, wrap(text.encode()))
    assert [(a["nome"], a["bytes"] or 0) for a in kept.good[0]["allegati"]] == [(str(size), size) for size in sizes]
    assert kept.bad[0]["line"] == text.split("never")[0].count("\n") + 1


def test_an_attachment_that_is_not_base64_has_no_size(tmp_path):
    rest = "<Allegati><NomeAttachment>a</NomeAttachment><Attachment>abcde</Attachment></Allegati>"
    assert only_row(tmp_path, invoice(body(rest=rest)))["allegati"][0]["bytes"] is None


def test_a_lot_of_many_bodies(tmp_path):
    kept, counts = read(tmp_path, invoice(*(body(document(str(n))) for n in range(1, 3001))))
    assert [row["line"] for row in kept.good] == list(range(1, 3001))
    assert counts == {"d0": Counts(3000, 0, 0)}


def test_batches_hold_one_ente_and_so_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(parse, "BATCH_FILES", 2)
    path = tmp_path / "a.xml"
    path.write_text(invoice())
    kept = Kept()
    parse_fatturapa([Source(ente, "sdi_invoices", ente, "a.xml", path) for ente in "aaabb"], kept)
    assert [batch.column("ente").to_pylist() for batch in kept.batches] == [["a", "a"], ["a"], ["b", "b"]]


def test_several_processes_give_the_same(tmp_path, monkeypatch):
    files = [invoice(body(document(str(n), "2025-13-01" if n % 7 == 3 else "2025-01-31"))) for n in range(20)]
    alone, counts = read(tmp_path, *files)
    monkeypatch.setattr(parse, "BATCH_FILES", 4)
    monkeypatch.setattr(parse, "PARALLEL_FILES", 1)
    together, same = read(tmp_path, *files, workers=2)
    assert (together.good, together.bad, same) == (alone.good, alone.bad, counts)
    assert len(together.batches) == 5


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_never_raises_and_is_counted(tmp_path, data):
    whole = invoice(body(document("1")), body(document("2"))).encode()
    at = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.integers(0, 40))
    marks = st.sampled_from([b"<", b">", b"</Data>", b"<Data/>", b"&lt;", b" "])
    new = data.draw(st.one_of(st.binary(max_size=12), marks))
    kept, counts = read(tmp_path, whole[:at] + new + whole[at + cut :])
    assert counts["d0"].rows == len(kept.good)
    assert counts["d0"].defects == len(kept.bad)
    assert counts["d0"].rows + counts["d0"].refused >= 1
    assert bool(kept.bad) == bool(counts["d0"].refused)


def test_no_files(tmp_path):
    assert read(tmp_path)[1] == {}


def test_a_file_that_is_gone_is_a_defect(tmp_path):
    kept = Kept()
    parse_fatturapa([Source("a", "sdi_invoices", "d", "x.xml", tmp_path / "x.xml")], kept)
    assert "non si legge" in kept.bad[0]["reason"]


def test_files_as_they_come(corpus):
    kept = Kept()
    parse_fatturapa([Source("prova", "sdi_invoices", p.name, p.name, p) for p in corpus], kept)
    read_files, refused = {row["file"] for row in kept.good}, {row["file"]: row for row in kept.bad}
    assert not read_files & refused.keys()
    assert read_files | refused.keys() == {p.name for p in corpus}
    # Broken on purpose by their authors, or no invoices.
    broken = {"invalid.xml.p7m", "missing_CedentePrestatore.xml", "test.txt.p7m"}
    messages = {p.name for p in corpus if "_11111_" in p.name}
    assert refused.keys() == broken | messages
    assert all("messaggio SDI" in refused[name]["reason"] and refused[name]["line"] for name in messages)
    assert refused["missing_CedentePrestatore.xml"]["field"] == "FatturaElettronicaHeader/CedentePrestatore"
    assert "incompleto" in refused["invalid.xml.p7m"]["reason"]
    assert {row["firma"] for row in kept.good if row["file"].endswith(".p7m")} == {"VALIDA"}
