"""Files as suppliers and SDI send them: some of the project's own, written here, and those of ../shared, where present."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID
from samples import SHARED

SDI = "http://www.fatturapa.gov.it/sdi/messaggi/v1.0"
FATTURE = "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2"
#: The root element of each kind of message, and what it says besides its lot.
MESSAGES = {
    "MT": ("MetadatiInvioFile", "<NomeFile>{file}</NomeFile><CodiceDestinatario>UFXYZ1</CodiceDestinatario>"),
    "RC": ("RicevutaConsegna", "<NomeFile>{file}</NomeFile><DataOraConsegna>2025-04-01T12:00:00</DataOraConsegna>"),
    "MC": ("NotificaMancataConsegna", "<NomeFile>{file}</NomeFile><Descrizione>casella piena</Descrizione>"),
    "NS": ("NotificaScarto", "<NomeFile>{file}</NomeFile><ListaErrori><Errore><Codice>00404</Codice></Errore></ListaErrori>"),
    "NE": ("NotificaEsito", "<NomeFile>{file}</NomeFile><EsitoCommittente><Esito>EC01</Esito></EsitoCommittente>"),
    "EC": ("NotificaEsitoCommittente", "<Esito>EC01</Esito>"),
    "SE": ("ScartoEsitoCommittente", "<Scarto>EN00</Scarto>"),
    "DT": ("NotificaDecorrenzaTermini", "<NomeFile>{file}</NomeFile>"),
    "AT": ("AttestazioneTrasmissioneFattura", "<NomeFile>{file}</NomeFile>"),
}
SUPPLIER = """<CedentePrestatore><DatiAnagrafici><IdFiscaleIVA><IdPaese>IT</IdPaese><IdCodice>77000110997</IdCodice>
</IdFiscaleIVA><Anagrafica><Denominazione>Edilpietra S.r.l. è qui</Denominazione></Anagrafica></DatiAnagrafici></CedentePrestatore>"""


def _body(number: int, kind: str = "TD01") -> str:
    return f"""<FatturaElettronicaBody><DatiGenerali><DatiGeneraliDocumento><TipoDocumento>{kind}</TipoDocumento>
<Divisa>EUR</Divisa><Data>2025-03-31</Data><Numero>{number}</Numero><ImportoTotaleDocumento>122.00</ImportoTotaleDocumento>
</DatiGeneraliDocumento></DatiGenerali><DatiBeniServizi><DettaglioLinee><NumeroLinea>1</NumeroLinea></DettaglioLinee>
<DatiRiepilogo><AliquotaIVA>22.00</AliquotaIVA><ImponibileImporto>100.00</ImponibileImporto><Imposta>22.00</Imposta>
<EsigibilitaIVA>S</EsigibilitaIVA></DatiRiepilogo></DatiBeniServizi></FatturaElettronicaBody>"""


def _invoice(*bodies: str, formato: str = "FPA12", encoding: str = "UTF-8", supplier: str = SUPPLIER) -> bytes:
    text = f"""<?xml version="1.0" encoding="{encoding}"?>
<p:FatturaElettronica versione="{formato}" xmlns:p="{FATTURE}"><FatturaElettronicaHeader><DatiTrasmissione>
<FormatoTrasmissione>{formato}</FormatoTrasmissione></DatiTrasmissione>{supplier}<CessionarioCommittente><DatiAnagrafici>
<CodiceFiscale>80077700997</CodiceFiscale></DatiAnagrafici></CessionarioCommittente></FatturaElettronicaHeader>
{"".join(bodies)}</p:FatturaElettronica>"""
    return text.encode(encoding)


SIMPLIFIED = f"""<?xml version="1.0"?><x:FatturaElettronicaSemplificata versione="FSM10" xmlns:x="{FATTURE}">
<FatturaElettronicaHeader><DatiTrasmissione><FormatoTrasmissione>FSM10</FormatoTrasmissione></DatiTrasmissione>
<CedentePrestatore><IdFiscaleIVA><IdPaese>IT</IdPaese><IdCodice>77000220994</IdCodice></IdFiscaleIVA>
<Denominazione>Carta e Penna S.n.c.</Denominazione></CedentePrestatore></FatturaElettronicaHeader>
<FatturaElettronicaBody><DatiGenerali><DatiGeneraliDocumento><TipoDocumento>TD07</TipoDocumento><Divisa>EUR</Divisa>
<Data>2025-03-31</Data><Numero>7</Numero></DatiGeneraliDocumento></DatiGenerali><DatiBeniServizi><Descrizione>carta</Descrizione>
<Importo>12.20</Importo><DatiIVA><Aliquota>22.00</Aliquota></DatiIVA></DatiBeniServizi></FatturaElettronicaBody>
</x:FatturaElettronicaSemplificata>""".encode()


def _signer() -> Callable[[bytes], bytes]:
    """Signs as a supplier does, with a certificate of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ANNA PROVA")]), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    certificate = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())

    def signed(content: bytes) -> bytes:
        made = pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(certificate, key, hashes.SHA256())
        return made.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])

    return signed


def write(folder: Path) -> None:
    """Invoices of every format, signed and plain, three broken on purpose, and a message of each kind about one of them."""
    signed = _signer()
    files = {
        "IT77000110997_00002.xml": _invoice(_body(1)),
        "IT77000110997_00003.xml": _invoice(*(_body(number) for number in (2, 3, 4)), formato="FPR12"),
        "IT77000110997_00004.xml": _invoice(_body(5, "TD04"), encoding="windows-1252"),
        "IT77000110997_00005.xml.p7m": signed(_invoice(_body(6))),
        "IT77000110997_00006.xml.p7m": base64.encodebytes(signed(_invoice(_body(8)))),
        "IT77000220994_00007.xml": SIMPLIFIED,
        "IT77000110997_11111.xml": _invoice(_body(9)),
        "invalid.xml.p7m": signed(_invoice(_body(10)))[:-200],
        "missing_CedentePrestatore.xml": _invoice(_body(11), supplier=""),
        "test.txt.p7m": signed(b"This is no invoice."),
    }
    for kind, (root, inner) in MESSAGES.items():
        said = (
            f"<IdentificativoSdI>111</IdentificativoSdI>{inner.format(file='IT77000110997_11111.xml')}<MessageId>1</MessageId>"
        )
        text = f'<?xml version="1.0" encoding="UTF-8"?><types:{root} xmlns:types="{SDI}" versione="1.0">{said}</types:{root}>'
        files[f"IT77000110997_11111_{kind}_001.xml"] = text.encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


OWN = "own"
CORPORA = [OWN, *(["shared"] if (SHARED / "corpus" / "fatturapa").is_dir() else [])]


def files(corpus: str, folder: Path) -> list[Path]:
    """The invoices and messages of a corpus, those of the project's own written into `folder`."""
    if corpus == OWN:
        write(folder)
    root = folder if corpus == OWN else SHARED / "corpus" / "fatturapa"
    return sorted(path for path in root.rglob("*") if path.suffix in (".xml", ".p7m"))
