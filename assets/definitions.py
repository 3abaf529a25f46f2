"""Everything that Dagster is to know: assets, checks, jobs, sensors, resources. Named by workspace.yaml."""

from __future__ import annotations

import os
import warnings

from dagster import BetaWarning, Definitions, PreviewWarning, in_process_executor

from pcc_pipeline.loading import loading

# Events told together are written together (see `assets.steps.report`), up to so many: one alone costs as much.
os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "200")

with warnings.catch_warnings(), loading():
    # Backfill policies and partitioned checks are marked so in this pinned release.
    warnings.simplefilter("ignore", BetaWarning)
    warnings.simplefilter("ignore", PreviewWarning)

    from assets.bonifica import bonifica_report
    from assets.checks import ASSET_CHECKS
    from assets.decisions import DECISION_JOBS
    from assets.history import nightly_purge, purge_history, purged_history
    from assets.jobs import JOBS
    from assets.landing import landing
    from assets.models import MODEL_ASSETS
    from assets.published import published
    from assets.quarantine import nothing_in_quarantine
    from assets.reports import REPORT_ASSETS, REPORT_JOBS, REPORT_SCHEDULES
    from assets.resources import RunParameters, environment_installation
    from assets.service import SERVICE_ASSETS, SERVICE_JOBS, SERVICE_SCHEDULES
    from assets.staging import quarantine_summary, staging
    from sensors import SENSORS

    defs = Definitions(
        assets=[
            *(landing, staging, *MODEL_ASSETS, published, bonifica_report),
            *(*REPORT_ASSETS, *SERVICE_ASSETS, purged_history),
            quarantine_summary,
        ],
        asset_checks=[*ASSET_CHECKS, nothing_in_quarantine],
        jobs=[*JOBS, *DECISION_JOBS, *REPORT_JOBS, *SERVICE_JOBS, purge_history],
        schedules=[*REPORT_SCHEDULES, *SERVICE_SCHEDULES, nightly_purge],
        sensors=SENSORS,
        resources={"installation": environment_installation, "asked": RunParameters.configure_at_launch()},
        executor=in_process_executor,
    )
    defs.get_repository_def()  # worked out here, once, and not where it is first used
