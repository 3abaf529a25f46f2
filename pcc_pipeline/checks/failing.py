"""Which checks fail, kept for people who look at all enti at once (`failing_checks`); the gate has its own note."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from pcc_pipeline.checks.result import CheckResult
from pcc_pipeline.database.schema import table
from pcc_pipeline.database.unnest import unnest


def keep_failing(engine: sa.Engine, step: str, failed: Mapping[str, Mapping[str, CheckResult]]) -> None:
    """Notes what fails in a step's checks by ente and name; what these enti had failing there before is forgotten, but for
    since when a check fails."""
    t = table("failing_checks")
    rows = [
        {
            "ente": ente, "step": step, "check": name, "blocking": result.blocking, "failing_rows": result.failing_rows,
            "words": result.description,
        }
        for ente, by_name in failed.items()
        for name, result in by_name.items()
    ]  # fmt: skip
    with engine.begin() as connection:
        still = unnest([{"e": row["ente"], "c": row["check"]} for row in rows], {"e": sa.Text, "c": sa.Text})
        gone = sa.delete(t).where(t.c.ente.in_(list(failed)), t.c.step == step)
        if rows:
            gone = gone.where(~sa.exists().where(still.c.e == t.c.ente, still.c.c == t.c.check))
        connection.execute(gone)
        if rows:
            statement = insert(t).values([{**row, "since": sa.func.now()} for row in rows])
            update = {name: statement.excluded[name] for name in ("step", "blocking", "failing_rows", "words")}
            connection.execute(statement.on_conflict_do_update(index_elements=["ente", "check"], set_=update))
