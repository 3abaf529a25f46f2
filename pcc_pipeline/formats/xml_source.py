"""What readers of XML messages and flows ask of a file: whether it is XML, its elements' texts.

How a file is opened is told in `xml_open`, how it is parsed in `xml_parse`; what the elements mean is told by the
modules that call (`opi`, `sdi_messages`, `pcc.answer`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from pcc_pipeline.formats.cells import bare
from pcc_pipeline.formats.xml_open import RefusedFile, looks_plain, looks_wrapped, opened
from pcc_pipeline.formats.xml_parse import DOCTYPE, elements, line_of, local

_HEAD = 512


def looks_xml(path: Path) -> bool:
    """Whether a file opens as XML does, plain, signed or in base64 (decided by its first bytes alone)."""
    with path.open("rb") as stream:
        start = stream.read(_HEAD)
    return looks_plain(start) or looks_wrapped(start)


def said(element: etree._Element | None) -> str | None:
    """An element's text without blanks around it and characters without width; None where it is absent or empty."""
    if element is None or element.text is None:
        return None
    return bare(element.text).strip() or None


def child(element: etree._Element | None, *names: str) -> etree._Element | None:
    """The first child of one of these local names."""
    if element is None:
        return None
    return next((inner for inner in element if local(inner) in names), None)


def text(element: etree._Element | None, *path: str) -> str | None:
    """The trimmed text at a path of local names below an element; `a|b` means either name."""
    for names in path:
        element = child(element, *names.split("|"))
    return said(element)


def below(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Every element of that local name below an element, in order."""
    return (inner for inner in element.iter("{*}" + name) if inner is not element)


__all__ = [
    "DOCTYPE",
    "RefusedFile",
    "below",
    "child",
    "elements",
    "line_of",
    "local",
    "looks_xml",
    "opened",
    "said",
    "text",
]
