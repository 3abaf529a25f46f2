"""What PostgreSQL holds of readings of enti's accounting systems by remote connection. See `connector`."""

from __future__ import annotations

from pcc_pipeline.tables.describe import Column, Table

NEW, UNCHANGED, REFUSED, FAILED = "new", "unchanged", "refused", "failed"

ERP_READS = Table(
    name="erp_reads",
    layer="register",
    grain="One row per reading of one kind from an ente's accounting system; the latest that succeeded holds its watermark",
    columns=(
        Column("reading", "integer", "Order of reading", required=True),
        Column("ente", "text", "Tenant code", required=True),
        Column("kind", "text", "erp_invoices or erp_payments; null when the ente was refused before any query"),
        Column("source", "text", "Where it was read: dialect, host and database, without credentials", required=True),
        Column("read_at", "timestamp", "When the reading ended", required=True),
        Column("asked_from", "text", "Lower bound asked for: the previous watermark less the re-read window"),
        Column("watermark", "text", "Greatest watermark seen so far; null when the reading did not succeed"),
        Column("seen", "text", "File of the store with what the re-read window held, to tell what is unchanged"),
        Column("rows", "integer", "Rows read", minimum=0),
        Column("unseen", "integer", "Of these, rows new or changed since the reading before", minimum=0),
        Column("gone", "integer", "Rows of the window that the reading before had and this one has not", minimum=0),
        Column("attempts", "integer", "Attempts that it took", minimum=1),
        Column("delivery", "text", "The delivery that it became; null when nothing had changed"),
        Column("outcome", "text", "new, unchanged, refused or failed", required=True, allowed=(NEW, UNCHANGED, REFUSED, FAILED)),
        Column("reason", "text", "Why it was refused or failed, without credentials"),
    ),
    key=("reading",),
    indexes=(("ente", "kind", "reading"),),
)
