"""The warning that something stands in quarantine. It never stops publication: good rows go on without the bad ones."""

from collections.abc import Iterator

from dagster import (
    AssetCheckEvaluation,
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckSpec,
    AssetKey,
    Output,
    multi_asset_check,
)

from assets.checks import evaluation, with_way_out
from assets.partitions import ENTI
from assets.resources import Installation, RunParameters, inputs_of
from assets.steps import enti_of, names_enti
from pcc_pipeline.arrival.quarantine import summary
from pcc_pipeline.checks import CheckResult
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.checks.result import SAMPLES, plain
from pcc_pipeline.runs.inputs import Inputs
from pcc_pipeline.tables import QUARANTINE
from pcc_pipeline.tables.describe import MODEL_LAYERS

NAME, STEP = "nothing_in_quarantine", "checks_quarantine"
DESCRIPTION = "No row and no file of any delivery stands in quarantine; pcc quarantine list shows what does"


@multi_asset_check(
    name=STEP,
    specs=[
        AssetCheckSpec(
            NAME,
            asset=QUARANTINE.name,
            description=with_way_out(QUARANTINE.name, NAME, DESCRIPTION),
            blocking=False,
            partitions_def=ENTI,
        )
    ],
)
def nothing_in_quarantine(
    context: AssetCheckExecutionContext, installation: Installation, asked: RunParameters
) -> Iterator[AssetCheckEvaluation | Output[None]]:
    """Warns of each ente with something in quarantine, with samples; tells of one that is clean again."""
    key = AssetCheckKey(AssetKey(QUARANTINE.name), NAME)
    enti = enti_of(context, asked)
    for ente in enti:
        gate = Gate(installation.store, ente)
        if not (names_enti(context) or asked.enti or gate.inputs(MODEL_LAYERS)):
            continue  # of all there are, those calculated once
        result = _result(installation, ente, inputs_of(context, installation, ente, asked, made=True))
        if not result.passed or NAME in gate.failed(STEP) or ente == enti[0]:
            yield evaluation(key, ente, [result], stops=False)
        gate.set(STEP, failed=[] if result.passed else [NAME])
    yield Output(None, output_name=f"{key.asset_key.to_python_identifier()}_{NAME}")


def _result(installation: Installation, ente: str, given: Inputs) -> CheckResult:
    found = summary(installation, ente, registered=given.registered)
    names = ("kind", "file", "field", "reason", "times", "first_line", "examples")
    samples = [{name: plain(row[name]) for name in names} for row in found.slice(0, SAMPLES).to_pylist()]
    defects = sum(found["times"].to_pylist())
    return CheckResult(NAME, not defects, False, defects, defects, samples, DESCRIPTION)
