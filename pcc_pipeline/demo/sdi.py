"""Writes FatturaPA XML (FPA12) for part of the documents, plain or in a .zip, some in odd envelopes.

Only what a real supplier would send: nothing the ente or PCC adds later. The parser lives in `formats`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.sax.saxutils import escape

import duckdb

from pcc_pipeline.demo.parties import Ente

_QUERY = """
select i, piva, pcc_cf as cf, pcc_vat_number, name, professional, pcc_tipo as tipo, pcc_number, pcc_issued, pcc_net, split, cig,
       if(sdi_nature is null, pcc_vat, 0) as vat, if(sdi_nature is null, rate, 0) as rate,
       coalesce(sdi_dues, [issued + getvariable('term')::int]) as dues,
       sdi_nature, sdi_term, sdi_withheld, if(sdi_names, erp_number, null) as named, issued,
       sdi_nature is not null or sdi_dues is not null or sdi_term is not null or sdi_withheld is not null or sdi_names as must
from documents
where pcc_copies = 1 and pcc_amount > 0 and twist <> 'split_vat' and (must or draw(i, 9) % 10000 < $1)
order by i
"""

_XML = """<?xml version="1.0" encoding="UTF-8"?>
<p:FatturaElettronica versione="FPA12" \
xmlns:p="http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2">
<FatturaElettronicaHeader>
<DatiTrasmissione><IdTrasmittente><IdPaese>IT</IdPaese><IdCodice>{piva}</IdCodice></IdTrasmittente>\
<ProgressivoInvio>{progressive}</ProgressivoInvio><FormatoTrasmissione>FPA12</FormatoTrasmissione>\
<CodiceDestinatario>{office}</CodiceDestinatario></DatiTrasmissione>
<CedentePrestatore><DatiAnagrafici><IdFiscaleIVA><IdPaese>{country}</IdPaese><IdCodice>{code}</IdCodice></IdFiscaleIVA>\
{cf}<Anagrafica>{name}</Anagrafica><RegimeFiscale>RF01</RegimeFiscale>\
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
<Numero>{number}</Numero>{withheld}<ImportoTotaleDocumento>{total}</ImportoTotaleDocumento></DatiGeneraliDocumento>\
<DatiOrdineAcquisto><IdDocumento>{order}</IdDocumento><CodiceCIG>{cig}</CodiceCIG></DatiOrdineAcquisto>{named}</DatiGenerali>
<DatiBeniServizi><DettaglioLinee><NumeroLinea>1</NumeroLinea><Descrizione>Servizi e forniture</Descrizione>\
<PrezzoUnitario>{net}</PrezzoUnitario><PrezzoTotale>{net}</PrezzoTotale><AliquotaIVA>{rate}.00</AliquotaIVA>{nature}\
</DettaglioLinee><DatiRiepilogo><AliquotaIVA>{rate}.00</AliquotaIVA>{nature}<ImponibileImporto>{net}</ImponibileImporto>\
<Imposta>{vat}</Imposta>{chargeable}</DatiRiepilogo></DatiBeniServizi>
<DatiPagamento><CondizioniPagamento>{conditions}</CondizioniPagamento>{payments}</DatiPagamento>
</FatturaElettronicaBody>
</p:FatturaElettronica>
"""


_PAYMENT = (
    "<DettaglioPagamento><ModalitaPagamento>MP05</ModalitaPagamento>{when}"
    "<ImportoPagamento>{amount}</ImportoPagamento></DettaglioPagamento>"
)

#: What stands around some invoices on their way: blanks before the declaration, padding after the end, a namespace that
#: is no URI.
_ENVELOPES: tuple[Callable[[str], str], ...] = (
    str,
    lambda text: "\n" + text,
    lambda text: text + "\0\0\0",
    lambda text: text.replace(" versione=", ' xmlns:x="http://[server] di posta" versione=', 1),
)


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
    must = names.index("must")
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        while block := cursor.fetchmany(10_000):
            for row in block:
                name, text = _document(dict(zip(names, row, strict=True)), ente)
                # Those of situations travel alone.
                if written % 5 == 4 and not row[must]:
                    # A fixed time stamp: the same seed gives the same bytes.
                    around = _ENVELOPES[written // 5 % len(_ENVELOPES)]
                    archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), around(text))
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
    nature = row["sdi_nature"] or "N4"
    payable = net if split else net + vat
    text = _XML.format(
        piva=row["piva"],
        country=str(row["pcc_vat_number"])[:2],
        code=str(row["pcc_vat_number"])[2:],
        cf=f"<CodiceFiscale>{row['cf']}</CodiceFiscale>" if row["cf"] else "",
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
        nature="" if rate else f"<Natura>{nature}</Natura>",
        withheld=_withheld(row["sdi_withheld"]),
        named=_named(row["named"], row["issued"]),
        order=f"ORD-{number + 1}",
        cig=row["cig"],
        chargeable=f"<EsigibilitaIVA>{'S' if split else 'I'}</EsigibilitaIVA>" if rate else "",
        conditions="TP02" if len(_dues(row)) < 2 else "TP01",
        payments=_payments(row, payable),
    )
    return f"IT{row['piva']}_{progressive}.xml", text


def _dues(row: Mapping[str, object]) -> list[object]:
    dues = row["dues"]
    return dues if isinstance(dues, list) else []


def _payments(row: Mapping[str, object], payable: int) -> str:
    """One part a due date, of equal amounts; or days from the document's own date."""
    if row["sdi_term"]:
        when = (
            f"<DataRiferimentoTerminiPagamento>{row['issued']}</DataRiferimentoTerminiPagamento>"
            f"<GiorniTerminiPagamento>{row['sdi_term']}</GiorniTerminiPagamento>"
        )
        return _PAYMENT.format(when=when, amount=_euro(payable))
    dues = _dues(row)
    part = payable // len(dues)
    amounts = [part] * (len(dues) - 1) + [payable - part * (len(dues) - 1)]
    return "".join(
        _PAYMENT.format(when=f"<DataScadenzaPagamento>{due}</DataScadenzaPagamento>", amount=_euro(amount))
        for due, amount in zip(dues, amounts, strict=True)
    )


def _withheld(cents: object) -> str:
    """The withholding tax, of a fifth."""
    if cents is None:
        return ""
    return (
        f"<DatiRitenuta><TipoRitenuta>RT02</TipoRitenuta><ImportoRitenuta>{_euro(int(str(cents)))}</ImportoRitenuta>"
        "<AliquotaRitenuta>20.00</AliquotaRitenuta><CausalePagamento>A</CausalePagamento></DatiRitenuta>"
    )


def _named(number: object, issued: object) -> str:
    """The document that a self-invoice stands for."""
    if number is None:
        return ""
    return f"<DatiFattureCollegate><IdDocumento>{escape(str(number))}</IdDocumento><Data>{issued}</Data></DatiFattureCollegate>"
