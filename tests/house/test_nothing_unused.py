"""Every macro, rule table, template and translated text is used by somebody."""

from __future__ import annotations

import re

from babel.messages.pofile import read_po

from pcc_pipeline.calculator import load_models
from pcc_pipeline.rules import RULE_TABLES
from tests.house.code import PRODUCT, ROOT, everything, sql_files


def test_every_macro_is_used() -> None:
    text = everything() + "\n".join(model.sql for model in load_models().values())  # as they are run
    macros = [
        name
        for file in sql_files()
        if file.parent.name == "macros"
        for name in re.findall(r"create (?:or replace )?macro (\w+)", file.read_text(encoding="utf-8"), re.IGNORECASE)
    ]
    unused = [name for name in macros if len(re.findall(rf"\b{name}\b", text)) < 2]
    assert macros
    assert not unused


def test_every_rule_table_is_used_and_described() -> None:
    text = everything()
    files = {path.stem for path in (ROOT / "pcc_pipeline/rules/data").glob("*.csv")}
    assert files == set(RULE_TABLES)
    unused = [name for name in files if f"rule_{name}" not in text and text.count(f'"{name}"') < 2]
    assert not unused


def test_every_template_is_used() -> None:
    text = everything()
    templates = [file for package in PRODUCT for suffix in ("html", "j2") for file in (ROOT / package).rglob(f"*.{suffix}")]
    unused = [
        file.name
        for file in templates
        if "vendor" not in file.parts and f'"{file.name}"' not in text and file.name.removesuffix(".html.j2") not in text
    ]
    assert templates
    assert not unused


def test_every_translated_text_is_said_somewhere() -> None:
    """A text stands in a template or in code as it is, or in the rule tables that pages show."""
    said = everything() + "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "pcc_pipeline/rules/data").glob("*.csv"))
    plain = re.sub(r"\s+", " ", re.sub(r"\"\s*\n\s*\"", "", said))
    with (ROOT / "portal/locale/en.po").open("rb") as file:
        texts = [message.id for message in read_po(file) if message.id]
    unused = [text for text in texts if isinstance(text, str) and re.sub(r"\s+", " ", text) not in plain]
    assert texts
    assert not unused
