"""Runs the SQL models of `dbt_like_sql` over Parquet with DuckDB, one ente at a time.

`models` reads the SQL files and what they depend on; `inputs` is what a calculation is over; `session` runs them.
No rule is written here: the rules are SQL, their parameters data (`pcc_pipeline.rules`).
"""

from pcc_pipeline.calculator.inputs import Calculation, Parameters
from pcc_pipeline.calculator.models import Model, load_models, model_order
from pcc_pipeline.calculator.relations import source
from pcc_pipeline.calculator.session import (
    Calculator,
    ModelResult,
    beside,
    prepare,
    prepared,
)

__all__ = [
    "Calculation",
    "Calculator",
    "Model",
    "ModelResult",
    "Parameters",
    "beside",
    "load_models",
    "model_order",
    "prepare",
    "prepared",
    "source",
]
