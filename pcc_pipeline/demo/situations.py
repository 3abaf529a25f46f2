"""What offices send beside the ordinary (docs/rules.md): each situation is a case, and what it changes in its documents.

A change replaces columns of the view `documents` (documents.sql) by expressions over them. `twin` makes a second document
beside the first, with changes of its own; `later` says what a later delivery of the accounting system does to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pcc_pipeline.demo.cases import ORDINARY, Case


@dataclass(frozen=True)
class Situation:
    """A case, with SQL expressions by column of `documents`; `twin`: those of its second document, None where there is none.

    `later` is `gone` (a later whole delivery has not the document), `payment_gone` or `renumbered` (its payments).
    """

    case: Case
    changes: Mapping[str, str]
    twin: Mapping[str, str] | None = None
    later: str = ""


_PAID: dict[str, Any] = {"erp_pays": "full", "pcc_pays": "full", "pcc_state": "PAGATO", "age_from": 90}
_NET: dict[str, str] = {"erp_paid_1": "net", "pcc_paid_1": "net"}
_PCC_NET: dict[str, str] = {"pcc_total": "net", "pcc_net": "net", "pcc_vat": "0", "pcc_amount": "net"}
_NEGATIVE: dict[str, str] = {
    name: f"-{name}" for name in ("erp_total", "erp_net", "erp_vat", "pcc_total", "pcc_net", "pcc_vat", "pcc_amount")
}
_WITHHELD = "net // 5"


def _situation(
    name: str, weight: int, changes: Mapping[str, str] = {}, *codes: str,
    twin: Mapping[str, str] | None = None, later: str = "", **more: Any,
) -> Situation:  # fmt: skip
    given: dict[str, Any] = {"tier": "exact", "age_from": 20, "twist": name, **more}
    return Situation(Case(name, weight, codes, **given), changes, twin, later)


SITUATIONS: tuple[Situation, ...] = (
    # Amounts (section 1).
    _situation("negative_bill", 2, _NEGATIVE),
    _situation("reverse_charge", 2, _PCC_NET | _NET | {"sdi_nature": "'N6.3'"}, fixed_rate=22, fixed_split=False, **_PAID),
    _situation(
        "reverse_charge_open",
        1,
        _NET | {"sdi_nature": "'N6.3'"},
        "SPLIT_VAT_OPEN",
        fixed_rate=22,
        fixed_split=False,
        **_PAID | {"pcc_state": "CONTABILIZZATO"},
    ),
    _situation("vat_to_treasury", 3, {"more": "vat", "more_to": "'06363391001'"}, fixed_rate=22, fixed_split=True, **_PAID),
    _situation("paid_with_interest", 2, {"erp_paid_1": "amount + 1500"}, "PAID_MORE_THAN_OWED", **_PAID),
    _situation(
        "payment_exported_twice", 2, {"more": "erp_paid_1", "more_number": "(2 * i + 1)::text"}, "PAID_MORE_THAN_OWED", **_PAID
    ),
    _situation(
        "withheld_by_ledger", 3, {"erp_withheld": _WITHHELD, "erp_paid_1": f"amount - {_WITHHELD}"}, fixed_split=False, **_PAID
    ),
    _situation(
        "withheld_by_invoice", 2, {"sdi_withheld": _WITHHELD, "erp_paid_1": f"amount - {_WITHHELD}"}, fixed_split=False, **_PAID
    ),
    _situation("withheld_by_order", 2, {"order_withheld": _WITHHELD}, fixed_split=False, **_PAID),
    _situation("petty_cash", 2, {"paid_by": "'ECONOMALE'"}, "PAID_NOT_REPORTED", erp_pays="full", age_from=60),
    _situation("direct_debit", 2, {"paid_by": "'ADDEBITO'"}, "PAID_NOT_REPORTED", erp_pays="full", age_from=60),
    # Dates (section 2).
    _situation("impossible_due_date", 2, {"erp_due_on": "date '9999-12-31'"}, "IMPOSSIBLE_DATE"),
    _situation(
        "suspended_before_reception",
        1,
        {"suspended_on": "received - 10"},
        "IMPOSSIBLE_DATE",
        erp_state="SOSPESA",
        erp_cause="CONTESTATO",
        pcc_account="sospeso",
        pcc_cause="CONT",
    ),
    _situation("instalments", 2, {"erp_due_on": "due_on - 20", "sdi_dues": "[due_on - 20, due_on]"}, age_from=100),
    _situation("term_in_days", 2, {"erp_due_on": "null", "pcc_due_on": "null", "sdi_term": "60"}, age_from=120),
    # Creditors (section 5).
    _situation("seized", 2, {"payee": "getvariable('stranger')"}, special="PIGNORAMENTO", **_PAID),
    _situation(
        "paid_before_merger",
        2,
        {
            "payee": "if(erp_paid_on < getvariable('reference_date') - 30, getvariable('merged_into'), "
            "getvariable('merged_again'))"
        },
        special="OPERAZIONE_SOCIETARIA",
        **_PAID,
    ),
    _situation(
        "vat_group",
        2,
        {
            "erp_piva": "getvariable('group_vat')",
            "pcc_vat_number": "'IT' || getvariable('group_vat')",
            "erp_cf": "getvariable('group_head')",
            "pcc_cf": "getvariable('group_head')",
        },
        twin=dict.fromkeys(("erp_cf", "pcc_cf"), "getvariable('group_member')"),
    ),
    _situation("provisional_code", 1, {"pcc_cf": "provisional", "erp_cf": "provisional", "erp_piva": "null"}),
    _situation(
        "sole_trader",
        2,
        {
            "payee": "'MGNLEA66C50F839O'",
            "erp_cf": "null",
            "pcc_cf": "null",
            "erp_piva": "getvariable('sole_trader')",
            "pcc_vat_number": "'IT' || getvariable('sole_trader')",
        },
        **_PAID,
    ),
    # Matching (section 6).
    _situation(
        "same_number_two_years",
        2,
        {},
        twin={name: f"{name} - 365" for name in ("issued", "received", "due_on", "erp_due_on", "pcc_issued", "pcc_due_on")},
        **_PAID,
    ),
    _situation(
        "lot_with_one_document",
        2,
        {"erp_lot": "lotto", "erp_said": "'PROT' || (900000 + i)", "pcc_issued": "issued + 1"},
        tier="sdi_lot",
    ),
    _situation(
        "twice_in_the_ledger",
        2,
        twin={"pcc_copies": "0", "tier": "null", "codes": "['DUPLICATE_IN_ERP']"},
    ),
    _situation(
        "creditor_mistyped",
        2,
        {"erp_piva": "piva[:9] || ((piva[10]::int + 1) % 10) || piva[11]", "erp_cf": "null"},
        "PROBABLE_MATCH",
        tier="-",
    ),
    # What PCC and the offices write otherwise (sections 7 and 11).
    _situation("payment_of_unknown_document", 1, {"more": "amount"}, in_erp=False, pcc_copies=0, tier="-"),
    _situation("paid_with_empty_accounts", 1, {"empty_accounts": "true"}, "ACCOUNTS_DO_NOT_SUM", pcc_state="PAGATO"),
    _situation(
        "self_invoice",
        2,
        {
            "erp_piva": "'DE136695976'",
            "erp_cf": "null",
            "pcc_vat_number": "'DE136695976'",
            "pcc_cf": "null",
            "erp_total": "net",
            "erp_vat": "0",
            "amount": "net",
            "erp_said": "'R' || (i + 1)",
            "pcc_said": "'IR/' || (i + 1)",
            "pcc_tipo": "['TD17', 'TD18', 'TD19', 'TD28'][1 + i % 4]",
            "pcc_issued": "issued + 9",
            "sdi_names": "true",
        },
        "SPLIT_VAT_OPEN",
        tier="reference",
        fixed_rate=22,
        fixed_split=False,
    ),
    _situation(
        "self_invoice_for_missing",
        1,
        {
            "pcc_tipo": "'TD20'",
            "pcc_said": "'AF/' || (i + 1)",
            "erp_said": "'S' || (i + 1)",
            "pcc_issued": "issued + 9",
            "sdi_names": "true",
        },
        tier="reference",
    ),
    _situation(
        "integration",
        1,
        {"sdi_nature": "'N6.3'"} | _PCC_NET | _NET,
        fixed_rate=22,
        fixed_split=False,
        **_PAID,
        twin={
            "in_erp": "false",
            "pcc_tipo": "'TD16'",
            "pcc_said": "'IR/' || (root + 1)",
            "pcc_issued": "issued + 9",
            "pcc_state": "'RICEVUTO'",
            "pcc_account": "''",
            "pcc_paid_1": "0",
            "codes": "['DUPLICATE_ON_PCC']",
            "tier": "null",
        },
    ),
    # Deliveries (section 12).
    _situation("gone_from_ledger", 1, {}, "GONE_FROM_ERP", "MISSING_IN_ERP", later="gone", tier="-"),
    _situation("payment_gone", 1, {}, "GONE_FROM_ERP", erp_pays="full", age_from=60, later="payment_gone"),
    _situation("order_renumbered", 2, {}, later="renumbered", **_PAID),
)

CASES: tuple[Case, ...] = (*ORDINARY, *(situation.case for situation in SITUATIONS))


@dataclass(frozen=True)
class Changed:
    """What the situations do to a column: SQL expressions by twist."""

    column: str
    by_twist: Mapping[str, str] = field(default_factory=dict)

    def sql(self) -> str:
        """The column as `replace (…)` has it."""
        whens = " ".join(f"when '{twist}' then {expression}" for twist, expression in self.by_twist.items())
        return f"case twist {whens} else {self.column} end as {self.column}"


def changes() -> str:
    """The list of replaced columns that documents.sql has in the place of {changes}.

    A twin has the changes of its situation where it has none of its own; its twist ends in `_twin`.
    """
    found: dict[str, dict[str, str]] = {}
    for situation in SITUATIONS:
        twist = situation.case.twist
        twins = {} if situation.twin is None else {f"{twist}_twin": {**situation.changes, **situation.twin}}
        for name, columns in {twist: situation.changes, **twins}.items():
            for column, expression in columns.items():
                found.setdefault(column, {})[name] = expression
    return ",\n        ".join(Changed(column, by_twist).sql() for column, by_twist in found.items())


def twins() -> str:
    """The twists that have a second document, as an SQL list."""
    return ", ".join(f"'{situation.case.twist}'" for situation in SITUATIONS if situation.twin is not None)
