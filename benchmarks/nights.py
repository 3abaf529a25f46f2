"""What a year of nights leaves in Dagster's own database: bytes of its tables after each night's runs, and what the purge keeps.

    python -m benchmarks.nights [--few 4] [--many 16] [--enti 300]

Two installations, of `few` and of `many` small enti, do a night: a delivery of each ente is reconciled, then come service
levels, reports, erasures, the purge; and the probe of availability once. Tables are packed (VACUUM FULL) and measured before and
after each. What differs by the number of enti is the cost of one more; the year is that of `enti` enti.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dagster import DagsterInstance

from assets.history import DAYS, DAYS_OF
from assets.partitions import ENTI_NAME, run_tags
from assets.run import opened, run_headless
from pcc_pipeline.database import embedded
from pcc_pipeline.database.engine import dagster_url, dispose
from pcc_pipeline.demo import write_provider
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs.pipeline import read_provider
from pcc_pipeline.settings import Settings

#: Jobs of a night, and what it is run for: all enti by name, or the provider.
NIGHT = {
    "calculate_service_levels": False,
    "write_ente_reports": True,
    "write_provider_report": False,
    "erase_due_enti": False,
    "purge_history": False,
}
PROBE, PROBES_A_DAY, RECONCILE = "measure_availability", 288, "reconcile_ente"


def size(settings: Settings) -> int:
    """Bytes of the tables in Dagster's database, packed."""
    store = sa.create_engine(dagster_url(settings), isolation_level="AUTOCOMMIT")
    with store.connect() as connection:
        connection.execute(sa.text("VACUUM FULL"))
        query = "select sum(pg_total_relation_size(oid)) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
        found = int(connection.scalar(sa.text(query)) or 0)
    store.dispose()
    return found


def execute(instance: DagsterInstance, installation: Installation, name: str, enti: list[str]) -> None:
    """One run of a job, for all enti where it has any."""
    from assets.definitions import defs

    config: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
    tags = None
    if enti:
        config["resources"] = {"asked": {"config": {"enti": enti}}}
        tags = run_tags(dict.fromkeys(enti, "night"), instance.get_dynamic_partitions(ENTI_NAME))
    job = defs.resolve_job_def(name)
    job.execute_in_process(
        instance=instance, resources={"installation": installation}, run_config=config, tags=tags, raise_on_error=False
    )


def night(enti: int) -> dict[str, int]:
    """Bytes that each job of a night leaves, with so many enti."""
    with tempfile.TemporaryDirectory(prefix="pcc-bench-") as folder:
        root = Path(folder)
        if os.geteuid() == 0:
            root.chmod(0o711)  # the embedded server runs as another user
        settings = Settings.at(root / "home")
        os.environ |= settings.environment()
        installation = Installation(settings)
        inbox = root / "inbox"
        write_provider(inbox, enti=enti, documents=20, seed=3, reference_date=date(2025, 12, 31), sdi_share=0)
        read_provider(installation, inbox)
        names = sorted(path.name for path in inbox.iterdir() if not path.name.startswith("_"))
        run_headless(installation, names, inbox=inbox)
        found: dict[str, int] = {}
        with opened(settings) as instance:
            last = size(settings)
            for file in inbox.glob("*/erp_invoices/*.csv"):
                with suppress(OSError), file.open("a") as out:
                    out.write("\n")
            for name in (RECONCILE, *NIGHT, PROBE):
                if name == RECONCILE:
                    run_headless(installation, names, inbox=inbox)
                else:
                    execute(instance, installation, name, names if NIGHT.get(name) else [])
                now = size(settings)
                found[name], last = now - last, now
        dispose(settings)
        embedded.release(settings.home)
        return found


def main() -> None:
    """Prints the bytes of each job, and the year."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=4)
    parser.add_argument("--many", type=int, default=16)
    parser.add_argument("--enti", type=int, default=300)
    asked = parser.parse_args()
    few, many = night(asked.few), night(asked.many)
    kept = 0.0
    for name in many:
        each = max(0.0, (many[name] - few[name]) / (asked.many - asked.few))
        fixed = max(0.0, few[name] - asked.few * each)
        runs = (DAYS_OF[PROBE] * PROBES_A_DAY) if name == PROBE else DAYS
        of_one = fixed + each * asked.enti
        kept += runs * of_one
        print(
            f"{name:26} {fixed / 1024:9.0f} KiB a run and {each / 1024:7.1f} KiB an ente; {runs} kept: {runs * of_one / 2**20:8.0f} MiB"
        )
    print(
        f"{asked.enti} enti, each delivering every night: {kept / 2**30:.1f} GiB after {DAYS} nights, and no more after a year"
    )


if __name__ == "__main__":
    main()
