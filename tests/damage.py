"""Random damage to amounts, dates, payments and PCC's accounts, beyond `oracle_inbox.perturbed`, and the promises that stand it.

Nothing here follows a case. The promises hold for whatever arrives: every cent of the difference is explained, and no
document of the right view is below zero or above its amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import models
import oracle_inbox

Row = Mapping[str, Any]
ODD_DAYS = (date(9999, 12, 31), date(1900, 1, 1), date(1, 1, 1), date(2205, 4, 9))


def damaged(rows: Mapping[str, Sequence[Row]], seed: int, share: float = 0.3) -> dict[str, list[dict[str, Any]]]:
    """The feeds with `oracle_inbox.perturbed` and more, to about `share` of the rows, deterministic by seed."""
    random = Random(seed)
    made = oracle_inbox.perturbed(rows, seed, share)

    def some(kind: str) -> Iterable[dict[str, Any]]:
        return [row for row in made.get(kind, ()) if random.random() < share]

    def amount(value: Any) -> Decimal:
        return (abs(Decimal(value or 0)) * random.choice((0, 1, 5, 10, 13)) / 10).quantize(Decimal("0.01"))

    for row in some("erp_invoices"):
        _damage_ledger(row, random, amount)
    for row in some("pcc_invoices"):
        _damage_pcc(row, random, amount)
    for row in some("erp_payments"):
        match random.randrange(7):
            case 0:
                made["erp_payments"].append(dict(row))
            case 1:
                made["erp_payments"].append(row | {"storno": True})
            case 2:
                row["cf_beneficiario"] = "06363391001"
            case 3:
                row["data_pagamento"] = random.choice(ODD_DAYS)
            case 4:
                row["importo_ritenute"] = amount(row["importo"])
            case 5:
                row["id_documento"] = f"IGNOTO{random.randrange(3)}"
            case _:
                row["importo"] = amount(row["importo"]) * 2
    for row in some("pcc_operations"):
        row["importo"] = amount(row["importo"]) if row.get("importo") is not None else None
        row["data_pagamento"] = random.choice((None, *ODD_DAYS, row.get("data_pagamento")))
    return made


def _damage_ledger(row: dict[str, Any], random: Random, amount: Any) -> None:
    match random.randrange(7):
        case 0:
            row["importo_totale"] = -row["importo_totale"]
        case 1:
            row[random.choice(("data_scadenza", "data_ricezione", "data_sospensione"))] = random.choice(ODD_DAYS)
        case 2:
            row["importo_ritenuta"] = amount(row["importo_totale"])
        case 3:
            row["stato"], row["causale"] = "SOSPESA", random.choice(("DURC", "CONTENZIOSO", "ADEMPIMENTI"))
            row["data_sospensione"] = row["data_emissione"] + timedelta(days=random.choice((-30, 0, 30)))
            row["importo_non_liquidabile"] = random.choice((None, amount(row["importo_totale"])))
        case 4:
            row["importo_totale"] = row["imponibile"] = row["iva"] = Decimal("0.00")
        case 5:
            row["iva"] = amount(row["importo_totale"])
        case _:
            row["data_scadenza"] = row["data_emissione"] - timedelta(days=3)


def _damage_pcc(row: dict[str, Any], random: Random, amount: Any) -> None:
    match random.randrange(7):
        case 0:
            names = ("importo_totale", "importo_liquidato", "importo_pagato", "importo_sospeso")
            row.update({name: -row[name] for name in names if row.get(name) is not None})
        case 1:
            row["importo_non_commerciale"] = amount(row["importo_totale"])
        case 2:
            row["escluso"] = True
        case 3:
            row["importo_sospeso"] = amount(row["importo_totale"])
            row["importo_sospeso_contenzioso"] = row["importo_sospeso"] * random.choice((0, 1))
            row["importo_sospeso_verifica"] = row["importo_sospeso"] - row["importo_sospeso_contenzioso"]
        case 4:
            row["stato_documento"] = "PAGATO"
            row.update({name: None for name in row if name.startswith("importo_") and name not in ("importo_totale",)})
        case 5:
            row["data_scadenza"] = random.choice(ODD_DAYS)
        case _:
            row["totale_imposta"] = amount(row["importo_totale"])


def broken_promises(got: models.Reconciled) -> list[str]:
    """What of the promises does not hold, in words; empty where all do."""
    positions: dict[tuple[Any, Any], Decimal] = {}
    for view, own, theirs, stock in got.rows(
        "debt_positions", "view", "id_documento", "progressivo_registrazione", "stock", where="view <> 'projected'"
    ):
        positions[own, theirs] = positions.get((own, theirs), Decimal(0)) + (stock if view == "pcc" else -stock)
    borne = {
        (own, theirs): amount
        for own, theirs, amount in got.rows("anomalies", "id_documento", "progressivo_registrazione", "amount")
    }
    wrong = [
        f"{key} differs by {amount}, {borne.get(key)} is explained"
        for key, amount in positions.items()
        if amount != borne.get(key, 0)
    ]
    outside = "view = 'right' and (open_amount * sign(commercial_amount) < 0 or abs(open_amount) > abs(commercial_amount))"
    wrong += [
        f"{own}, {theirs}: {left} open of {whole}"
        for own, theirs, left, whole in got.rows(
            "debt_positions", "id_documento", "progressivo_registrazione", "open_amount", "commercial_amount", where=outside
        )
    ]
    return wrong
