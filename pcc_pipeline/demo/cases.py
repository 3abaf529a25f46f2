"""The catalogue of ordinary cases: what can be right or wrong with a document on either side, and how often.

A case is data: `documents.sql` reads it as a table and turns it into rows. More cases: `situations`. Amounts, dates and parties
are not here, nor is the verdict: `codes` names the anomalies (docs/rules.md#rule-7) a case is made for.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

#: Slots over which the weights are dealt; every slot but the odd remainder goes to `paid`.
SLOTS = 1000


@dataclass(frozen=True)
class Case:
    """One case.

    `weight` is its share in thousandths. `tier` fixes how the document is found ("" = dealt at random,
    "-" = not at all). `age_from`/`age_to` are days between issue and reference date. `erp_pays` and
    `pcc_pays` are `none`, `full`, `two` (two mandates, all), `part` (two mandates, less than all),
    `reversed` (paid and taken back); `..._when` is `before` or `after` the reference date.
    `pcc_account` is where PCC keeps what is unpaid. `special` is a special case declared for the document
    (or for its supplier), `twist` the one further difference that `documents.sql` knows by that name.
    """

    name: str
    weight: int
    codes: tuple[str, ...] = ()
    tier: str = ""
    age_from: int = 1
    age_to: int = 380
    in_erp: bool = True
    pcc_copies: int = 1
    erp_state: str = "LIQUIDATA"
    erp_cause: str | None = None
    erp_pays: str = "none"
    erp_when: str = "before"
    pcc_state: str = "CONTABILIZZATO"
    pcc_account: str = "liquidato"
    pcc_cause: str | None = None
    pcc_pays: str = "none"
    pcc_when: str = "before"
    credit_note: bool = False
    on_list: bool = False
    special: str = ""
    twist: str = ""
    #: VAT rate and split payment where they are not dealt at random.
    fixed_rate: int | None = None
    fixed_split: bool | None = None


def _paid(name: str, weight: int, *codes: str, **more: Any) -> Case:
    given: dict[str, Any] = {"erp_pays": "full", "pcc_pays": "full", "pcc_state": "PAGATO", "age_to": 700}
    return Case(name, weight, codes, **{**given, **more})


def _suspended(name: str, weight: int, cause: str, pcc_cause: str, *codes: str, **more: Any) -> Case:
    given: dict[str, Any] = {
        "erp_state": "SOSPESA",
        "erp_cause": cause,
        "pcc_account": "sospeso",
        "pcc_cause": pcc_cause,
        **more,
    }
    return Case(name, weight, codes, **given)


ORDINARY: tuple[Case, ...] = (
    # Both sides agree.
    _paid("paid", 0),
    _paid("paid_in_two", 30, erp_pays="two", pcc_pays="two"),
    _paid("paid_after", 50, erp_when="after", pcc_when="after", age_to=200),
    _paid("paid_in_part", 20, erp_pays="part", pcc_pays="part", pcc_state="CONTABILIZZATO", age_to=380),
    _paid("payment_reversed", 3, erp_pays="reversed", pcc_pays="reversed", pcc_state="CONTABILIZZATO", age_to=380),
    Case("open", 80),
    Case("open_not_due", 60, age_to=25),
    Case("received", 30, erp_state="REGISTRATA", pcc_state="RICEVUTO", pcc_account=""),
    Case("presented", 10, erp_state="REGISTRATA", pcc_state="PRESENTATO", pcc_account=""),
    Case("issued_after", 15, age_from=-15, age_to=-1, erp_state="REGISTRATA", pcc_state="RICEVUTO", pcc_account=""),
    Case("erp_without_due_date", 6, twist="erp_no_due"),
    Case("match_pcc_id", 5, tier="pcc_id"),
    Case("match_sdi_lot", 5, tier="sdi_lot"),
    Case("match_exact", 5, tier="exact"),
    Case("match_number_amount", 5, tier="number_amount", age_from=3),
    Case("match_date_amount", 5, tier="date_amount"),
    Case("match_fiscal_code_only", 3, tier="exact", twist="cf_only"),
    _suspended("suspended_dispute", 8, "CONTESTATO", "CONT"),
    _suspended("suspended_litigation", 5, "CONTENZIOSO", "CONTENZIOSO"),
    _suspended("suspended_awaiting_note", 6, "ATTESA_NC", "ATTESA_NC"),
    Case("suspended_resumed", 6, age_from=120, twist="resumed"),
    Case("not_payable", 5, erp_state="NON_LIQUIDABILE", pcc_account="non_liquidabile"),
    Case("rejected", 5, erp_state="RIFIUTATA", pcc_state="RIFIUTATO", pcc_account=""),
    Case("credit_note", 12, credit_note=True),
    _paid("credit_note_used", 8, credit_note=True),
    _paid("non_commercial", 6, twist="non_commercial"),
    Case("open_on_list", 8, on_list=True, age_from=500, age_to=1200),
    Case("assigned", 6, special="CESSIONE"),
    _paid("assigned_paid", 4, special="CESSIONE"),
    Case("inherited", 3, special="SUCCESSIONE"),
    Case("merged_twice", 4, special="OPERAZIONE_SOCIETARIA"),
    Case("merged_in_a_loop", 1, special="GIRO"),
    # One code each.
    Case("paid_not_reported", 30, ("PAID_NOT_REPORTED",), erp_pays="full"),
    Case("part_not_reported", 8, ("PAID_NOT_REPORTED",), erp_pays="part"),
    Case("paid_not_booked", 6, ("PAID_NOT_REPORTED",), erp_pays="full", pcc_state="RICEVUTO", pcc_account=""),
    Case("paid_after_not_reported", 5, ("PAID_NOT_REPORTED",), erp_pays="full", erp_when="after"),
    _paid("paid_too_much", 5, "PAID_TOO_MUCH_ON_PCC", erp_pays="none", age_to=380),
    Case("not_booked", 20, ("NOT_BOOKED",), pcc_state="RICEVUTO", pcc_account=""),
    _suspended("suspension_not_reported", 6, "ADEMPIMENTI", "", "SUSPENSION_NOT_REPORTED", pcc_account="liquidato"),
    Case("litigation_declared", 5, ("SUSPENSION_NOT_REPORTED",), special="CONTENZIOSO"),
    _suspended("suspension_not_lifted", 5, "", "CONTENZIOSO", "SUSPENSION_NOT_LIFTED", erp_state="LIQUIDATA"),
    _suspended("suspension_cause", 3, "CONTESTATO", "ATTESA_NC", "SUSPENSION_CAUSE_DIFFERS"),
    Case("not_payable_not_reported", 5, ("NOT_PAYABLE_NOT_REPORTED",), erp_state="NON_LIQUIDABILE"),
    Case("not_payable_not_lifted", 3, ("NOT_PAYABLE_NOT_LIFTED",), pcc_account="non_liquidabile"),
    Case("rejected_still_open", 5, ("REJECTED_STILL_OPEN",), erp_state="RIFIUTATA"),
    Case("annulled_still_open", 2, ("REJECTED_STILL_OPEN",), erp_state="ANNULLATA", pcc_state="RICEVUTO", pcc_account=""),
    Case("rejected_on_pcc", 2, ("REJECTED_ON_PCC",), pcc_state="RIFIUTATO", pcc_account=""),
    Case("due_date_differs", 15, ("DUE_DATE_DIFFERS",), age_from=60, twist="due_earlier"),
    Case("due_date_missing", 5, ("DUE_DATE_DIFFERS",), twist="pcc_no_due"),
    Case("due_date_across", 3, ("DUE_DATE_DIFFERS",), age_from=20, age_to=40, twist="due_across"),
    _paid(
        "due_date_shifts",
        2,
        "DUE_DATE_SHIFTS_STOCK",
        age_from=20,
        age_to=40,
        twist="due_across",
        erp_when="after",
        pcc_when="after",
    ),
    Case("amount_differs", 5, ("AMOUNT_DIFFERS",), tier="sdi_lot", twist="amount"),
    Case("rounding_differs", 2, ("ROUNDING_DIFFERS",), tier="exact", twist="cent"),
    Case("split_vat_open", 5, ("SPLIT_VAT_OPEN",), erp_pays="full", pcc_pays="full", twist="split_vat"),
    Case("credit_note_open", 5, ("CREDIT_NOTE_OPEN",), credit_note=True, erp_pays="full"),
    Case("duplicate_on_pcc", 5, ("DUPLICATE_ON_PCC",), tier="pcc_id", pcc_copies=2, twist="second_received"),
    Case("ambiguous", 4, ("AMBIGUOUS_MATCH",), tier="-", pcc_copies=2),
    Case("missing_on_pcc", 10, ("MISSING_ON_PCC",), tier="-", pcc_copies=0),
    # Outside SDI and unknown to PCC: to be communicated by Modello 002.
    Case("missing_foreign", 2, ("MISSING_ON_PCC",), tier="-", pcc_copies=0, twist="foreign"),
    Case("missing_without_vat", 2, ("MISSING_ON_PCC",), tier="-", pcc_copies=0, twist="no_vat"),
    Case("missing_on_paper", 2, ("MISSING_ON_PCC",), tier="-", pcc_copies=0, twist="paper"),
    Case("missing_before_sdi", 2, ("MISSING_ON_PCC",), tier="-", pcc_copies=0, age_from=4000, age_to=4200),
    Case("missing_in_erp", 10, ("MISSING_IN_ERP",), tier="-", in_erp=False, pcc_state="RICEVUTO", pcc_account=""),
    Case(
        "refused_through_sdi",
        3,
        ("REJECTED_STILL_OPEN",),
        tier="-",
        in_erp=False,
        pcc_state="RICEVUTO",
        pcc_account="",
        twist="ec02",
    ),
    Case("fuzzy", 4, ("MISSING_ON_PCC", "MISSING_IN_ERP"), tier="-", age_from=3, twist="fuzzy"),
    *(
        Case(name, 2, ("MISSING_ON_PCC", "MISSING_IN_ERP"), tier="-", age_from=10, twist=name)
        for name in ("fuzzy_swap", "fuzzy_typo", "fuzzy_date", "fuzzy_amount")
    ),
    # Alike and yet not the same: bills of one amount that only one side has.
    Case("recurring_missing_on_pcc", 2, ("MISSING_ON_PCC",), tier="-", pcc_copies=0, twist="recurring"),
    Case(
        "recurring_missing_in_erp",
        2,
        ("MISSING_IN_ERP",),
        tier="-",
        in_erp=False,
        pcc_state="RICEVUTO",
        pcc_account="",
        twist="recurring",
    ),
    _paid("wrong_beneficiary", 4, "WRONG_BENEFICIARY", twist="beneficiary"),
    Case("must_stay_open", 3, ("MUST_STAY_OPEN", "PAID_NOT_REPORTED"), on_list=True, erp_pays="full"),
    _paid("must_stay_open_closed", 2, "MUST_STAY_OPEN", on_list=True),
    Case("not_on_open_list", 5, ("NOT_ON_OPEN_LIST",), age_from=500, age_to=1200),
    Case("accounts_do_not_sum", 2, ("ACCOUNTS_DO_NOT_SUM",), twist="accounts"),
    Case("wrong_office", 5, ("WRONG_OFFICE",), twist="office"),
    Case("non_commercial_not_reported", 4, ("NON_COMMERCIAL_NOT_REPORTED",), twist="non_commercial"),
    Case("non_commercial_declared", 3, ("NON_COMMERCIAL_NOT_REPORTED",), special="NON_COMMERCIALE"),
    _paid("payment_date_differs", 3, "PAYMENT_DATE_DIFFERS", pcc_when="after", age_from=10, age_to=200),
    Case("issue_date_differs", 1, ("IMPOSSIBLE_DATE",), tier="number_amount", age_from=1, age_to=1, twist="issue"),
)


@cache
def dealt(cases: tuple[Case, ...]) -> list[dict[str, Any]]:
    """The cases dealt over slots, as rows of the table that `documents.sql` joins.

    Slots 0…len(cases)-1 hold each case once, so that the smallest ente shows them all; the SLOTS after
    them hold each by its weight, `paid` taking what is left.
    """
    weights = {case.name: case.weight for case in cases}
    weights["paid"] = SLOTS - sum(weights.values())
    if weights["paid"] <= 0:
        raise ValueError("the cases' weights pass 1000 thousandths")
    by_weight = [case for case in cases for _ in range(weights[case.name])]
    return [
        {"slot": slot, "case_name": case.name, **_columns(case), "codes": list(case.codes)}
        for slot, case in enumerate((*cases, *by_weight))
    ]


@cache
def _columns(case: Case) -> dict[str, Any]:
    return {name: value for name, value in asdict(case).items() if name not in ("name", "codes")}
