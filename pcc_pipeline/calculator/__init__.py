"""Runs the SQL models of `dbt_like_sql` over Parquet with DuckDB, for one ente or for many small ones at once.

`models` reads the SQL files and what they depend on; `inputs` is what a calculation is over; `calculator` runs them for one
ente, by `session` from file to file or, a small one's, by `small` in memory; `batch` for many at once; `held` keeps what one
step made at hand for the next; `relations` tells what they read.
No rule is written here: the rules are SQL, their parameters data (`pcc_pipeline.rules`).
"""

from pcc_pipeline.calculator.batch import OWNER, run_each
from pcc_pipeline.calculator.batch import held_open as held_batch
from pcc_pipeline.calculator.calculator import Calculator
from pcc_pipeline.calculator.held import let_go
from pcc_pipeline.calculator.inputs import Calculation, Parameters
from pcc_pipeline.calculator.models import Model, load_models, model_order
from pcc_pipeline.calculator.relations import source
from pcc_pipeline.calculator.session import (
    ModelResult,
    at_hand,
    beside,
    prepare,
    prepared,
)

__all__ = [
    "OWNER",
    "Calculation",
    "Calculator",
    "Model",
    "ModelResult",
    "Parameters",
    "at_hand",
    "beside",
    "held_batch",
    "let_go",
    "load_models",
    "model_order",
    "prepare",
    "prepared",
    "run_each",
    "source",
]
