"""What operators see in Dagster is what was last agreed on; nothing is read from a later layer."""

from __future__ import annotations

from pcc_pipeline.calculator import load_models
from pcc_pipeline.checks.reconciliations import RECONCILIATIONS
from pcc_pipeline.tables import TABLES
from pcc_pipeline.tables.describe import MODEL_LAYERS
from tests.house import asset_graph


def _place(table: str) -> int:
    layer = TABLES[table].layer
    return MODEL_LAYERS.index(layer) if layer in MODEL_LAYERS and table in load_models() else -1


def test_the_asset_graph_is_the_one_agreed_on() -> None:
    assert asset_graph.text() == asset_graph.FILE.read_text(encoding="utf-8"), (
        "python -m tests.house, and look at the difference"
    )


def test_no_model_reads_from_a_later_layer() -> None:
    back = [
        f"{name} ({model.layer}) reads {read} ({load_models()[read].layer})"
        for name, model in load_models().items()
        for read in model.depends_on
        if _place(read) > _place(name)
    ]
    assert not back


def test_no_check_reads_from_a_later_layer() -> None:
    late = [
        f"{rule.name} on {rule.table} reads {read}"
        for rule in RECONCILIATIONS
        for read in rule.relations
        if read in TABLES and _place(read) > _place(rule.table)
    ]
    assert not late
