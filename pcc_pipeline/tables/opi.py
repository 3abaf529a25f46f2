"""What payment orders and the treasurer's cash journal (OPI) say was paid of the documents: five models, a step each.

The feed is in `messages`. Only the last one is published.
"""

from __future__ import annotations

from pcc_pipeline import rules
from pcc_pipeline.tables.common import ENTE
from pcc_pipeline.tables.describe import Column, Table

#: What became of each payment of an order, with its words.
OPI_STATES = {row["stato"]: row["meaning"] for row in rules.rule_rows("opi_states")}

_ORDER = (
    Column("esercizio", "integer", "Financial year of the order"),
    Column("numero_mandato", "text", "Number of the order"),
)
_SCOPE = Column("scope", "integer", "Which beneficiary of the order; 0: the whole order")
_INVOICE = (
    Column("tipo_debito", "text", "COMMERCIALE, IVA, NON_COMMERCIALE"),
    Column("lotto_sdi", "text", "SDI's identifier of the lot in the order"),
    Column("numero_fattura", "text", "Invoice number in the order"),
    Column("anno_emissione", "integer", "Year of issue in the order"),
    Column("cf_emittente", "text", "Who issued the invoice, by the order"),
)
_PAID_TO = (
    Column("beneficiario", "text", "Name of the beneficiary"),
    Column("cf_beneficiario", "text", "VAT number, else fiscal code, of the beneficiary"),
)
_CIG = Column("cig", "text", "CIG in the order")


def _cents(name: str, meaning: str) -> Column:
    return Column(name, "integer", f"{meaning}, in cents")


def _row_id(of: str) -> Column:
    return Column("row_id", "integer", f"Order of arrival of the {of}'s row")


_DELIVERED = (Column("delivery", "text", "Delivery of the row"), Column("line", "integer", "Its line there"))

OPI_ORDERS = Table(
    "opi_orders", "reconciliation", "One row per invoice block of a payment order that stands",
    (
        ENTE, _row_id("block"), *_DELIVERED, *_ORDER,
        Column("data_mandato", "date", "Date of the order"), _SCOPE,
        _cents("beneficiary_cents", "What the order pays that beneficiary"), _cents("cents", "What the block pays (negative: credit note used)"),
        *_PAID_TO, *_INVOICE, _CIG,
        Column("esercizio_sostituito", "integer", "Financial year of the order that this one takes the place of"),
        Column("mandato_sostituito", "text", "Number of that order"),
        Column("cancelled", "boolean", "A later cancellation takes it out"),
    ),
    key=("ente", "row_id"),
)

OPI_MOVEMENTS = Table(
    "opi_movements", "reconciliation",
    "One row per movement of the cash journal, and one that takes back what was paid by an order whose place another one took",
    (
        ENTE, *_ORDER, _SCOPE, _row_id("movement"), *_DELIVERED,
        Column("tipo_movimento", "text", "ESEGUITO, REGOLARIZZATO, STORNATO, RIPRISTINATO, SOSTITUITO"),
        Column("data_movimento", "date", "Day of the movement"), _cents("cents", "What it pays, signed"), *_PAID_TO,
    ),
    key=("ente", "esercizio", "numero_mandato", "row_id", "tipo_movimento", "scope"),
)

OPI_ALLOTTED = Table(
    "opi_allotted", "reconciliation",
    "One row per invoice block of a payment order and movement; one per block not executed, per movement without order",
    (
        ENTE, _row_id("movement, else the block"), Column("block_row_id", "integer", "Of the block; 0 where the movement has none"),
        *_DELIVERED, *_ORDER,
        Column("data_mandato", "date", "Date of the order"), Column("data_pagamento", "date", "Day of the movement; null where not executed"),
        Column("tipo_movimento", "text", "As in opi_movements; null where not executed"),
        _cents("cents", "What the movement pays of the block; where not executed the block's amount"),
        *_PAID_TO, *_INVOICE, Column("credit", "boolean", "The block is of a credit note"), _CIG,
        Column("cancelled", "boolean", "Not executed, and cancelled"),
    ),
    key=("ente", "row_id", "block_row_id", "tipo_movimento"),
)

OPI_DOCUMENTS = Table(
    "opi_documents", "reconciliation",
    "One row per invoice block of a payment order that names an invoice which some document of the accounting system may be",
    (
        ENTE, Column("block_row_id", "integer", "The block"), Column("documents", "integer", "Documents that it may be"),
        Column("id_documento", "text", "The one document; null where it may be several"),
        Column("sign", "integer", "−1 where that is a credit note"),
        Column("misnamed", "boolean", "Found by lot and amount alone: the order writes another number"),
    ),
    key=("ente", "block_row_id"),
)

OPI_PAYMENTS = Table(
    name="opi_payments", layer="reconciliation",
    grain="One row per invoice block of a payment order and movement of the cash journal; one per block not executed, "
          "per movement without order",
    columns=(
        ENTE,
        Column("row_id", "integer", "Of the movement, else of the order's row; with block_row_id unique", required=True),
        Column("block_row_id", "integer", "Of the order's row; 0 where the movement has none", required=True),
        Column("delivery", "text", "Delivery of the movement, else of the order", required=True),
        Column("line", "integer", "Its line there", required=True, minimum=1),
        Column("payment_row", "integer", "row_id among the payments (payments)", required=True),
        Column("stato", "text", "; ".join(f"{code}: {said}" for code, said in OPI_STATES.items()), required=True,
               allowed=tuple(OPI_STATES)),
        Column("motivo", "text", "The same in plain words", required=True),
        Column("id_documento", "text", "The accounting system's document paid; null where none was found"),
        Column("esercizio", "integer", "Financial year of the order", required=True),
        Column("numero_mandato", "text", "Number of the order", required=True),
        Column("data_mandato", "date", "Date of the order"),
        Column("data_pagamento", "date", "Day of the movement; null where not executed"),
        Column("tipo_movimento", "text", "ESEGUITO, REGOLARIZZATO, STORNATO, RIPRISTINATO, SOSTITUITO (its place taken by another "
               "order that was paid); null where not executed"),
        Column("importo", "money", "What the movement pays of the block, signed (negative: credit note used, or taken back); "
               "where not executed the block's amount", required=True, unit="EUR"),
        Column("beneficiario", "text", "Name of the beneficiary"),
        Column("cf_beneficiario", "text", "VAT number, else fiscal code, of the beneficiary"),
        Column("tipo_debito", "text", "COMMERCIALE, IVA, NON_COMMERCIALE"),
        Column("lotto_sdi", "text", "SDI's identifier of the lot in the order"),
        Column("numero_fattura", "text", "Invoice number in the order"),
        Column("anno_emissione", "integer", "Year of issue in the order"),
        Column("cig", "text", "CIG in the order"),
        Column("storno", "boolean", "The row takes a payment back"),
    ),
    key=("ente", "row_id", "block_row_id", "tipo_movimento"), published=True, blocking=False,
    indexes=(("ente", "id_documento"), ("ente", "stato")),
)

#: In reading order.
MODELS = (OPI_ORDERS, OPI_MOVEMENTS, OPI_ALLOTTED, OPI_DOCUMENTS, OPI_PAYMENTS)
