"""An independent oracle: sections 1-7 of the rules in slow, plain Python, for small inputs.

Written from the rules, the formats and the golden sample alone, never from the SQL models: it is the check
on them. It knows no person's decisions. Readings, where the rules leave a choice:

- Matching (tests/oracle_pairs.py) compares document totals with their sign; identity is any shared normalised VAT number or
  fiscal code, but of a VAT group's documents the fiscal code alone where there is one. A duplicate on PCC is unmatched, and of
  the same creditor, number, date, sign and amount as a matched one.
- PCC paid by D is `importo_pagato` less CP operations with D < data_pagamento (else data_operazione) <= O,
  plus `importo_pagato_non_commerciale`, whose dates are unknown. A document is rejected on PCC when
  RIFIUTATO, or by an RF up to O.
- A suspension that ended is one that PCC's operations up to O open (SOSP, SOSPdaLIQ, SOSPdaNL) and close
  (LIQdaSOSP, NLdaSOSP). Its days move the right due date; PCC's is the one of its row. Where PCC was told a date (CS)
  after the end, the days are in it already, if it lies within them. `DUE_DATE_DIFFERS` compares PCC's row with the right date.
- ERP amounts suspended or not payable count only in the state that names them, all that is unpaid at O if
  null, never more than that; a litigation declared by the ente excludes what is unpaid at D.
- PCC-only documents stand in the right stock as PCC has them, ambiguous candidates and duplicates count 0.
- Special cases and open-list rows read their number with the year of the document they are held against;
  a date they give must be the document's. The creditor follows cases in force at D, those that name the
  document before those that name the supplier, the latest first; a loop leaves the supplier in place.
- The codes after the catalogue's own (`OWN_CODES`) name differences that the catalogue does not.
- `NOT_ON_OPEN_LIST`: unpaid at O on both sides, neither rejected, non-commercial nor not payable.
- `MUST_STAY_OPEN`: any payment, rejection or non-payable amount on either side.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from oracle_amounts import (
    sign_of,
)
from oracle_codes import accounts_codes, own_codes, pair_codes, payment_codes
from oracle_documents import (
    ZERO,
    Document,
    Position,
    Row,
    document_number,
    erp_document,
    limit_withheld,
    pcc_document,
    tokens_of,
)
from oracle_pairs import NO_DEBT, STANDS_FOR_FOREIGN, match
from oracle_pairs import copies as erp_copies
from oracle_word import Word, as_pcc_has_it, pcc_position, right_position, third_of

BUCKETS = ((30, "0-30"), (60, "31-60"), (90, "61-90"), (180, "91-180"), (365, "181-365"))


@dataclass
class Result:
    """What the oracle says: matches (id, progressivo, tier), anomalies (code, id, progressivo, amount)."""

    matches: set[tuple[str, str, str]]
    anomalies: list[tuple[str, str, str, Decimal]]
    stock: dict[str, Decimal]
    by_creditor: dict[tuple[str, str], Decimal]
    by_due_date: dict[tuple[str, str], Decimal]
    unexplained: list[tuple[str, str, Decimal]]
    loops: set[str] = field(default_factory=set)


def _bucket(due: date, day: date) -> str:
    past = (day - due).days
    if past < 0:
        return "not_due"
    return next((name for limit, name in BUCKETS if past <= limit), "over_365")


def reconcile(rows: Mapping[str, Sequence[Row]], *, reference_date: date, observed_at: date, tipo: str = "COMUNE") -> Result:
    """Sections 1-7 over one ente's feeds: matches, anomalies and stocks. Typed rows: `load_inbox`."""
    day, seen = reference_date, observed_at
    payments: dict[str, list[Row]] = defaultdict(list)
    for payment in rows.get("erp_payments", ()):
        payments[payment["id_documento"]].append(payment)
    operations: dict[str, list[Row]] = defaultdict(list)
    for operation in rows.get("pcc_operations", ()):
        operations[operation["progressivo_registrazione"]].append(operation)
    erp = {r["id_documento"]: erp_document(r, payments[r["id_documento"]], day, seen) for r in rows.get("erp_invoices", ())}
    pcc = {
        r["progressivo_registrazione"]: pcc_document(r, operations[r["progressivo_registrazione"]], day, seen)
        for r in rows.get("pcc_invoices", ())
    }
    refused = {row["lotto_sdi"] for row in rows.get("sdi_refusals", ())}
    for document in (*erp.values(), *pcc.values()):
        document.refused = document.row.get("lotto_sdi") in refused
    groups = _vat_groups((*erp.values(), *pcc.values()))
    for document in (*erp.values(), *pcc.values()):
        if document.vat in groups and len(document.tokens) > 1:
            document.tokens, document.vat = document.tokens - {document.vat}, None
    twice = erp_copies(erp)
    for copy, original in twice.items():
        payments[original] += [
            one for one in payments.pop(copy, []) if not any(_same_payment(one, two) for two in payments[original])
        ]
    for key in {*twice, *twice.values()}:
        old = erp[key]
        erp[key] = erp_document(old.row, payments[key], day, seen)
        erp[key].tokens, erp[key].vat, erp[key].refused = old.tokens, old.vat, old.refused
    for document in erp.values():
        document.rejected = document.rejected or document.refused
    known: dict[str, set[str]] = defaultdict(set)
    for document in (*erp.values(), *pcc.values()):
        for token in document.tokens:
            if document.vat:
                known[token].add(document.vat)
    word = Word(
        rows, day, {token: next(iter(vats)) for token, vats in known.items() if len(vats) == 1}, [*erp.values(), *pcc.values()]
    )
    for document in (*erp.values(), *pcc.values()):
        days = (document.issued, seen)
        document.parties = document.tokens.union(
            *(word.creditor([document], on)[1] for on in days if not word.creditor([document], on)[2])
        )
        _refer(document, rows.get("sdi_invoices", ()))
    sdi_due = _by_identity(rows.get("sdi_invoices", ()), "data_scadenza")
    sdi_taxable = _by_identity((row for row in rows.get("sdi_invoices", ()) if row.get("reverse_charge")), "importo_totale")
    sdi_dues = _by_identity(rows.get("sdi_invoices", ()), "scadenze")
    sdi_withheld = _by_identity(rows.get("sdi_invoices", ()), "ritenuta")
    sdi_known = _by_identity(rows.get("sdi_invoices", ()), "numero")
    sdi_without_vat = _by_identity((row for row in rows.get("sdi_invoices", ()) if not row.get("imposta")), "importo_totale")
    for document in erp.values():
        # Reverse charge: the supplier's invoice has no VAT, the ente's booking may have.
        taxable = _of_identity(sdi_taxable, [document])
        alone = _of_identity(sdi_without_vat, [document])
        if taxable is None and alone is not None and document.vat_of_row > 0 and alone == document.total - document.vat_of_row:
            taxable = alone
        if taxable is not None and taxable < document.total:
            document.commercial, document.reverse_charge = taxable, True
    rows_lost = [row for row in rows.get("lost", ()) if row.get("importo_totale") or row.get("importo")]
    lost = {row.get("id_documento") or row["progressivo_registrazione"] for row in rows_lost}
    lost_in_erp = {row["id_documento"] for row in rows_lost if row["_kind"] == "erp_invoices"}
    pairing = match(erp, pcc, lambda ours, theirs: _written_otherwise(ours, theirs, word))
    partner = {p: e for e, (p, _) in pairing.pairs.items()}

    result = Result({(e, p, t) for e, (p, t) in pairing.pairs.items()}, [], {}, {}, {}, [])
    positions: dict[str, list[Position]] = {"pcc": [], "right": []}

    def settle(codes: list[str], e: str, p: str, shown: Position | None, right: Position | None) -> None:
        positions["pcc"] += [shown] if shown else []
        positions["right"] += [right] if right else []
        amount = (shown.stock(day) if shown else ZERO) - (right.stock(day) if right else ZERO)
        result.anomalies += [(code, e, p, amount) for code in codes]
        if amount and not codes:
            result.unexplained.append((e, p, amount))

    for key, document in erp.items():
        other = pcc[pairing.pairs[key][0]] if key in pairing.pairs else None
        if other and not document.row.get("lotto_sdi") and other.row.get("lotto_sdi") in refused:
            document.rejected = True
        if other and other.type in STANDS_FOR_FOREIGN and document.type not in STANDS_FOR_FOREIGN:
            document.commercial = document.taxable
        sides = [document, other] if other else [document]
        limit_withheld(document, seen, _of_identity(sdi_withheld, [document]) or ZERO)
        right = right_position(
            document, other, word, tipo, _of_identity(sdi_due, [document]), _of_identity(sdi_dues, [document]) or ()
        )
        shown = pcc_position(other, word, tipo) if other else None
        if key in pairing.copies:
            codes, right = ["DUPLICATE_IN_ERP"], Position(ZERO, right.due, right.issued, right.creditor)
        elif document.type in NO_DEBT and not document.rejected:
            codes = (
                ["DUPLICATE_ON_PCC"]
                if shown and other and not other.rejected and other.commercial > other.paid_o + other.not_payable
                else []
            )
        elif other and shown:
            codes = pair_codes(document, other, word, day, right, shown) + accounts_codes(other)
        elif document.rejected:
            codes = []
        else:
            codes = ["MISSING_ON_PCC"]
            if key in pairing.ambiguous_erp or key in pairing.probable_erp:
                codes = ["AMBIGUOUS_MATCH" if key in pairing.ambiguous_erp else "PROBABLE_MATCH"]
            if word.on_list(sides) and (document.paid_o > 0 or document.not_payable > 0):
                codes.append("MUST_STAY_OPEN")
        if not document.rejected:
            codes += own_codes(document, other, _of_identity(sdi_known, [document]) is not None, word)
            codes += payment_codes(document, sides, word)
            codes += ["CREDITOR_LOOP"] if word.creditor(sides)[2] else []
            asked = key in pairing.ambiguous_erp | pairing.probable_erp | set(pairing.copies)
            codes += ["AMBIGUOUS_CASE"] if word.in_doubt(sides) and not asked and not (other and other.rejected) else []
        codes += ["GONE_FROM_ERP"] if lost & {key, other.key if other else ""} else []
        settle(codes, key, other.key if other else "", shown, right)
    for key, document in pcc.items():
        if key in partner:
            continue
        shown = pcc_position(document, word, tipo)
        creditor, _, loop = word.creditor([document])
        codes = accounts_codes(document)
        right = Position(ZERO, shown.due, shown.issued, creditor)
        if key in pairing.ambiguous_pcc:
            codes.append("AMBIGUOUS_MATCH")
        elif key in pairing.probable_pcc:
            codes.append("PROBABLE_MATCH")
        elif key in pairing.duplicates and not document.rejected:
            codes.append("DUPLICATE_ON_PCC")
        elif document.row.get("lotto_sdi") in refused:
            codes = [] if document.rejected else ["REJECTED_STILL_OPEN"]
        else:
            right = as_pcc_has_it(document, shown, creditor)
            codes += [] if document.rejected else ["MISSING_IN_ERP"]
            if word.on_list([document]) and (document.paid_o > 0 or document.rejected or document.not_payable > 0):
                codes.append("MUST_STAY_OPEN")
            codes += ["CREDITOR_LOOP"] if loop and not document.rejected else []
            codes += ["AMBIGUOUS_CASE"] if word.in_doubt([document]) and not document.rejected else []
        if document.cannot_be and document.row.get("lotto_sdi") not in refused:
            codes.append("IMPOSSIBLE_DATE")
        codes += ["GONE_FROM_ERP"] if key in lost else []
        settle(codes, "", key, shown, right)
    result.anomalies += [("GONE_FROM_ERP", key, "", ZERO) for key in lost_in_erp - set(erp)]
    if erp:
        result.anomalies += [("PAYMENT_WITHOUT_DOCUMENT", key, "", ZERO) for key in payments if key not in erp]

    for view, found in positions.items():
        result.stock[view] = sum((position.stock(day) for position in found), ZERO)
        for position in found:
            creditor_key = (view, position.creditor)
            result.by_creditor[creditor_key] = result.by_creditor.get(creditor_key, ZERO) + position.stock(day)
            if position.issued <= day:
                bucket_key = (view, _bucket(position.due, day))
                result.by_due_date[bucket_key] = result.by_due_date.get(bucket_key, ZERO) + position.amount
    return result


def _vat_groups(documents: Iterable[Document]) -> set[str | None]:
    """docs/rules.md#rule-5: VAT numbers seen with two or more right fiscal codes of companies."""
    codes: dict[str, set[str]] = defaultdict(set)
    for document in documents:
        for code in document.tokens - {document.vat}:
            if document.vat and re.fullmatch(r"[0-9]{11}", code) and _check_digit(code):
                codes[document.vat].add(code)
    return {vat for vat, found in codes.items() if len(found) > 1}


def _check_digit(code: str) -> bool:
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in code[1::2]]
    return (sum(int(digit) for digit in code[::2]) + sum(doubled)) % 10 == 0


def _same_payment(one: Row, two: Row) -> bool:
    names = ("numero_mandato", "data_pagamento", "importo", "cf_beneficiario")
    return all(one.get(name) == two.get(name) for name in names) and bool(one.get("storno")) == bool(two.get("storno"))


def _written_otherwise(ours: Document, theirs: Document, word: Word) -> bool:
    """docs/rules.md#rule-6, probable pairs: may the two creditors be one, written otherwise?"""
    if ours.tokens & theirs.tokens or not ours.tokens or not theirs.tokens:
        return True
    kinds = [(document.vat is not None, bool(document.tokens - {document.vat})) for document in (ours, theirs)]
    if kinds in ([(True, False), (False, True)], [(False, True), (True, False)]):
        return True
    if any(_one_off(one, other) for one in ours.tokens for other in theirs.tokens):
        return True
    ties = [
        (tokens_of(c.get("piva_fornitore"), c.get("cf_fornitore")), third_of(c))
        for c in word.all_cases
        if c["caso"] != "PIGNORAMENTO"
    ]
    reached, size = ours.tokens, 0
    while len(reached) > size:
        size = len(reached)
        reached = reached.union(*(a | b for a, b in ties if (a | b) & reached and a and b))
    return bool(reached & theirs.tokens)


def _one_off(one: str, other: str) -> bool:
    """One sign typed wrong, or two neighbours swapped; two numbers with right check digits are two subjects."""
    if len(one) != len(other) or (one.isdigit() and other.isdigit() and _check_digit(one) and _check_digit(other)):
        return False
    apart = [place for place in range(len(one)) if one[place] != other[place]]
    swapped = (
        len(apart) == 2 and apart[1] == apart[0] + 1 and one[apart[0]] == other[apart[1]] and one[apart[1]] == other[apart[0]]
    )
    return len(apart) == 1 or swapped


def _refer(document: Document, invoices: Iterable[Row]) -> None:
    """Sets what a self-invoice stands for, as its e-invoice says."""
    for row in invoices:
        if row["tipo_documento"] not in STANDS_FOR_FOREIGN | {"TD20"} or len(row.get("riferimenti", ())) != 1:
            continue
        tokens = tokens_of(row.get("id_fiscale_iva"), row.get("cf_fornitore"))
        if (
            tokens & document.tokens
            and row["data_emissione"] == document.issued
            and (document_number(row["numero"], row["data_emissione"].year) == document.number)
        ):
            ((number, on),) = row["riferimenti"]
            document.reference, document.referring = (document_number(number, on.year), on), row["tipo_documento"]


def _by_identity(rows: Iterable[Row], column: str) -> dict[Hashable, Any]:
    """What each SDI invoice says in a column, by the keys of tier 3."""
    found: dict[Hashable, Any] = {}
    for row in rows:
        if row.get(column):
            number = document_number(row["numero"], row["data_emissione"].year)
            sign = sign_of(row)
            for token in tokens_of(row.get("id_fiscale_iva"), row.get("cf_fornitore")):
                found[(token, number, row["data_emissione"], sign)] = row[column]
    return found


def _of_identity(found: Mapping[Hashable, Any], sides: Sequence[Document]) -> Any:
    keys = [(token, side.number, side.issued, side.sign) for side in sides for token in side.tokens]
    return next((found[key] for key in keys if key in found), None)
