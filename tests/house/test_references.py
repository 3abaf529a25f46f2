"""Every reference from code, SQL, rule tables and checks into the documentation leads to a page and anchor that exist."""

from __future__ import annotations

import re
import subprocess

from tests.house.code import ROOT

_LINK = re.compile(r"\b(docs/[\w/-]+\.md)(?:#([\w-]+))?")
#: Words that once named a document outside the repository.
_VAGUE = re.compile(r"\brules(?:\.md)?,? sections? \d|\bregole,? sezione \d|(?<![/\w])formats\.md\b|(?<![/\w])rules\.md\b")


def _texts() -> dict[str, str]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = [
        name for name in listed.stdout.splitlines() if name.endswith((".py", ".sql", ".csv", ".html", ".j2", ".yaml", ".toml"))
    ]
    own = "tests/house/test_references.py"
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in names if (ROOT / name).is_file() and name != own}


def _anchors(page: str) -> set[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    titles = re.findall(r"^#+ (.+?)(?: \{#[\w-]+\})?$", text, re.MULTILINE)
    slugs = {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", title.lower())).strip("-") for title in titles}
    return slugs | set(re.findall(r"\{#([\w-]+)\}", text)) | set(re.findall(r'id="([\w-]+)"', text))


def test_every_reference_leads_somewhere() -> None:
    wrong, seen = [], 0
    for name, text in _texts().items():
        for page, anchor in _LINK.findall(text):
            seen += 1
            if not (ROOT / page).is_file() or (anchor and anchor not in _anchors(page)):
                wrong.append(f"{name}: {page}#{anchor}")
    assert seen > 100
    assert not wrong


def test_no_reference_leaves_the_repository() -> None:
    wrong = [f"{name}: {found.group(0)}" for name, text in _texts().items() if (found := _VAGUE.search(text))]
    assert not wrong
