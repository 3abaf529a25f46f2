"""SDI's messages for the synthetic documents: metadata, receipts, outcomes (refusals among them), expired terms.

Which invoices SDI delivered as files is told by `sdi`; the messages name the same files and PCC's lots.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import duckdb

from pcc_pipeline.demo.parties import Ente

_QUERY = """
select
    i, piva, pcc_number, pcc_issued, lotto, received,
    draw(i, 9) % 10000 < $1 and twist <> 'split_vat' as as_file,
    twist = 'ec02' or case_name in ('rejected', 'rejected_still_open') as refused
from documents
where pcc_copies = 1 and (refused or as_file)
order by i
"""
_ROOTS = {
    "MT": "MetadatiInvioFile",
    "RC": "RicevutaConsegna",
    "EC": "NotificaEsitoCommittente",
    "DT": "NotificaDecorrenzaTermini",
    "MC": "NotificaMancataConsegna",
}
_STAMP = (2026, 1, 1, 0, 0, 0)


def write_messages(connection: duckdb.DuckDBPyConnection, folder: Path, ente: Ente, share: float) -> int:
    """Write the messages of one ente into `folder`, refusals as files of their own; returns how many.

    `share` is that of `write_sdi`: the documents which also come as files. One message is about a file of nobody.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "messaggi.zip.part"
    written = 0
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for i, piva, number, issued, lot, received, as_file, refused in connection.execute(
            _QUERY, [round(share * 10_000)]
        ).fetchall():
            name = f"IT{piva}_{i + 1:05X}"
            named = f"<NomeFile>{name}.xml</NomeFile>"
            told = (
                [
                    (
                        "MT",
                        f"{named}<CodiceDestinatario>{ente.office}</CodiceDestinatario><Formato>FPA12</Formato>",
                    ),
                    (
                        "RC",
                        f"{named}<DataOraRicezione>{received}T09:00:00+01:00</DataOraRicezione>"
                        f"<DataOraConsegna>{received}T09:05:00+01:00</DataOraConsegna>",
                    ),
                ]
                if as_file
                else []
            )
            if not refused and i % 4 == 0:
                told.append(("EC", "<Esito>EC01</Esito>"))
            elif not refused and i % 4 == 1:
                told.append(("DT", named))
            for kind, inner in told:
                text = _message(kind, lot, inner)
                archive.writestr(zipfile.ZipInfo(f"{name}_{kind}_001.xml", _STAMP), text)
            if refused:
                about = (
                    f"<RiferimentoFattura><NumeroFattura>{number}</NumeroFattura>"
                    f"<AnnoFattura>{issued.year}</AnnoFattura></RiferimentoFattura>"
                )
                inner = f"{about}<Esito>EC02</Esito><Descrizione>Fornitura non ricevuta</Descrizione>"
                _file(folder / f"{name}_EC_001.xml", _message("EC", lot, inner))
            written += len(told) + refused
        stranger = "<NomeFile>IT00000000000_ZZZZZ.xml</NomeFile>"
        archive.writestr(zipfile.ZipInfo("IT00000000000_ZZZZZ_MC_001.xml", _STAMP), _message("MC", "1", stranger))
    part.rename(folder / "messaggi.zip")
    return written + 1


def _message(kind: str, lot: str, inner: str) -> str:
    root = _ROOTS[kind]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<types:{root} versione="1.0" '
        f'xmlns:types="http://www.fatturapa.gov.it/sdi/messaggi/v1.0"><IdentificativoSdI>{lot}</IdentificativoSdI>'
        f"{inner}<MessageId>{lot}</MessageId></types:{root}>\n"
    )


def _file(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.rename(path)
