"""The oracle's matching: section 6 of the rules in slow, plain Python, beside tests/oracle.py. Never from the SQL models.

Readings: an ERP document is ambiguous if, at the end, it and a candidate that some tier found but could not take are both
unmatched; so are these candidates. Of two dead documents nothing is asked. A self-invoice's document is one that names just
one other. Within a tier the living pair first, then the dead among themselves, then a living one with a dead one where the
other side has no living one of that key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oracle_documents import Document

Keys = Callable[["Document"], Iterable[Hashable]]
STANDS_FOR_FOREIGN = {"TD10", "TD11", "TD17", "TD18", "TD19", "TD28"}
NO_DEBT = {"TD16", "TD21", "TD22", "TD23", "TD27", "TD29"}
FAR = 92


def _kind(d: Document) -> Hashable:
    return d.sign, d.type in NO_DEBT


def _own(d: Document) -> Iterable[Hashable]:
    return [(token, d.number, d.issued, _kind(d)) for token in d.parties] if d.number else []


def _named(d: Document) -> Iterable[Hashable]:
    return [(token, *d.reference, _kind(d)) for token in d.parties] if d.reference else []


def _by_number(d: Document) -> Iterable[Hashable]:
    return [(token, d.number, d.total, _kind(d)) for token in d.parties] if d.number else []


def _by_date(d: Document) -> Iterable[Hashable]:
    return [(token, d.issued, d.total, _kind(d)) for token in d.parties]


def _lot(d: Document) -> str:
    return str(d.row.get("lotto_sdi") or "").strip()


def exact_key(d: Document) -> list[Hashable]:
    """The keys of tier exact, of the document itself and of the one that a self-invoice stands for."""
    return [*_own(d), *_named(d)]


@dataclass
class Pairing:
    """Outcome of matching: ERP key -> (PCC key, tier), and what the others are."""

    pairs: dict[str, tuple[str, str]] = field(default_factory=dict)
    ambiguous_erp: set[str] = field(default_factory=set)
    ambiguous_pcc: set[str] = field(default_factory=set)
    duplicates: set[str] = field(default_factory=set)
    copies: dict[str, str] = field(default_factory=dict)
    probable_erp: set[str] = field(default_factory=set)
    probable_pcc: set[str] = field(default_factory=set)


Docs = Mapping[str, "Document"]


def copies(erp: Docs) -> dict[str, str]:
    """Living ERP documents that stand there twice -> the one that counts: with PCC's number, with a lot, the first."""
    groups: list[list[str]] = []
    by_key: dict[Hashable, list[str]] = {}
    for key, d in erp.items():
        if d.dead or not d.number or d.type in NO_DEBT:
            continue
        marks: list[Hashable] = [(token, d.number, d.issued, d.sign, d.total) for token in d.tokens]
        marks += [(_lot(d), d.number, d.sign)] if _lot(d) else []
        found = {id(by_key[mark]): by_key[mark] for mark in marks if mark in by_key}
        group = [key]
        for other in found.values():
            group += other
            groups.remove(other)
        groups.append(group)
        for mark in (mark for mark, members in by_key.items() if any(members is other for other in found.values())):
            by_key[mark] = group
        by_key |= dict.fromkeys(marks, group)
    order = list(erp)
    result = {}
    for group in groups:
        ranked = sorted(group, key=lambda k: (not erp[k].row.get("id_pcc"), not _lot(erp[k]), order.index(k)))
        first = erp[ranked[0]].row.get("id_pcc")
        result |= {k: ranked[0] for k in ranked[1:] if erp[k].row.get("id_pcc") in (None, "", first)}
    return result


def match(erp: Docs, pcc: Docs, related: Callable[[Document, Document], bool]) -> Pairing:
    """docs/rules.md#rule-6: best tier first, one to one, only pairs unique on both sides; `related`: the creditor written otherwise."""
    result = Pairing(copies=copies(erp))
    rest = _Rest(erp, pcc, set(erp) - set(result.copies), set(pcc), result.pairs)
    together, alive = (lambda d: True), (lambda d: not d.dead)
    rest.tier("pcc_id", lambda d: [d.row["id_pcc"].strip()] if d.row.get("id_pcc") else [], lambda d: [d.key], together)
    rest.tier("sdi_lot", *[lambda d: [(_lot(d), d.number)] if _lot(d) and d.number else []] * 2, together)
    held: dict[str, int] = defaultdict(int)
    for d in pcc.values():
        held[_lot(d)] += 1
    rest.tier("sdi_lot", *[lambda d: [(_lot(d), d.total, _kind(d))] if _lot(d) and held[_lot(d)] == 1 else []] * 2, together)
    rest.references(STANDS_FOR_FOREIGN)
    for name, keys in (("exact", _own), ("number_amount", _by_number), ("date_amount", _by_date)):
        if name == "number_amount":
            rest.references({"TD20"})
        far = FAR if name == "number_amount" else None
        rest.tier(name, keys, keys, alive, far)
        rest.tier(name, keys, keys, lambda d: d.dead, far)
        rest.mixed(name, keys, far)
    unsettled = [(e, p) for e, p in rest.contested if e in rest.erp_left and p in rest.pcc_left]
    result.ambiguous_erp, result.ambiguous_pcc = {e for e, _ in unsettled}, {p for _, p in unsettled}
    left = [
        [k for k in keys if not docs[k].dead and docs[k].type not in NO_DEBT]
        for docs, keys in ((erp, rest.erp_left - result.ambiguous_erp), (pcc, rest.pcc_left - result.ambiguous_pcc))
    ]
    _probable(erp, pcc, left, related, result)
    taken = {(mark, _debt(pcc[p])) for p, _ in result.pairs.values() if not pcc[p].dead for mark in exact_key(pcc[p])}
    spare = rest.pcc_left - result.ambiguous_pcc - result.probable_pcc
    alike = {p for p in spare if any((mark, _debt(pcc[p])) in taken for mark in exact_key(pcc[p]))}
    result.duplicates = {p for p in spare if not pcc[p].dead and (p in alike or pcc[p].type in NO_DEBT)}
    return result


def _debt(d: Document) -> Any:
    """What the document asks for: a foreign supplier's without the ente's VAT."""
    return d.taxable if d.type in STANDS_FOR_FOREIGN else d.total


def _probable(erp: Docs, pcc: Docs, left: Sequence[Sequence[str]], related: Callable[..., bool], result: Pairing) -> None:
    found = [
        (e, p)
        for e in left[0]
        for p in left[1]
        if erp[e].total == pcc[p].total
        and erp[e].sign == pcc[p].sign
        and (
            ((erp[e].number, erp[e].issued) == (pcc[p].number, pcc[p].issued) and erp[e].number and related(erp[e], pcc[p]))
            or (_lot(erp[e]) and _lot(erp[e]) == _lot(pcc[p]))
        )
    ]
    for e, p in found:
        if [x for x, _ in found].count(e) == 1 and [y for _, y in found].count(p) == 1:
            result.probable_erp.add(e)
            result.probable_pcc.add(p)


class _Rest:
    """What no tier took yet, and what the tiers do with it."""

    def __init__(self, erp: Docs, pcc: Docs, erp_left: set[str], pcc_left: set[str], pairs: dict[str, tuple[str, str]]) -> None:
        self.erp, self.pcc, self.erp_left, self.pcc_left, self.pairs = erp, pcc, erp_left, pcc_left, pairs
        self.contested: set[tuple[str, str]] = set()

    def tier(self, name: str, erp_keys: Keys, pcc_keys: Keys, who: Callable[[Document], bool], far: int | None = None) -> None:
        """Pairs documents of equal keys, of those that `who` takes."""
        index: dict[Hashable, set[str]] = defaultdict(set)
        for p in self.pcc_left:
            for mark in pcc_keys(self.pcc[p]) if who(self.pcc[p]) else ():
                index[mark].add(p)
        self.take(
            name, {(e, p) for e in self.erp_left if who(self.erp[e]) for m in erp_keys(self.erp[e]) for p in index[m]}, far
        )

    def mixed(self, name: str, keys: Keys, far: int | None) -> None:
        """A dead document with a living one, where no living one of the key is free on the dead one's side."""
        sides: list[dict[Hashable, set[str]]] = [defaultdict(set), defaultdict(set)]
        for side, docs, left in ((sides[0], self.erp, self.erp_left), (sides[1], self.pcc, self.pcc_left)):
            for k in left:
                for mark in keys(docs[k]):
                    side[mark].add(k)
        found = set()
        for mark in set(sides[0]) & set(sides[1]):
            living = [
                {k for k in side[mark] if not docs[k].dead} for side, docs in zip(sides, (self.erp, self.pcc), strict=True)
            ]
            if bool(living[0]) != bool(living[1]):
                found |= {(e, p) for e in living[0] or sides[0][mark] for p in living[1] or sides[1][mark]}
        self.take(name, found, far)

    def references(self, types: set[str]) -> None:
        """Self-invoices with the documents that they name; one that the other side has too is left to tier exact."""
        if not any(d.referring in types for d in (*self.erp.values(), *self.pcc.values())):
            return
        own_erp = {mark for e in self.erp_left for mark in _own(self.erp[e])}
        own_pcc = {mark for p in self.pcc_left for mark in _own(self.pcc[p])}

        def names(d: Document, others: set[Hashable]) -> list[Hashable]:
            free = d.referring in types and not any(mark in others for mark in _own(d))
            return list(_named(d)) if free else []

        found = set()
        for e in (e for e in self.erp_left if not self.erp[e].dead):
            for p in (p for p in self.pcc_left if not self.pcc[p].dead):
                ours, theirs = set(names(self.erp[e], own_pcc)), set(names(self.pcc[p], own_erp))
                if (ours and ours & {*_own(self.pcc[p]), *theirs}) or (theirs and theirs & set(_own(self.erp[e]))):
                    found.add((e, p))
        self.take("reference", found, None)

    def take(self, name: str, found: set[tuple[str, str]], far: int | None) -> None:
        """Takes the pairs that are unique on both sides; the others are contested."""
        if far is not None:
            found = {(e, p) for e, p in found if abs((self.erp[e].issued - self.pcc[p].issued).days) <= far}
        ours, theirs = [e for e, _ in found], [p for _, p in found]
        for e, p in found:
            if ours.count(e) == 1 and theirs.count(p) == 1:
                self.pairs[e] = (p, name)
            elif not (self.erp[e].dead and self.pcc[p].dead):
                self.contested.add((e, p))
        self.erp_left -= set(self.pairs)
        self.pcc_left -= {p for p, _ in self.pairs.values()}
