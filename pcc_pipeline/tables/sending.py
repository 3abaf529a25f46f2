"""What was sent to PCC: model files, the operations in them, and what became of each.

`SENDING` are tables of PostgreSQL, append-only but for the moment a file was handed out; `DECIDED_SENT` the relation in
which the SQL models see them; `SENT_STATES` the model that joins them with PCC's answers and later feeds.
"""

from __future__ import annotations

from dataclasses import replace

from pcc_pipeline.tables.area import AREA_WORDS, LOTTO, PAYLOAD
from pcc_pipeline.tables.common import ENTE, PCC_MODELS
from pcc_pipeline.tables.describe import Column, Table

_FILE = Column("file", "text", "Name of the model file", required=True)
_SENT_AT = Column("sent_at", "timestamp", "When the file was written", required=True)
_ATTEMPT = Column("attempt", "integer", "Of this operation, from 1: another only after PCC refused the one before",
                  required=True, minimum=1)
_OPERATION = Column("operation_id", "text", "The operation", required=True)

MODEL_FILES = Table(
    "model_files", "register", "One row per Modello 003 or 002 written for PCC",
    (
        ENTE, _FILE,
        Column("model", "text", "The model: today's, 003 or 002", required=True, allowed=PCC_MODELS),
        Column("sha256", "text", "SHA-256 of the bytes, hexadecimal; the store keeps them under it", required=True,
               pattern=r"[0-9a-f]{64}"),
        Column("size", "integer", "Size", required=True, minimum=0, unit="bytes"),
        Column("rows", "integer", "Operations in it", required=True, minimum=1),
        Column("sent_by", "text", "Fiscal code of the user who transmits it", required=True),
        _SENT_AT,
        Column("handed_at", "timestamp", "When it was put where the operator takes it; null: not yet"),
    ),
    key=("ente", "file"),
)

#: What the operation was when it was written (see `operations`): the columns by which its line is known again.
_LINE = (
    Column("code", "text", "The anomaly that it remedies"),
    Column("id_documento", "text", "The accounting system's key; null where it has no such document"),
    Column("progressivo_registrazione", "text", "PCC's key; null where PCC had no such document yet"),
    Column("step", "integer", "Order within the document, from 1", required=True, minimum=1),
    Column("azione", "text", f"RC reception, RF refusal, CO booking, CS due date, CP payment; {AREA_WORDS}"),
    Column("importo", "money", "Amount moved, due or paid", unit="EUR"),
    Column("stato_debito", "text", "CO: between which accounts"),
    Column("causale", "text", "CO: PCC's code of the reason"),
    Column("data_scadenza", "date", "CS: the due date"),
    Column("numero_mandato", "text", "CP: payment order"),
    Column("data_mandato", "date", "CP: its date"),
    Column("id_fiscale_beneficiario", "text", "CP: who was paid"),
    Column("protocollo", "text", "RC: number in the ente's register of correspondence"),
    Column("data_ricezione", "date", "RC: date of reception"),
    Column("data_rifiuto", "date", "RF: date of refusal"),
    Column("cf_fornitore", "text", "Fiscal code of the supplier"),
    Column("id_fiscale_iva", "text", "VAT number of the supplier with its country"),
    Column("numero_documento", "text", "Invoice number"),
    Column("data_emissione", "date", "Date of issue"),
    Column("importo_totale", "money", "Total of the document", unit="EUR"),
    Column("tipo_documento", "text", "Document type"),
    LOTTO,
    Column("codice_ufficio", "text", "Office"),
    *PAYLOAD,
    Column("natura_spesa", "text", "IP, CO, CP: CO current, CA capital"),
    Column("cig", "text", "Tender code, else NA"),
    Column("cup", "text", "Project code, else NA"),
    Column("identificativo", "integer", "Today's models: how the row names the document, 1 to 3"),
    Column("payload_key", "text", "Today's models: hash of model, identification, action and payload"),
    Column("stock_effect", "money", "What it takes from PCC's stock, signed", unit="EUR"),
)

SENT_OPERATIONS = Table(
    "sent_operations", "register", "One row per operation and attempt written into a model file",
    (
        ENTE, _OPERATION, _ATTEMPT, _FILE,
        Column("line", "integer", "Line of the file", required=True, minimum=1),
        Column("model", "text", "The model: today's, 003 or 002", required=True, allowed=PCC_MODELS),
        _SENT_AT, *_LINE,
    ),
    key=("ente", "operation_id", "attempt"),
    indexes=(("ente", "file"), ("ente", "progressivo_registrazione"), ("ente", "id_documento")),
)

SENDING = (MODEL_FILES, SENT_OPERATIONS)

DECIDED_SENT = replace(
    SENT_OPERATIONS, name="decided_sent_operations", layer="reconciliation",
    grain="One row per operation and attempt sent to PCC", indexes=(),
)

SENT_STATES = Table(
    "sent_states", "operations", "One row per operation and attempt sent to PCC: what became of it",
    (
        ENTE, _OPERATION, _ATTEMPT, _FILE,
        Column("line", "integer", "Line of the file", required=True, minimum=1),
        _SENT_AT,
        *(column for column in _LINE if column.name in ("code", "id_documento", "progressivo_registrazione", "azione", "importo")),
        Column("state", "text", "sent: no answer yet; accepted; refused by PCC; done: a later feed of PCC shows it", required=True,
               allowed=("sent", "accepted", "refused", "done")),
        Column("answer_code", "text", "PCC's Codice segnalazione"),
        Column("reason", "text", "PCC's Descrizione segnalazione"),
        Column("answered_at", "timestamp", "When the answer arrived"),
        Column("seen_done_at", "timestamp", "When the feed arrived that shows it done"),
        Column("overdue", "boolean", "Neither refused nor seen done within the days allowed (threshold seen_done_days)", required=True),
        Column("in_flight", "boolean", "Sent or accepted and not yet seen done: its document gets no new operations", required=True),
    ),
    key=("ente", "operation_id", "attempt"),
    published=True,
    indexes=(("ente", "state"), ("ente", "progressivo_registrazione"), ("ente", "id_documento")),
)

SENT_ANSWERS = Table(
    "sent_answers", "operations", "One row per line that PCC handed back, with the sent operation it answers",
    (
        ENTE,
        Column("row_id", "integer", "The line handed back", required=True),
        Column("operation_id", "text", "The operation; null where nothing of the kind was sent"),
        Column("attempt", "integer", "Its attempt"),
        Column("outcome", "text", "accepted, refused, or unclear: an answer that says neither", required=True,
               allowed=("accepted", "refused", "unclear"),
               source="rule_pcc_answer_codes"),
        Column("answer_code", "text", "PCC's Codice segnalazione"),
        Column("reason", "text", "PCC's Descrizione segnalazione"),
        Column("received_at", "timestamp", "When it arrived", required=True),
        Column("file", "text", "Name of the file handed back"),
        Column("line", "integer", "Line in it", required=True),
    ),
    key=("ente", "row_id"),
)

SENT_OUTCOMES = Table(
    "sent_outcomes", "operations", "One row per operation and attempt sent to PCC that was answered: PCC's latest answer",
    (
        ENTE, _OPERATION, _ATTEMPT,
        *(SENT_ANSWERS.column(name) for name in ("outcome", "answer_code", "reason")),
        Column("answered_at", "timestamp", "When it arrived", required=True),
    ),
    key=("ente", "operation_id", "attempt"),
)

SENT_ACCOUNTS = Table(
    "sent_accounts", "operations", "One row per document and model file in which lines on it were sent, as PCC has it since",
    (
        ENTE, Column("progressivo_registrazione", "text", "PCC's document"), _FILE,
        Column("reached", "boolean", "Its accounts have taken what the lines not refused move"),
        Column("due_date", "date", "Its due date in the latest delivery after the file"),
        Column("stato", "text", "Its state there"),
        Column("cause", "text", "Its cause of suspension there"),
        Column("received_at", "timestamp", "When that delivery arrived; null: none did"),
    ),
    key=("ente", "progressivo_registrazione", "file"),
)

SENT_AMOUNTS = Table(
    "sent_amounts", "operations", "One row per operation of today's models and attempt that a later delivery of PCC shows done",
    (ENTE, _OPERATION, _ATTEMPT, Column("seen_at", "timestamp", "When that delivery arrived", required=True)),
    key=("ente", "operation_id", "attempt"),
)

#: In reading order.
MODELS = (SENT_ANSWERS, SENT_OUTCOMES, SENT_ACCOUNTS, SENT_AMOUNTS, SENT_STATES)
