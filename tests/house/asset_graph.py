"""The asset graph as text: assets with groups and inputs, checks, jobs, schedules, sensors. Compared with a snapshot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "asset_graph.json"


def graph() -> dict[str, Any]:
    """What Dagster is told now, as plain data in the order of names."""
    from assets.definitions import defs

    assets = defs.resolve_asset_graph()
    return {
        "assets": {
            key.to_user_string(): {
                "group": assets.get(key).group_name,
                "reads": sorted(parent.to_user_string() for parent in assets.get(key).parent_keys),
            }
            for key in sorted(assets.get_all_asset_keys(), key=lambda key: key.to_user_string())
        },
        "checks": sorted(f"{key.asset_key.to_user_string()}.{key.name}" for key in assets.asset_check_keys),
        "jobs": sorted(job.name for job in defs.resolve_all_job_defs() if not job.name.startswith("__")),
        "schedules": {s.name: s.cron_schedule for s in sorted(defs.schedules or (), key=lambda one: one.name)},
        "sensors": sorted(sensor.name for sensor in defs.sensors or ()),
    }


def text() -> str:
    """The graph as the snapshot's file has it."""
    return json.dumps(graph(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
