"""Everything that Dagster is to know: assets, checks, jobs, sensors, resources. Named by workspace.yaml."""

from __future__ import annotations

from dagster import Definitions, in_process_executor

from assets.bonifica import bonifica_report
from assets.checks import ASSET_CHECKS
from assets.decisions import DECISION_JOBS
from assets.jobs import JOBS
from assets.landing import landing
from assets.models import MODEL_ASSETS
from assets.published import published
from assets.quarantine import nothing_in_quarantine
from assets.reports import REPORT_ASSETS, REPORT_JOBS, REPORT_SCHEDULES
from assets.resources import RunParameters, environment_installation
from assets.service import SERVICE_ASSETS, SERVICE_JOBS, SERVICE_SCHEDULES
from assets.staging import staging
from sensors import SENSORS

defs = Definitions(
    assets=[landing, staging, *MODEL_ASSETS, published, bonifica_report, *REPORT_ASSETS, *SERVICE_ASSETS],
    asset_checks=[*ASSET_CHECKS, nothing_in_quarantine],
    jobs=[*JOBS, *DECISION_JOBS, *REPORT_JOBS, *SERVICE_JOBS],
    schedules=[*REPORT_SCHEDULES, *SERVICE_SCHEDULES],
    sensors=SENSORS,
    resources={"installation": environment_installation, "asked": RunParameters.configure_at_launch()},
    executor=in_process_executor,
)
