"""What lets one SQL be run for many enti at once (calculator/batch.py): every relation is the ente's own or the same for all."""

from __future__ import annotations

import re

import pytest

from pcc_pipeline.calculator.models import Model, load_models, macros
from pcc_pipeline.calculator.relations import CLOSED
from pcc_pipeline.calculator.session import FACTS
from pcc_pipeline.rules import RULE_TABLES
from pcc_pipeline.tables import DECIDED, FEEDS, MODELS
from pcc_pipeline.tables.service import CLOSING

#: Narrowed to the ente, whoever asks for them.
OWN = {*MODELS, *DECIDED, "deliveries", *(f"feed_{kind}" for kind in FEEDS), *(CLOSED + name for name in CLOSING)}
#: The rule book and the calendar.
COMMON = {"public_holidays", *(f"rule_{name}" for name in RULE_TABLES)}
#: Of a whole batch: its dates, and what is the same in every session.
COMMON_VARIABLES = {"reference_date", "observed_at", "observation_moment", "number_prefix_pattern"}

MACROS = dict(re.findall(r"create or replace macro (\w+)\([^)]*\) as\s+(.*?);", macros(), re.DOTALL))


@pytest.mark.parametrize("model", load_models().values(), ids=lambda model: model.name)
def test_a_model_reads_what_is_the_entes_own_or_common_to_all(model: Model) -> None:
    assert model.reads <= OWN | COMMON
    assert "getvariable" not in model.sql, "a fact of the ente is a macro of 01_parameters.sql, which a batch replaces"
    assert not re.search(r"\b(here|this_ente|of_ente|batch_\w+)\b", re.sub(r"--.*", "", model.sql)), "names of batches"


def test_macros_read_the_rule_book_alone_and_one_macro_a_fact() -> None:
    for name, body in MACROS.items():
        relations = set(re.findall(r"\b(?:from|join)\s+(\w+)", body))
        assert relations <= COMMON, f"{name} reads {relations - COMMON}"
        variables = set(re.findall(r"getvariable\('(\w+)'\)", body)) - COMMON_VARIABLES
        assert variables <= {"ente" if name == "ente_code" else name}, f"{name} reads {variables}"
    assert {"ente_code", *FACTS} <= set(MACROS)


def test_macros_ask_for_a_fact_in_a_subquery() -> None:
    """In a batch a fact is a query of its own within a macro, which DuckDB takes in a subquery; else it is an argument."""
    for name, body in MACROS.items():
        asked = {fact for fact in FACTS if re.search(rf"\b{fact}\(\)", body)}
        assert not asked or body.lstrip().startswith("(") or name == "pcc_models", (
            f"{name} asks for {asked}: take them as arguments"
        )
