"""What PostgreSQL alone holds of the pipeline's own life: deliveries, arrivals, publications.

Feeds are described in `feeds`, what the models make in `models`. The functions that read and write these
tables are in `pcc_pipeline.database.register`.
"""

from __future__ import annotations

from pcc_pipeline.tables.accounts import ACCOUNTS, ACCOUNTS_NUMBERED, ACCOUNTS_UNIQUE
from pcc_pipeline.tables.connector import ERP_READS
from pcc_pipeline.tables.decisions import ANSWER_ATTACHMENTS, DECISIONS
from pcc_pipeline.tables.describe import Column, Paging, Table
from pcc_pipeline.tables.letters import LETTERS
from pcc_pipeline.tables.morning import MORNING
from pcc_pipeline.tables.quarantine import FORMER_READINGS
from pcc_pipeline.tables.sending import SENDING
from pcc_pipeline.tables.service import SERVICE_REGISTER
from pcc_pipeline.tables.support import SERVICE_MEASURES, SUPPORT, SUPPORT_NUMBERED, SUPPORT_UNIQUE

LANDED, STAGED, REFUSED = "landed", "staged", "refused"

DELIVERIES = Table(
    name="deliveries",
    layer="register",
    grain="One row per content delivered to an ente in a kind: the same bytes twice are one delivery",
    columns=(
        Column(
            "delivery",
            "text",
            "First 16 hexadecimal digits of the sha-256 of ente, kind, content",
            required=True,
            pattern=r"[0-9a-f]{16}",
        ),
        Column("ente", "text", "Tenant code; _provider for what concerns the provider itself", required=True),
        Column("kind", "text", "Kind of delivery: the inbox folder's name", required=True),
        Column("sha256", "text", "SHA-256 of the bytes, hexadecimal", required=True, pattern=r"[0-9a-f]{64}"),
        Column("file", "text", "File name as delivered, without folders", required=True),
        Column("archive", "text", "Name of the .zip the file came in; null when it came alone"),
        Column("source", "text", "The accounting system it was read from by remote connection; null for a delivered file"),
        Column("size", "integer", "Size", required=True, minimum=0, unit="bytes"),
        Column(
            "received_at",
            "timestamp",
            "When it was registered; one value for what one scan found",
            required=True,
        ),
        Column("sequence", "integer", "Order of arrival over all deliveries", required=True),
        Column(
            "status",
            "text",
            "landed: bytes kept, not read; staged: read; refused: cannot be read at all",
            required=True,
            allowed=(LANDED, STAGED, REFUSED),
        ),
        Column("rows", "integer", "Rows accepted", minimum=0),
        Column("refused", "integer", "Rows refused", minimum=0),
        Column("defects", "integer", "Defects found in the refused rows", minimum=0),
        Column("reason", "text", "Why the whole delivery was refused, in plain words"),
        Column("reread", "integer", "When its bytes were last read anew, in the order of arrival; null when read once"),
        Column("part", "text", "Staging Parquet of its rows, relative, without extension; may be shared"),
        Column("whole", "boolean", "Whether it has all there is in its span; false: an increment, as said; null: nobody said",
               source="docs/rules.md#rule-12"),
        Column("span_from", "date", "First day of the span of a whole delivery; null: open"),
        Column("span_to", "date", "Last day of that span; null: open"),
    ),
    key=("delivery",),
    indexes=(("ente", "status"),),
    # Those that were refused, and whether a good one of the kind came since: of all enti at once (portal/queries/enti.py).
    paging=(
        Paging("refused", ("received_at",), "status = 'refused'"),
        Paging("good", ("kind", "sequence"), "status = 'staged'"),
    ),
)

ARRIVALS = Table(
    name="arrivals",
    layer="register",
    grain="One row per file seen in an inbox that is not drained, so that it is not read again at each scan",
    columns=(
        Column("path", "text", "Full path of the file", required=True),
        Column("ente", "text", "Tenant code", required=True),
        Column("size", "integer", "Size when it was read", required=True, unit="bytes"),
        Column("mtime_ns", "integer", "Time of last change when read", required=True, unit="ns since 1970"),
    ),
    key=("path",),
    indexes=(("ente",),),
)

PUBLICATIONS = Table(
    name="publications",
    layer="register",
    grain="One row per publication of an ente; its latest is the state that readers see",
    columns=(
        Column("publication", "integer", "Order of publication", required=True),
        Column("ente", "text", "Tenant code", required=True),
        Column("reference_date", "date", "Date the stock refers to", required=True, source="docs/rules.md#rule-4"),
        Column("observed_at", "date", "Date up to which facts were considered", required=True),
        Column("published_at", "timestamp", "When readers began to see it", required=True),
        Column("run_id", "text", "Run that published it"),
        Column("rows", "integer", "Rows published, over all tables", required=True, minimum=0),
        Column("seen_sequence", "integer", "All deliveries up to this sequence were in its calculation"),
        Column("told_at", "timestamp", "When the mails about it were written for whoever wants them; null: nobody of the ente did"),
    ),
    key=("publication",),
    indexes=(("ente", "publication"),),
)

#: Register tables by name.
REGISTER: dict[str, Table] = {
    table.name: table
    for table in (
        DELIVERIES, ARRIVALS, PUBLICATIONS, ERP_READS, FORMER_READINGS, *DECISIONS, ANSWER_ATTACHMENTS, *SENDING, *ACCOUNTS.values(), *SERVICE_REGISTER,
        *SUPPORT, SERVICE_MEASURES, *MORNING, LETTERS,
    )
}

#: Columns that PostgreSQL numbers by itself, in order of insertion.
NUMBERED: dict[str, str] = {
    "deliveries": "sequence",
    "publications": "publication",
    "erp_reads": "reading",
    **{table.name: "decision" for table in DECISIONS},
    "answer_attachments": "attachment",
    **ACCOUNTS_NUMBERED,
    **SUPPORT_NUMBERED,
    "letters": "letter",
}

#: Further groups of columns that must be unique, beside the key.
UNIQUE: dict[str, tuple[tuple[str, ...], ...]] = {**ACCOUNTS_UNIQUE, **SUPPORT_UNIQUE}
