"""Why a body of a FatturaPA cannot stand: each defect with its line, path, value and reason.

Runs only for documents that `fatturapa_type` found wanting, or in which something occurs twice. It keeps the
same rules, one value at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from lxml import etree

from pcc_pipeline.formats.cells import bare
from pcc_pipeline.formats.conventions import EARLIEST, TOO_EARLY, TOO_LATE, last_day
from pcc_pipeline.formats.fatturapa import typed
from pcc_pipeline.formats.fatturapa.read import REFERENCES
from pcc_pipeline.formats.reasons import ASK
from pcc_pipeline.formats.xml_parse import line_of


@dataclass(frozen=True)
class Fault:
    """One defect: line of the XML, path of the element, the value found, what is wrong and what to do."""

    line: int | None
    field: str
    value: str | None
    reason: str


_MONEY = f"non è un importo con al più due decimali dopo il punto (1234.56): {ASK}"
_DATE = f"non è una data del calendario scritta anno-mese-giorno (2025-12-31): {ASK}"
_DAYS = f"non è un numero intero di giorni: {ASK}"
_TWICE = f"ricorre due volte, e non si sa quale vale: {ASK}"
_TYPE = f"non è un tipo di documento (TD01, TD02, …): {ASK}"


def _money(text: str) -> str | None:
    return None if re.match(typed.MONEY_PATTERN, text) else _MONEY


def _date(text: str) -> str | None:
    return None if typed.parse_date(text) else _DATE


def _issued(text: str) -> str | None:
    day = typed.parse_date(text)
    if day is None:
        return _DATE
    return None if EARLIEST <= day <= last_day() else f"è una {TOO_EARLY if day < EARLIEST else TOO_LATE}: {ASK}"


def _days(text: str) -> str | None:
    return None if re.match(typed.DAYS_PATTERN, text) else _DAYS


def _type(text: str) -> str | None:
    return None if re.match(typed.TYPE_PATTERN, text) else _TYPE


def _any(_text: str) -> str | None:
    return None


_Rule = Callable[[str], str | None]

_DOCUMENT = "DatiGenerali/DatiGeneraliDocumento"
#: Block -> its members, each with the rule of its value. No member may occur twice in one block.
_BODY: dict[str, dict[str, _Rule]] = {
    _DOCUMENT: {
        "TipoDocumento": _type,
        "Divisa": _any,
        "Data": _issued,
        "Numero": _any,
        "ImportoTotaleDocumento": _money,
        "Arrotondamento": _money,
    },
    f"{_DOCUMENT}/DatiBollo": {"ImportoBollo": _money},
    f"{_DOCUMENT}/DatiRitenuta": {
        "TipoRitenuta": _any,
        "ImportoRitenuta": _money,
        "AliquotaRitenuta": _money,
        "CausalePagamento": _any,
    },
    f"{_DOCUMENT}/DatiCassaPrevidenziale": {
        "TipoCassa": _any,
        "AlCassa": _money,
        "ImportoContributoCassa": _money,
        "ImponibileCassa": _money,
        "AliquotaIVA": _money,
        "Natura": _any,
    },
    **{
        f"DatiGenerali/{block}": {
            "IdDocumento": _any,
            "Data": _date,
            "CodiceCommessaConvenzione": _any,
            "CodiceCUP": _any,
            "CodiceCIG": _any,
        }
        for block in REFERENCES
    },
    "DatiGenerali/DatiFatturaRettificata": {"NumeroFR": _any, "DataFR": _date},
    "DatiBeniServizi/DatiRiepilogo": {
        "AliquotaIVA": _money,
        "Natura": _any,
        "ImponibileImporto": _money,
        "Imposta": _money,
        "EsigibilitaIVA": _any,
    },
    "DatiBeniServizi": {"Importo": _money, "Natura": _any},
    "DatiBeniServizi/DatiIVA": {"Imposta": _money, "Aliquota": _money},
    "DatiPagamento": {"CondizioniPagamento": _any},
    "DatiPagamento/DettaglioPagamento": {
        "ModalitaPagamento": _any,
        "DataScadenzaPagamento": _date,
        "DataRiferimentoTerminiPagamento": _date,
        "GiorniTerminiPagamento": _days,
        "ImportoPagamento": _money,
        "IBAN": _any,
        "Beneficiario": _any,
    },
}
_HEADER: dict[str, dict[str, _Rule]] = {
    "DatiTrasmissione": {"FormatoTrasmissione": _any, "ProgressivoInvio": _any, "CodiceDestinatario": _any},
}
for _party in ("CedentePrestatore", "CessionarioCommittente"):
    for _inner in ("", "/DatiAnagrafici", "/IdentificativiFiscali"):
        _HEADER[f"{_party}{_inner}"] = {"CodiceFiscale": _any, "RegimeFiscale": _any, "Denominazione": _any}
        _HEADER[f"{_party}{_inner}/IdFiscaleIVA"] = {"IdPaese": _any, "IdCodice": _any}
        _HEADER[f"{_party}{_inner}/Anagrafica"] = {"Denominazione": _any, "Nome": _any, "Cognome": _any}


def header_faults(root: etree._Element) -> list[Fault]:
    """What is wrong in the header, and so with every body of the file."""
    header = root.find("FatturaElettronicaHeader")
    if header is None:
        reason = f"manca l'intestazione, e con essa il fornitore e l'ufficio: {ASK}"
        return [Fault(line_of(root), "FatturaElettronicaHeader", None, reason)]
    faults = list(_faults(header, _HEADER))
    single = [root.findall("FatturaElettronicaHeader"), *(header.findall(path) for path in _HEADER)]
    for blocks in single:
        for block, following in pairwise(blocks):
            if block.getparent() is following.getparent():
                reason = f"{following.tag} {_TWICE}"
                faults.append(Fault(line_of(following), _path(following), None, reason))
    version = (root.get("versione") or "").strip()
    if not version and not _said(header.find("DatiTrasmissione/FormatoTrasmissione")):
        path = "FatturaElettronicaHeader/DatiTrasmissione/FormatoTrasmissione"
        reason = "mancano sia FormatoTrasmissione sia l'attributo versione"
        faults.append(_missing(header, path, reason))
    supplier = header.find("CedentePrestatore")
    if supplier is None:
        path = "FatturaElettronicaHeader/CedentePrestatore"
        faults.append(_missing(header, path, "manca CedentePrestatore, cioè il fornitore"))
        return faults
    named = any(
        _said(supplier.find(f"{inner}CodiceFiscale"))
        or all(_said(supplier.find(f"{inner}IdFiscaleIVA/{part}")) for part in ("IdPaese", "IdCodice"))
        for inner in ("", "DatiAnagrafici/")
    )
    if not named:
        reason = "né IdFiscaleIVA né CodiceFiscale sono completi, e il fornitore non si conosce"
        faults.append(_missing(supplier, _path(supplier), reason))
    return faults


def body_faults(body: etree._Element) -> list[Fault]:
    """What is wrong in one body."""
    faults = list(_faults(body, _BODY))
    general = body.findall(_DOCUMENT)
    if len(general) > 1:
        faults.append(Fault(line_of(general[1]), _path(general[1]), None, f"DatiGeneraliDocumento {_TWICE}"))
    place = general[-1] if general else body
    for name in ("TipoDocumento", "Numero", "Data"):
        if not any(_said(element) for element in place.findall(name if general else f"{_DOCUMENT}/{name}")):
            path = f"{_path(place)}/{name if general else f'{_DOCUMENT}/{name}'}"
            faults.append(_missing(place, path, f"{name} manca o è vuoto"))
    return faults


def _faults(parent: etree._Element, rules: dict[str, dict[str, _Rule]]) -> Iterator[Fault]:
    for path, members in rules.items():
        for block in parent.findall(path):
            seen: set[str] = set()
            for leaf in block:
                rule = members.get(leaf.tag)
                if rule is None:
                    continue
                text = bare(leaf.text or "").strip(typed.BLANKS)
                if leaf.tag in seen:
                    yield Fault(line_of(leaf), _path(leaf), text, f"{leaf.tag} {_TWICE}")
                seen.add(leaf.tag)
                if text and (wrong := rule(text)):
                    yield Fault(line_of(leaf), _path(leaf), text, f"{leaf.tag} {wrong}")


def _said(element: etree._Element | None) -> bool:
    return element is not None and bool(bare(element.text or "").strip(typed.BLANKS))


def _missing(place: etree._Element, path: str, reason: str) -> Fault:
    return Fault(line_of(place), path, None, f"{reason}: {ASK}")


def _path(element: etree._Element) -> str:
    """The path below the root, with the ordinal of what repeats."""
    return element.getroottree().getpath(element).split("/", 2)[-1]
