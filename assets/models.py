"""The SQL models as assets, built by a factory: one asset a model, one step a layer.

What depends on what, and which column comes from which, is read from the SQL (`pcc_pipeline.calculator`).
"""

from collections.abc import Iterator, Mapping

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    AssetSpec,
    MaterializeResult,
    MetadataValue,
    TableColumnDep,
    TableColumnLineage,
    multi_asset,
)
from dagster import AssetKey as Key

from assets.partitions import ENTI, ONE_RUN
from assets.resources import Installation, RunParameters, inputs_of
from assets.steps import Metadata, described, each_ente
from pcc_pipeline.calculator import Model, load_models, model_order
from pcc_pipeline.calculator.lineage import column_lineages
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.tables.describe import MODEL_LAYERS


def layer_of(name: str) -> str:
    """The layer whose step makes a model: that of its folder."""
    return load_models()[name].layer


def column_lineage(model: Model) -> TableColumnLineage:
    """Which column of which asset each column is made from."""
    deps = {}
    for column, origins in column_lineages()[model.name].items():
        # Rule tables and the register are no assets.
        known = [
            TableColumnDep(asset_key=Key(relation.removeprefix("feed_")), column_name=origin)
            for relation, origin in origins
            if relation in load_models() or relation.startswith("feed_")
        ]
        if known:
            deps[column] = known
    return TableColumnLineage(deps)


def _spec(model: Model) -> AssetSpec:
    sql = MetadataValue.md(f"```sql\n{model.sql.strip()}\n```")
    return AssetSpec(
        model.name,
        deps=[*model.depends_on, *model.feeds],
        group_name=model.layer,
        description=model.description,
        metadata={**described(model.table), "dagster/column_lineage": column_lineage(model), "sql": sql},
        kinds={"duckdb", "sql"},
    )


def build_layer(layer: str) -> AssetsDefinition:
    """The assets of one layer's models; a step opens each ente's files once for all its models."""
    mine = [load_models()[name] for name in model_order() if layer_of(name) == layer]

    @multi_asset(
        name=f"models_{layer}",
        specs=[_spec(model) for model in mine],
        can_subset=True,
        partitions_def=ENTI,
        backfill_policy=ONE_RUN,
    )
    def models(context: AssetExecutionContext, installation: Installation, asked: RunParameters) -> Iterator[MaterializeResult]:
        wanted = {key.to_user_string() for key in context.selected_asset_keys}

        def work(ente: str) -> Mapping[str, Metadata]:
            given = inputs_of(context, installation, ente, asked)
            # Another run of the ente would replace files while this one reads them.
            with installation.register.lock(ente):
                results = installation.calculator.run_inputs(given, wanted)
            if len(wanted) == len(mine):
                Gate(installation.store, ente).saw(layer, given.seen, given.decisions_seen, given.folder)
            dates = {
                "reference_date": given.parameters.reference_date.isoformat(),
                "observed_at": given.parameters.observed_at.isoformat(),
            }
            return {
                name: {
                    **({} if done.rows is None else {"dagster/row_count": done.rows}),
                    "seconds": round(done.seconds, 4),
                    **dates,
                }
                for name, done in results.items()
            }

        yield from each_ente(context, installation, asked, f"models_{layer}", work)

    return models


MODEL_ASSETS = [build_layer(layer) for layer in MODEL_LAYERS]
