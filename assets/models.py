"""The SQL models as assets, built by a factory: one asset a model, one step a layer.

What depends on what, and which column comes from which, is read from the SQL (`pcc_pipeline.calculator`).
"""

from collections.abc import Iterator, Mapping, Sequence

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
from assets.steps import Metadata, described, each_batch, table_freshness
from pcc_pipeline.calculator import Model, ModelResult, load_models, model_order
from pcc_pipeline.calculator.models import model_lineages
from pcc_pipeline.runs.figures import stock_by_view
from pcc_pipeline.runs.inputs import Inputs
from pcc_pipeline.runs.together import batches, calculate, layers_read
from pcc_pipeline.store import Store
from pcc_pipeline.tables.describe import MODEL_LAYERS

#: The asset whose amounts are told beside it.
STOCK = "stock"


def layer_of(name: str) -> str:
    """The layer whose step makes a model: that of its folder."""
    return load_models()[name].layer


def column_lineage(model: Model) -> TableColumnLineage:
    """Which column of which asset each column is made from."""
    deps = {}
    for column, origins in model_lineages()[model.name].items():
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
        freshness_policy=table_freshness(),
    )


def _told(store: Store, given: Inputs, results: Mapping[str, ModelResult] | Exception) -> dict[str, Metadata] | Exception:
    """What Dagster is told of an ente's models; of the stock also the amounts, so that its page plots them."""
    if isinstance(results, Exception):
        return results
    dates = {
        "reference_date": given.parameters.reference_date.isoformat(),
        "observed_at": given.parameters.observed_at.isoformat(),
    }
    told: dict[str, Metadata] = {
        name: {
            **({} if done.rows is None else {"dagster/row_count": done.rows}),
            "seconds": round(done.seconds, 4),
            **dates,
        }
        for name, done in results.items()
    }
    if STOCK in told:
        amounts = {f"stock {view} [EUR]": float(amount) for view, amount in stock_by_view(store, given.ente).items()}
        told[STOCK] = {**amounts, **told[STOCK]}
    return told


def build_layer(layer: str) -> AssetsDefinition:
    """The assets of one layer's models; a step works out many small enti at once (`runs.together`)."""
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

        def work(batch: Sequence[Inputs]) -> dict[str, Mapping[str, Metadata] | Exception]:
            found = calculate(installation, layer, batch, wanted, whole=len(wanted) == len(mine))
            return {given.ente: _told(installation.store, given, found[given.ente]) for given in batch}

        yield from each_batch(
            context,
            installation,
            asked,
            f"models_{layer}",
            take=lambda ente: inputs_of(context, installation, ente, asked),
            together=lambda given: batches(installation, layers_read(layer), given),
            work=work,
        )

    return models


MODEL_ASSETS = [build_layer(layer) for layer in MODEL_LAYERS]
