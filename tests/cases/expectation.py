"""What is right for a case: read from its `expected.toml`, or from the words of an `expected.md`.

`expected.toml` (the project's own cases):

    right = ["0.00"]                 # right stock, any of these
    anomalies = ["CS_CODE 100.00"]   # must be there, with the amount where one is given
    absent = ["WRONG_BENEFICIARY"]   # must not be there
    only = true                      # no other code than those of `anomalies`
    operations = ["CP 1000.00 55"]   # must be there: action or state, amount, text that the row has
    no_operations = ["CS", "002"]    # must not be there; ["*"] means none at all
    question = true                  # at least one question is open

An `expected.md` has lines `- Right stock:`, `- Anomalies:`, `- Operations:` in words; only what they say without doubt is
tested: amounts of the right stock, codes named, "none", "no CODE", "never/no Modello 002", "no CS", "none before".
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from pcc_pipeline.rules import anomaly_codes

REFERENCE_DATE, OBSERVED_AT = date(2025, 12, 31), date(2026, 1, 20)


@dataclass(frozen=True)
class Expectation:
    """The right answers of one case. Amounts are euro; empty lists demand nothing."""

    reference_date: date = REFERENCE_DATE
    observed_at: date = OBSERVED_AT
    right: tuple[Decimal, ...] = ()
    #: A misplaced file may also be refused: then its part of the right stock is not asked.
    or_refused: bool = False
    anomalies: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    only: bool = False
    operations: tuple[str, ...] = ()
    no_operations: tuple[str, ...] = ()
    question: bool = False
    notes: tuple[str, ...] = field(default=())


def expectation(folder: Path) -> Expectation | None:
    """What a case's folder says is right; None where it says nothing that can be tested."""
    if (folder / "expected.toml").exists():
        return _from_toml(folder / "expected.toml")
    if (folder / "expected.md").exists():
        return _from_words((folder / "expected.md").read_text(encoding="utf-8"))
    return None


def _from_toml(path: Path) -> Expectation:
    said = tomllib.loads(path.read_text(encoding="utf-8"))
    lists = {name: tuple(said.get(name, ())) for name in ("anomalies", "absent", "operations", "no_operations")}
    return Expectation(
        reference_date=said.get("reference_date", REFERENCE_DATE),
        observed_at=said.get("observed_at", OBSERVED_AT),
        right=tuple(Decimal(text) for text in said.get("right", ())),
        only=said.get("only", False),
        question=said.get("question", False),
        **lists,
    )


def _line(text: str, name: str) -> str:
    found = re.search(rf"^- {name}:(.*)$", text, re.MULTILINE)
    return found.group(1).strip() if found else ""


def _from_words(text: str) -> Expectation:
    right, anomalies, operations = (_line(text, name) for name in ("Right stock", "Anomalies", "Operations"))
    amounts = _right_amounts(right)
    # Words that the catalogue has a code of its own for since they were written.
    if "two ERP rows are equal" in anomalies:
        anomalies = anomalies.replace("AMBIGUOUS_MATCH", "DUPLICATE_IN_ERP")
    wanted, absent = [], []
    for code in anomaly_codes():
        for found in re.finditer(rf"(no |or )?\b{code}\b(?: (-?\d+\.\d\d))?( or [A-Z_]+)?", anomalies):
            if found.group(1) == "no " or re.search(rf"not {code}", anomalies):
                absent.append(code)
            elif not (found.group(1) or found.group(3) or "or a proposal" in anomalies):
                wanted.append(f"{code} {found.group(2)}" if found.group(2) else code)
    none = anomalies.startswith("none")
    # What a person accepts at once a rule may settle at once: asked and untouched, or paired, are both right.
    settled = "after a person accepts" in right
    refused = []
    if operations.startswith("none") and not settled:
        refused.append("*")
    refused += [word for word, said in (("CS", "no CS"), ("002", "Modello 002")) if said in operations]
    return Expectation(
        right=amounts,
        or_refused="refused" in right,
        anomalies=tuple(wanted),
        absent=tuple(absent),
        only=none,
        operations=tuple(_operation_words(operations)),
        no_operations=tuple(refused),
        question=not settled and bool(re.search(r"(?<!or )(?<!or a )(?:question|asked|proposal)", anomalies)),
    )


def _right_amounts(words: str) -> tuple[Decimal, ...]:
    """The first amount, and one after "or"; what follows "open", "never" or stands in brackets is no right stock."""
    plain = re.split(r"never|open|\(", words)[0]
    return tuple(Decimal(text) for text in re.findall(r"-?\d+\.\d\d", plain))


def _operation_words(words: str) -> list[str]:
    """Operations named without doubt: `CP 400.00 order 15`, `NLdaLIQ 110.00`, `RF`."""
    if words.startswith("none") or " or " in words:
        return []
    found = []
    for action, amount, order in re.findall(
        r"\b(CP|CS|RF|NOLIQ|NLdaLIQ|NLdaSOSP|LIQdaSOSP|LIQ)\b(?: (\d+\.\d\d))?(?: order (\w+))?", words
    ):
        if not re.search(rf"no {action}\b", words):
            found.append(" ".join(part for part in (action, amount, order) if part))
    return found
