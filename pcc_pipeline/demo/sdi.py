"""Writes FatturaPA XML (FPA12) for part of the documents, plain or in a .zip.

Only what a real supplier would send: nothing the ente or PCC adds later. The parser lives in `formats`.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import duckdb

from pcc_pipeline.demo.parties import Ente

_QUERY = """
select i, piva, cf, name, professional, tipo, pcc_number, pcc_issued, pcc_total, pcc_net, vat, rate, split,
       issued + getvariable('term')::int as due_on, cig
from documents
where pcc_copies = 1 and twist <> 'split_vat' and draw(i, 9) % 10000 < $1
order by i
"""

_XML = """<?xml version="1.0" encoding="UTF-8"?>
<p:FatturaElettronica versione="FPA12" \
xmlns:p="http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2">
<FatturaElettronicaHeader>
<DatiTrasmissione><IdTrasmittente><IdPaese>IT</IdPaese><IdCodice>{piva}</IdCodice></IdTrasmittente>\
<ProgressivoInvio>{progressive}</ProgressivoInvio><FormatoTrasmissione>FPA12</FormatoTrasmissione>\
<CodiceDestinatario>{office}</CodiceDestinatario></DatiTrasmissione>
<CedentePrestatore><DatiAnagrafici><IdFiscaleIVA><IdPaese>IT</IdPaese><IdCodice>{piva}</IdCodice></IdFiscaleIVA>\
<CodiceFiscale>{cf}</CodiceFiscale><Anagrafica>{name}</Anagrafica><RegimeFiscale>RF01</RegimeFiscale>\
</DatiAnagrafici><Sede><Indirizzo>Via Roma 1</Indirizzo><CAP>20100</CAP><Comune>Milano</Comune>\
<Provincia>MI</Provincia><Nazione>IT</Nazione></Sede></CedentePrestatore>
<CessionarioCommittente><DatiAnagrafici><CodiceFiscale>{ente_cf}</CodiceFiscale><Anagrafica>\
<Denominazione>{ente}\
</Denominazione></Anagrafica></DatiAnagrafici>\
<Sede><Indirizzo>Piazza del Municipio 1</Indirizzo><CAP>20100</CAP>\
<Comune>Milano</Comune><Provincia>MI</Provincia><Nazione>IT</Nazione></Sede></CessionarioCommittente>
</FatturaElettronicaHeader>
<FatturaElettronicaBody>
<DatiGenerali><DatiGeneraliDocumento><TipoDocumento>{tipo}</TipoDocumento><Divisa>EUR</Divisa><Data>{issued}</Data>\
<Numero>{number}</Numero><ImportoTotaleDocumento>{total}</ImportoTotaleDocumento></DatiGeneraliDocumento>\
<DatiOrdineAcquisto><IdDocumento>{order}</IdDocumento><CodiceCIG>{cig}</CodiceCIG></DatiOrdineAcquisto></DatiGenerali>
<DatiBeniServizi><DettaglioLinee><NumeroLinea>1</NumeroLinea><Descrizione>Servizi e forniture</Descrizione>\
<PrezzoUnitario>{net}</PrezzoUnitario><PrezzoTotale>{net}</PrezzoTotale><AliquotaIVA>{rate}.00</AliquotaIVA>{nature}\
</DettaglioLinee><DatiRiepilogo><AliquotaIVA>{rate}.00</AliquotaIVA>{nature}<ImponibileImporto>{net}</ImponibileImporto>\
<Imposta>{vat}</Imposta>{chargeable}</DatiRiepilogo></DatiBeniServizi>
<DatiPagamento><CondizioniPagamento>TP02</CondizioniPagamento><DettaglioPagamento><ModalitaPagamento>MP05\
</ModalitaPagamento><DataScadenzaPagamento>{due}</DataScadenzaPagamento><ImportoPagamento>{payable}</ImportoPagamento>\
</DettaglioPagamento></DatiPagamento>
</FatturaElettronicaBody>
</p:FatturaElettronica>
"""


def _euro(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def write_sdi(connection: duckdb.DuckDBPyConnection, folder: Path, ente: Ente, share: float) -> int:
    """Write the FatturaPA files of one ente into `folder`; returns how many.

    `share` (0…1) of the documents get one; one in five of these travels in `fatture.zip`.
    """
    if share <= 0:
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    zipped = folder / "fatture.zip.part"
    written = 0
    cursor = connection.execute(_QUERY, [round(share * 10_000)])
    names = [column[0] for column in cursor.description or ()]
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        while block := cursor.fetchmany(10_000):
            for row in block:
                name, text = _document(dict(zip(names, row, strict=True)), ente)
                if written % 5 == 4:
                    # A fixed time stamp: the same seed gives the same bytes.
                    archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text)
                else:
                    part = folder / f"{name}.part"
                    part.write_text(text, encoding="utf-8")
                    part.rename(folder / name)
                written += 1
        empty = not archive.namelist()
    if empty:
        zipped.unlink()
    else:
        zipped.rename(folder / "fatture.zip")
    return written


def _document(row: dict[str, object], ente: Ente) -> tuple[str, str]:
    """File name and XML of one document."""
    number, net, vat, rate = (int(str(row[name])) for name in ("i", "pcc_net", "vat", "rate"))
    progressive = f"{number + 1:05X}"
    if row["professional"]:
        surname, _, given = str(row["name"]).rpartition(" ")
        name = f"<Nome>{escape(given)}</Nome><Cognome>{escape(surname)}</Cognome>"
    else:
        name = f"<Denominazione>{escape(str(row['name']))}</Denominazione>"
    split = bool(row["split"])
    text = _XML.format(
        piva=row["piva"],
        cf=row["cf"],
        name=name,
        progressive=progressive,
        office=ente.office,
        ente=escape(ente.name),
        ente_cf=ente.cf,
        tipo=row["tipo"],
        issued=row["pcc_issued"],
        number=escape(str(row["pcc_number"])),
        total=_euro(net + vat),
        net=_euro(net),
        vat=_euro(vat),
        rate=rate,
        nature="" if rate else "<Natura>N4</Natura>",
        order=f"ORD-{number + 1}",
        cig=row["cig"],
        due=row["due_on"],
        chargeable=f"<EsigibilitaIVA>{'S' if split else 'I'}</EsigibilitaIVA>" if rate else "",
        payable=_euro(net if split else net + vat),
    )
    return f"IT{row['piva']}_{progressive}.xml", text
