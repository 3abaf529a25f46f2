"""The anomaly catalogue holds together: codes, what each asks for, its words, and the texts of the questions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import sqlglot
from babel.messages.pofile import read_po
from jinja2 import Environment, FileSystemLoader
from sqlglot import exp

import portal
from pcc_pipeline.calculator import prepared
from pcc_pipeline.calculator.models import SQL_ROOT, load_models, macros
from pcc_pipeline.calculator.parsing import relations_read
from pcc_pipeline.calculator.relations import SESSION_MACROS
from pcc_pipeline.rules import ANOMALY_OPERATIONS, anomaly_codes, anomaly_titles, codes_that, rule_rows
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

CATALOGUE = rule_rows("anomalies")


def _branches(model: str, column: str) -> set[str]:
    """The values of a catalogue's column that a model's SQL asks for, in a CASE of it or by comparison."""
    sql = (SQL_ROOT / "models" / model).read_text(encoding="utf-8")
    (of_case,) = re.findall(rf"case (?:coalesce\(spoken\.\w+, )?catalogue\.{column}\)?\s(.*?)\bend\b", sql, re.DOTALL) or ("",)
    return set(re.findall(r"when '(\w+)'", of_case)) | set(re.findall(rf"catalogue\.{column} (?:=|<>) '(\w+)'", sql))


def test_the_codes_of_the_catalogue_are_those_that_the_models_can_emit() -> None:
    tree = sqlglot.parse_one(load_models()["differences"].sql, dialect="duckdb")
    (conditions,) = [cte for cte in tree.find_all(exp.CTE) if cte.alias == "conditions"]
    emitted = [name for name in conditions.this.named_selects if name.isupper()]
    assert sorted(emitted) == sorted(anomaly_codes())


def test_each_code_has_words_in_italian_and_in_english() -> None:
    with (Path(portal.__file__).parent / "locale" / "en.po").open("rb") as file:
        english = {message.id: message.string for message in read_po(file, locale="en")}
    assert set(anomaly_titles()) == set(anomaly_codes())
    assert [title for title in anomaly_titles().values() if not title or not english.get(title)] == []


def test_what_a_code_asks_for_is_known_to_the_models() -> None:
    assert {row["asks"] for row in CATALOGUE} <= _branches("reconciliation/anomalies.sql", "asks") | {"never"}
    assert {row["shows"] for row in CATALOGUE} == _branches("reconciliation/anomalies.sql", "shows") | {"amounts"}
    used = set(
        re.findall(r'codes_that\("corrects", "(\w+)"\)', (SQL_ROOT / "models/operations/remedy_targets.sql").read_text())
    )
    assert {row["corrects"] for row in CATALOGUE} - {""} == used


@pytest.mark.parametrize("operation", ANOMALY_OPERATIONS)
def test_codes_of_an_operation_have_an_order(operation: str) -> None:
    places = sorted(int(row[operation]) for row in CATALOGUE if row[operation])
    assert places == list(range(1, len(places) + 1))
    assert [row[operation] for code in codes_that(operation) for row in CATALOGUE if row["code"] == code] == [
        str(n) for n in places
    ]


def test_what_always_needs_a_person_proposes_nothing() -> None:
    for row in CATALOGUE:
        assert (row["asks"] == "always") == row["remedy"].startswith("manual"), row["code"]
        assert row["asks"] != "always" or not any(row[operation] for operation in ANOMALY_OPERATIONS), row["code"]


def test_each_code_that_may_need_a_person_has_one_question() -> None:
    asked = [row["code"] for row in rule_rows("questions") if row["situation"] == "manual"]
    assert sorted(asked) == sorted(row["code"] for row in CATALOGUE if row["asks"] != "never")
    assert {row["code"] for row in rule_rows("questions")} <= {*anomaly_codes(), "*"}


def test_questions_name_only_facts_that_there_are() -> None:
    known = set(re.findall(r"\(\"(\{\w+\})\",", (SQL_ROOT / "macros/question_facts.jinja").read_text(encoding="utf-8")))
    named = {fact for row in rule_rows("questions") for fact in re.findall(r"\{[^}]*\}", row["question"])}
    assert named == known


@pytest.fixture
def with_macros(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    settings = Settings.at(tmp_path)
    with prepared(settings, Store(settings.store_url)) as connection:
        yield connection


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{documento}: restano {residuo} euro.", "Fattura di {residuo}: restano 1,00 euro."),
        ("{residuo}{residuo}", "1,001,00"),
        ("{creditore}?", "non indicato?"),
        ("senza fatti\nsu due righe", "senza fatti\nsu due righe"),
        ("una { sola", "una { sola"),
    ],
)
def test_a_fact_is_never_filled_in_again(with_macros: duckdb.DuckDBPyConnection, template: str, filled: str) -> None:
    facts = [("{documento}", "'Fattura di {residuo}'"), ("{residuo}", "'1,00'"), ("{creditore}", "null")]
    templates = Environment(loader=FileSystemLoader(SQL_ROOT / "macros"))
    text = "{% from 'question_facts.jinja' import filled_in %}{{ filled_in('$1::varchar', facts) }}"
    sql = templates.from_string(text).render(facts=facts)
    assert with_macros.execute(f"select {sql}", [template]).fetchone() == (filled,)


def test_an_operation_that_no_code_asks_for_bears_none(with_macros: duckdb.DuckDBPyConnection) -> None:
    assert with_macros.execute("select first_borne(['NOT_BOOKED'], ['WRONG_OFFICE'])").fetchone() == (None,)
    operations = load_models()["operations"].table
    assert operations.column("code").required, "the check that shows it"


def test_views_read_the_session_only_by_macros_that_are_replaced() -> None:
    """A view is a query that stands alone: no variable of a session is there when it is read."""
    bodies = dict(re.findall(r"create or replace macro (\w+)\([^)]*\) as\s+(.*?);", macros(), re.DOTALL))
    # What is the same in every session is set in all connections (session.prepare).
    reading = {name for name, body in bodies.items() if re.search(r"getvariable\('(?!number_prefix_pattern)", body)}
    while more := {n for n, body in bodies.items() if any(re.search(rf"\b{r}\(", body) for r in reading)} - reading:
        reading |= more
    assert {"threshold", "duty_from", "document_origin", "payment_term"} <= reading
    replaced = {name.removesuffix("()") for name in SESSION_MACROS}
    for model in load_models().values():
        if model.is_view:
            used = {name for name in reading if re.search(rf"\b{name}\(", model.sql)}
            assert used <= replaced, f"{model.name} reads {used - replaced}"
            assert "getvariable" not in model.sql


def test_what_a_query_reads_is_told_of_its_own_text_alone() -> None:
    sql = load_models()["stock"].sql
    assert relations_read(sql) == {"debt_positions"}
    assert relations_read(sql.replace("debt_positions", "matches")) == {"matches"}
    assert relations_read("with a as (select * from feed_x) select * from a, rule_y") == {"feed_x", "rule_y"}
