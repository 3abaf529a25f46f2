"""The golden enti, from inbox to exports: equal to the expected tables, to the cent; the project's own by a whole run too."""

from __future__ import annotations

import io
from pathlib import Path

from samples import OBSERVED_AT, OWN, REFERENCE_DATE, Golden
from steps import publish_steps
from typer.testing import CliRunner

from assets.run import run_headless
from pcc_pipeline import rules
from pcc_pipeline.arrival.landing import PROVIDER, land
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.cli import app
from pcc_pipeline.database.export import export
from pcc_pipeline.installation import Installation


def _exported(installation: Installation, golden: Golden) -> dict[str, str]:
    """The tables that are expected, as exported."""
    found = {}
    for table in (path.stem for path in sorted(golden.expected.glob("*.csv"))):
        export(installation.engine, table, golden.ente, "-", out := io.BytesIO())
        found[table] = out.getvalue().decode()
    return found


def _differing(golden: Golden, exported: dict[str, str]) -> list[str]:
    differing = []
    for table, text in exported.items():
        expected, now = golden.compared(table, text.splitlines())
        # Of the sample in ../shared only some indicators are given.
        if not (expected <= now if table == "indicators" and golden is not OWN else expected == now):
            differing.append(table)
    return differing


def test_exports_equal_the_expected_tables(golden: Golden, installation: Installation, tmp_path: Path) -> None:
    publish_steps(installation, golden.ente, REFERENCE_DATE, OBSERVED_AT, inbox=golden.delivered(tmp_path / "golden"))
    assert _differing(golden, _exported(installation, golden)) == []


def test_a_whole_run_gives_them_and_its_steps_once_more_change_nothing(installation: Installation) -> None:
    # The register says which models of PCC the ente writes.
    land(installation, OWN.inbox, PROVIDER)
    assert not stage(installation, PROVIDER).refused
    assert run_headless(installation, [OWN.ente], REFERENCE_DATE, OBSERVED_AT, inbox=OWN.inbox)
    first = _exported(installation, OWN)
    assert _differing(OWN, first) == []
    done = CliRunner().invoke(
        app, ["export", "stock", "--ente", OWN.ente, "--out", "-"], env=installation.settings.environment()
    )
    assert done.exit_code == 0 and done.stdout.lstrip("\ufeff").splitlines() == first["stock"].lstrip("\ufeff").splitlines()
    publish_steps(installation, OWN.ente, REFERENCE_DATE, OBSERVED_AT, inbox=OWN.inbox)
    assert _exported(installation, OWN) == first


def test_every_anomaly_and_tier_is_shown() -> None:
    """The project's own golden ente has each code of the catalogue and each tier but a person's word."""
    assert {row["code"] for row in OWN.rows("anomalies")} == set(rules.anomaly_codes())
    assert {row["tier"] for row in OWN.rows("matches")} == {row["tier"] for row in rules.rule_rows("match_tiers")} - {"manual"}
