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


def still_days(on: date) -> dict[str, int]:
    """Days after which a file stands still, by what it lacks (`sent.waits_for`): thresholds of a day."""
    return {
        "NOT_UPLOADED": int(threshold("file_upload_days", on)),
        "NOT_ANSWERED": int(threshold("file_answer_days", on)),
    }


def standing_still(engine: sa.Engine, on: date, ente: str | None = None) -> list[tuple[str, sa.RowMapping]]:
    """Files of an ente, or of all, that stand still on a day: (NOT_UPLOADED or NOT_ANSWERED, the file as `sent.files` has it).

    Not uploaded for more than `file_upload_days` since it was written, not answered for more than `file_answer_days` since
    it was uploaded (thresholds).
    """
    days = still_days(on)
    found = []
    for file in sent.files(engine, ente):
        if (waiting := sent.waits_for(file)) is not None:
            what, since = waiting
            if (on - since.astimezone(ROME).date()).days > days[what]:
                found.append((what, file))
    return found
