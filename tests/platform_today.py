"""A test double of today's PCC (Area RGS): holds documents by their amounts, takes both upload models strictly, answers row
by row and gives its present state as feeds.

Written from the description of the models (docs/formats.md#area-rgs) alone. It imports nothing of the project on purpose: a
mistake of our writer must not be shared here. Where the description says *inferred*, this double takes the narrower reading.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from platform_format import DIALECTS, IDS, read

ZERO = Decimal(0)
KINDS = ("contenzioso", "contestazione", "verifica")
#: What each action fills besides the identification; all else must be empty. `?`: may be filled.
FILLED = {
    "SID": "imponibile? imposta? non_commerciale contenzioso contenzioso_dal? contestazione contestazione_dal? verifica verifica_dal? non_liquidabile",
    "MI": "split",
    "CS": "data",
    "RC": "data? protocollo?",
    "RF": "data?",
    "CH": "",
    "RS": "",
    "RT": "",
    "IP": "tipo_debito importo natura mandato mandato_il beneficiario cig cup opi? iva? giorni?",
}


class Refused(Exception):
    """What PCC answers to a row: code and words."""


def _require(holds: object, code: str, words: str) -> None:
    if not holds:
        raise Refused(code, words)


def _date(text: str) -> date:
    _require(re.fullmatch(r"\d{2}/\d{2}/\d{4}", text), "E100", f"data non valida: {text}")
    try:
        return date(int(text[6:]), int(text[3:5]), int(text[:2]))
    except ValueError:
        raise Refused("E100", f"data non valida: {text}") from None


def _amount(text: str) -> Decimal:
    _require(re.fullmatch(r"\d{1,12}\.\d{2}", text), "E101", f"importo non valido: {text}")
    return Decimal(text)


@dataclass
class Payment:
    """A payment of a document: `kind` C or NC, `vat` where it is the VAT paid to the treasury, `opi` where SIOPE+ brought it."""

    number: int
    kind: str
    amount: Decimal
    order: str
    day: date
    beneficiary: str
    cig: str = "NA"
    cup: str = "NA"
    nature: str = "CO"
    opi: bool = False
    vat: bool = False
    days: int = 0


@dataclass
class Document:
    """A document on PCC: its row of the feed, the amounts that are set, the starts of suspension, its payments.

    `unnamed` is what an older feed has as suspended without a kind; a SID replaces it. `paid_before` what that feed has
    as paid (commercial, not commercial) without saying by which orders.
    """

    row: dict[str, Any]
    non_commercial: Decimal = ZERO
    suspended: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(KINDS, ZERO))
    starts: dict[str, date | None] = field(default_factory=lambda: dict.fromkeys(KINDS))
    unnamed: Decimal = ZERO
    not_payable: Decimal = ZERO
    liquidated: Decimal = ZERO
    paid_before: tuple[Decimal, Decimal] = (ZERO, ZERO)
    payments: list[Payment] = field(default_factory=list)
    closed: bool = False
    before: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Document:
        """The document as a row of a `pcc_invoices` feed shows it."""

        def amount(name: str) -> Decimal:
            return row.get(name) or ZERO

        suspended = {kind: amount(f"importo_sospeso_{kind}") for kind in KINDS}
        return cls(
            dict(row),
            non_commercial=amount("importo_non_commerciale"),
            suspended=suspended,
            starts={kind: row.get(f"data_sospensione_{kind}") for kind in KINDS},
            unnamed=max(amount("importo_sospeso") - sum(suspended.values()), ZERO),
            not_payable=amount("importo_non_liquidabile"),
            liquidated=amount("importo_liquidato"),
            paid_before=(amount("importo_pagato"), amount("importo_pagato_non_commerciale")),
        )

    @property
    def identity(self) -> tuple[Any, ...]:
        """Number, date, supplier (its VAT number where the tax code is missing) and office: for what did not pass SDI."""
        supplier = self.row.get("cf_fornitore") or (self.row.get("id_fiscale_iva") or "").removeprefix("IT")
        return self.row["numero_documento"], self.row["data_emissione"], supplier, self.row.get("codice_ufficio")

    @property
    def vat(self) -> Decimal:
        return abs(self.row.get("totale_imposta") or ZERO)

    @property
    def commercial(self) -> Decimal:
        """The commercial amount, unsigned: without the VAT under split payment."""
        return abs(self.row["importo_totale"]) - (self.vat if self.row.get("split_payment") else ZERO)

    def paid(self, kind: str) -> Decimal:
        """What is paid to the creditor, of one kind (C or NC)."""
        told = sum((p.amount for p in self.payments if p.kind == kind and not p.vat), ZERO)
        return told + self.paid_before[kind == "NC"]

    @property
    def set_aside(self) -> Decimal:
        """What is set: non-commercial, suspended, non payable."""
        return self.non_commercial + sum(self.suspended.values(), ZERO) + self.unnamed + self.not_payable

    @property
    def payable(self) -> Decimal:
        """What nothing else takes; what the document adds to the stock once it is due."""
        return self.commercial - self.set_aside - self.paid("C") - self.paid("NC")

    @property
    def state(self) -> str:
        return str(self.row["stato_documento"])

    def feed_row(self) -> dict[str, Any]:
        """The row of the feed as the document stands."""
        kinds = sum(self.suspended.values(), ZERO)
        told: dict[str, Any] = {f"importo_sospeso_{kind}": self.suspended[kind] if not self.unnamed else None for kind in KINDS}
        told |= {f"data_sospensione_{kind}": self.starts[kind] for kind in KINDS}
        return self.row | told | {
            "importo_liquidato": max(min(self.liquidated, self.payable), ZERO), "importo_sospeso": kinds + self.unnamed,
            "importo_non_liquidabile": self.not_payable, "importo_pagato": self.paid("C"),
            "importo_pagato_non_commerciale": self.paid("NC"), "importo_non_commerciale": self.non_commercial,
            "causale_sospensione": self.row.get("causale_sospensione") if self.unnamed else None,
        }  # fmt: skip


@dataclass
class Platform:
    """Today's PCC with the documents of one ente. `whim` may refuse a row: it gets it by column name and returns (code, words),
    or None. `praise` is what the answer cells of a good row say: nothing, or OK in either."""

    documents: dict[str, Document]
    today: date
    whim: Callable[[dict[str, str]], tuple[str, str] | None] = lambda row: None
    praise: tuple[str, str] = ("", "")
    movements: list[dict[str, Any]] = field(default_factory=list)
    answered: list[tuple[str, str]] = field(default_factory=list)
    told: list[tuple[Any, ...]] = field(default_factory=list)
    _in_file: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: list[dict[str, Any]], today: date) -> Platform:
        """The platform as the rows of a `pcc_invoices` feed show it."""
        return cls({row["progressivo_registrazione"]: Document.of(row) for row in rows}, today)

    def upload(self, data: bytes, dialect: str = "easy") -> bytes:
        """Takes a file, row by row, and hands it back with the answers (easy, sigla or xlsx).

        Raises Malformed for a file that is not exactly of one of the two forms; nothing of it is taken."""
        form, user, rows = read(data)
        self._in_file = {}
        for row in rows:
            try:
                if refused := self.whim(row):
                    raise Refused(*refused)
                _require(not row["codice"] and not row["descrizione"], "E005", "le celle dell'esito sono di PCC")
                _require(row["azione"] in form.actions, "E002", "azione sconosciuta")
                self._take(row)
                row["codice"], row["descrizione"] = self.praise
            except Refused as error:
                row["codice"], row["descrizione"] = error.args
            self.told.append((*(text for text in row.values() if text), (row["codice"], row["descrizione"])))
            self.answered.append((row["codice"], row["descrizione"]))
        return DIALECTS[dialect](form, user, rows)

    def _take(self, row: dict[str, str]) -> None:
        action = row["azione"]
        _check_cells(row, action)
        document = self._find(row)
        key = document.row["progressivo_registrazione"]
        same = self._in_file.setdefault(key, set())
        _require(action != "SID" or "SID" not in same, "E040", "una sola riga SID per documento")
        _require(action != "SID" or "MI" not in same, "E041", "il regime IVA cambia in questo file: SID nel prossimo")
        same.add(action)
        _require(action in ("RS", "RT") or not document.closed, "E011", "documento chiuso")
        _require(action == "RT" or document.state != "RIFIUTATO", "E011", "documento rifiutato")
        _require(document.state != "PRESENTATO" or action in ("RC", "RF", "CH", "RT"), "E022", "documento non ricevuto")
        getattr(self, f"_{action.lower()}")(document, row)
        if (
            document.payable == document.non_commercial == 0
            and not document.set_aside
            and document.paid("C") + document.paid("NC")
        ):
            document.row["stato_documento"] = "PAGATO"

    def _find(self, row: dict[str, str]) -> Document:
        filled = [name for name in IDS[:-1] if row[name]]
        if filled == ["progressivo"]:
            found = [self.documents[row["progressivo"]]] if row["progressivo"] in self.documents else []
        elif filled == ["lotto", "numero"]:
            _require(row["lotto"].isdigit(), "E003", "lotto SDI non numerico")
            wanted = (row["lotto"], row["numero"])
            found = [d for d in self.documents.values() if (d.row.get("lotto_sdi"), d.row["numero_documento"]) == wanted]
        elif filled == ["numero", "data_documento", "cf_fornitore", "ufficio"]:
            _require(re.fullmatch(r"[A-Z0-9]{6}", row["ufficio"]), "E003", "codice ufficio")
            told = (row["numero"], _date(row["data_documento"]), row["cf_fornitore"], row["ufficio"])
            found = [d for d in self.documents.values() if not d.row.get("lotto_sdi") and d.identity == told]
        else:
            raise Refused("E003", f"una sola identificazione: {', '.join(filled) or 'nessuna'}")
        _require(len(found) == 1, "E010", "documento non trovato" if not found else "documento non univoco")
        return found[0]

    def _sid(self, document: Document, row: dict[str, str]) -> None:
        _require(document.row["importo_totale"] and document.row.get("importo_imponibile") != 0, "E030", "imponibile zero")
        if row["imponibile"] or row["imposta"]:
            told = (abs(document.row.get("importo_imponibile") or ZERO), document.vat)
            _require(
                (_amount(row["imponibile"]), _amount(row["imposta"])) == told, "E031", "imponibile e imposta del documento"
            )
        amounts = {name: _amount(row[name]) for name in ("non_commerciale", *KINDS, "non_liquidabile")}
        starts: dict[str, date | None] = {}
        for kind in KINDS:
            start = row[f"{kind}_dal"]
            _require(bool(start) == (amounts[kind] > 0), "E032", f"data di inizio sospensione: {kind}")
            starts[kind] = _date(start) if start else None
            _require(not start or starts[kind] <= self.today, "E033", "data di inizio futura")  # type: ignore[operator]
        total = sum(amounts.values(), ZERO)
        _require(total <= document.commercial, "E034", "importi sopra l'importo commerciale")
        _require(total <= document.commercial - document.paid("C") - document.paid("NC"), "E035", "importi sopra il non pagato")
        document.non_commercial, document.not_payable = amounts["non_commerciale"], amounts["non_liquidabile"]
        document.suspended, document.starts = {kind: amounts[kind] for kind in KINDS}, starts
        document.unnamed = ZERO

    def _mi(self, document: Document, row: dict[str, str]) -> None:
        _require(row["split"] in ("S", "N"), "E036", "flag split S o N")
        document.before.setdefault("split_payment", document.row.get("split_payment"))
        was = document.row.get("split_payment")
        document.row["split_payment"] = row["split"] == "S"
        if document.payable < 0:
            document.row["split_payment"] = was
            raise Refused("E037", "importi sopra l'importo commerciale del nuovo regime")

    def _cs(self, document: Document, row: dict[str, str]) -> None:
        due = _date(row["data"])
        _require(due >= document.row["data_emissione"], "E038", "scadenza prima dell'emissione")
        document.before.setdefault("data_scadenza", document.row.get("data_scadenza"))
        document.row["data_scadenza"] = due
        self._moved(document, "CS", data_scadenza=due)

    def _rc(self, document: Document, row: dict[str, str]) -> None:
        _require(document.state == "PRESENTATO", "E020", "documento già ricevuto")
        day = _date(row["data"]) if row["data"] else self.today
        _require(day <= self.today, "E033", "data futura")
        _require(len(row["protocollo"]) <= 20, "E003", "protocollo troppo lungo")
        document.row |= {"stato_documento": "RICEVUTO", "data_ricezione": day}
        document.row["numero_protocollo"] = row["protocollo"] or document.row.get("numero_protocollo")
        self._moved(document, "RC")

    def _rf(self, document: Document, row: dict[str, str]) -> None:
        worked = document.set_aside + document.paid("C") + document.paid("NC") + document.liquidated
        _require(not worked, "E021", "documento lavorato: non si rifiuta")
        _require(not row["data"] or _date(row["data"]) <= self.today, "E033", "data futura")
        document.before.setdefault("stato_documento", document.state)
        document.row["stato_documento"] = "RIFIUTATO"
        self._moved(document, "RF")

    def _ch(self, document: Document, row: dict[str, str]) -> None:
        _require(document.payable + document.set_aside > 0, "E023", "nulla da chiudere")
        # The whole open amount: also what was suspended.
        document.suspended, document.starts = dict.fromkeys(KINDS, ZERO), dict.fromkeys(KINDS)
        document.unnamed = ZERO
        document.not_payable += document.payable
        document.closed = True

    def _rs(self, document: Document, row: dict[str, str]) -> None:
        _require(document.closed, "E024", "documento non archiviato")
        document.closed, document.not_payable = False, ZERO

    def _rt(self, document: Document, row: dict[str, str]) -> None:
        received = {} if document.state == "PRESENTATO" else {"stato_documento": "RICEVUTO"}
        document.row |= received | document.before
        document.before, document.closed = {}, False
        document.non_commercial = document.not_payable = document.unnamed = document.liquidated = ZERO
        document.suspended, document.starts = dict.fromkeys(KINDS, ZERO), dict.fromkeys(KINDS)
        document.payments = [payment for payment in document.payments if payment.opi]

    def _ip(self, document: Document, row: dict[str, str]) -> None:
        _require(row["tipo_debito"] in ("C", "NC"), "E051", "tipo debito C o NC")
        _require(row["natura"] in ("CO", "CA"), "E052", "natura di spesa CO o CA")
        _require(row["opi"] in ("", "N"), "E053", "i pagamenti OPI li inserisce PCC")
        _require(row["iva"] in ("", "S", "N"), "E053", "pagamento IVA S o N")
        _require(re.fullmatch(r"\d*", row["giorni"]), "E054", "giorni di sospensione")
        _require(len(row["mandato"]) <= 100, "E055", "numero di mandato troppo lungo")
        _require(re.fullmatch(r"[A-Z]{2}[A-Z0-9]{2,14}|[A-Z0-9]{16}", row["beneficiario"]), "E056", "beneficiario")
        for name in ("cig", "cup"):
            _require(re.fullmatch(r"NA|[A-Z0-9]{10,15}", row[name]), "E057", name.upper())
        amount, day, vat = _amount(row["importo"]), _date(row["mandato_il"]), row["iva"] == "S"
        _require(amount > 0, "E102", "importo non positivo")
        _require(day <= self.today, "E033", "data futura")
        same = (row["mandato"], day, row["tipo_debito"], row["cig"], row["cup"], vat)
        held = [(p.order, p.day, p.kind, p.cig, p.cup, p.vat) for p in document.payments]
        _require(same not in held, "E058", "pagamento già presente")
        if vat:
            _require(document.row.get("split_payment"), "E059", "IVA pagata a parte solo in split payment")
            paid = sum((p.amount for p in document.payments if p.vat), ZERO)
            _require(amount <= document.vat - paid, "E060", "sopra l'imposta")
        else:
            # A non-commercial payment uses up what was set as non-commercial first.
            used = min(amount, document.non_commercial) if row["tipo_debito"] == "NC" else ZERO
            _require(amount - used <= document.payable, "E060", f"sopra il pagabile: {document.payable}")
            document.non_commercial -= used
        number = 1 + sum(len(d.payments) for d in self.documents.values())
        document.payments.append(
            Payment(
                number, row["tipo_debito"], amount, row["mandato"], day, row["beneficiario"], row["cig"], row["cup"],
                row["natura"], vat=vat, days=int(row["giorni"] or 0),
            )
        )  # fmt: skip
        if not vat:
            order = {"numero_mandato": row["mandato"], "data_pagamento": day}
            self._moved(document, "CP", importo=amount, id_fiscale_iva_beneficiario=row["beneficiario"], **order)

    def _moved(self, document: Document, action: str, **more: Any) -> None:
        key = document.row["progressivo_registrazione"]
        self.movements.append({"progressivo_registrazione": key, "data_operazione": self.today, "azione": action, **more})

    def invoices_csv(self) -> bytes:
        """The feed `pcc_invoices` of all documents as they stand now."""
        return _table([document.feed_row() for document in self.documents.values()])

    def operations_csv(self) -> bytes:
        """The feed `pcc_operations` of what was registered here: receptions, refusals, due dates, payments."""
        names = "progressivo_registrazione data_operazione azione importo stato_debito causale data_scadenza numero_mandato data_pagamento id_fiscale_iva_beneficiario"
        return _table([dict.fromkeys(names.split()) | movement for movement in self.movements])


def _check_cells(row: dict[str, str], action: str) -> None:
    wanted = FILLED[action].split()
    for name, text in row.items():
        if name in IDS or name in ("codice", "descrizione"):
            continue
        _require(text or name not in wanted, "E001", f"{name} obbligatorio")
        _require(not text or name in wanted or f"{name}?" in wanted, "E004", f"{name} non ammesso con {action}")


def _table(rows: list[dict[str, Any]]) -> bytes:
    out = io.StringIO(newline="")
    ours = ("ente", "delivery", "line", "partial", "row_id", "movimenti", "sequence")
    names = [name for name in rows[0] if name not in ours]
    writer = csv.writer(out, delimiter=";")
    writer.writerow(names)
    for row in rows:
        writer.writerow(["SI" if row[n] is True else "NO" if row[n] is False else row[n] for n in names])
    return out.getvalue().encode()
