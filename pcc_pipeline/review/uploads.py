"""A model file's way after it was written: a person says that it was uploaded to PCC; what stands still is told.

Writing a file is not sending it (docs/rules.md#rule-11-uploaded). What PCC answers, and what later feeds show, is in `sent`.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from pcc_pipeline.clock import ROME
from pcc_pipeline.database.schema import table
from pcc_pipeline.review import sent
from pcc_pipeline.review.pairs import deciding, person
from pcc_pipeline.rules import threshold


def uploaded(engine: sa.Engine, ente: str, file: str, who: str) -> bool:
    """Notes that a person uploaded a file to PCC; returns whether nobody had said so before.

    Raises KeyError for a file that was not written, DecisionError without a name.
    """
    f, u = table("model_files"), table("model_uploads")
    row = {"ente": ente, "file": file, "decided_by": person(who)}
    with deciding(engine, ente) as connection:
        if connection.execute(sa.select(f.c.file).where(f.c.ente == ente, f.c.file == file)).first() is None:
            raise KeyError(f"{ente} has no model file {file}")
        if connection.execute(sa.select(u.c.file).where(u.c.ente == ente, u.c.file == file)).first():
            return False
        connection.execute(sa.insert(u).values(decided_at=sa.func.clock_timestamp(), **row))
    return True


def standing_still(engine: sa.Engine, on: date, ente: str | None = None) -> list[tuple[str, sa.RowMapping]]:
    """Files of an ente, or of all, that stand still on a day: (NOT_UPLOADED or NOT_ANSWERED, the file as `sent.files` has it).

    Not uploaded for more than `file_upload_days` since it was written, not answered for more than `file_answer_days` since
    it was uploaded (thresholds). PCC's answer, or a later feed that shows it done, says that a file was uploaded.
    """
    write_days, answer_days = int(threshold("file_upload_days", on)), int(threshold("file_answer_days", on))
    found = []
    for file in sent.files(engine, ente):
        if file["state"] == "answered":
            continue
        told = file["uploaded_at"]
        if told is None and file["sent"] == file["rows"]:
            if (on - file["sent_at"].astimezone(ROME).date()).days > write_days:
                found.append(("NOT_UPLOADED", file))
        elif (on - (told or file["sent_at"]).astimezone(ROME).date()).days > answer_days:
            found.append(("NOT_ANSWERED", file))
    return found
