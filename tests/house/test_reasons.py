"""What who delivered a file reads of it is Italian: reasons of refusals and notes, wherever a reader or the arrival makes them.

Every text of those two rooms is looked at, not only what stands in a call: a reason may be put together far from where
it is given. Left out is what no client reads, by what it is: documentation, SQL, logs, errors of the program and its operators.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.house.code import Module, modules

ROOMS = ("pcc_pipeline/formats/", "pcc_pipeline/arrival/")
#: What `pcc layout` reads and tells: operators write layouts. No refusal of a row or file is made here.
OF_OPERATORS = tuple(f"pcc_pipeline/formats/tabular/{name}.py" for name in ("layouts/model", "layouts/load", "guess", "report"))
#: What a refusal or a note is made with: a module that uses none of these, nor is used for them, makes none.
MAKERS = frozenset({"Flaw", "defect", "RefusedFile", "Note", "Refusal", "Fault"})
#: Errors of the program, or of who typed a command: no delivery bears them.
ERRORS = frozenset({"ValueError", "KeyError", "TypeError", "LayoutError", "RuntimeError", "AssertionError"})

ENGLISH = re.compile(
    r"\b(the|is|are|was|were|of|not|none|nor|and|with|without|more|less|than|holds?|missing|cannot|can|deliver|ask|to|it|its|"
    r"has|have|been|be|this|that|which|from|for|an|at|by|on|as|read|row|rows|column|columns|value|values|empty|unknown|name|"
    r"required|one|two|too|large|bytes|sheet|save|written|damaged|broken|cut|short|again|whole|refused|skipped)\b",
    re.I,
)
ITALIAN = re.compile(r"\b(il|lo|la|i|gli|le|l'|un|una|di|del|della|che|non|è|né|con|in|per|tra|più|manca|mancano)\b", re.I)
SQL = re.compile(r"\b(select|describe|create view|copy|cast)\b|\w = '", re.I)


def _let_be(module: Module) -> set[int]:
    """The nodes of texts that no client reads."""
    left: set[int] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr):
                left.add(id(first.value))
        inside: ast.AST | None = None
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func) in ERRORS:
            inside = node.exc
        elif isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("log.", "re.compile", "logging.")):
            inside = node
        if inside is not None:
            left |= {id(part) for part in ast.walk(inside)}
    return left


def _texts(module: Module) -> Iterator[tuple[int, str]]:
    """The module's texts of several words, each with its line; where one is put together, its parts between `…`."""
    left = _let_be(module)
    joined = [node for node in ast.walk(module.tree) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in joined for part in node.values}
    for node in ast.walk(module.tree):
        text = ""
        if isinstance(node, ast.JoinedStr):
            text = "…".join(str(part.value) if isinstance(part, ast.Constant) else "" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            text = node.value
        if id(node) not in left and " " in text.strip() and not SQL.search(text):
            yield getattr(node, "lineno", 0), text


def _looked_at() -> Iterator[Module]:
    for module in modules():
        if module.path.startswith(ROOMS) and module.path not in OF_OPERATORS:
            yield module


def test_reasons_are_italian() -> None:
    found = [(f"{module.path}:{line}", text) for module in _looked_at() for line, text in _texts(module)]
    assert sum(bool(ITALIAN.search(text)) for _, text in found) >= 150
    assert {place: text for place, text in found if ENGLISH.search(text)} == {}


def test_what_is_left_out_makes_no_reason() -> None:
    found = [module for module in modules() if module.path in OF_OPERATORS]
    assert len(found) == len(OF_OPERATORS)
    for module in found:
        used = {node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name)}
        assert not used & MAKERS, module.path
