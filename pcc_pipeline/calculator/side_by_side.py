"""Work that depends on other work, as much of it at once as there are hands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import TypeVar

T = TypeVar("T")


def side_by_side(needs: Mapping[str, Collection[str]], make: Callable[[str], T], at_once: int) -> Iterator[tuple[str, T]]:
    """Makes each name after those it needs; yields the names with what was made of them, as they end.

    What raises ends the rest: nothing more is begun.
    """
    left = TopologicalSorter(needs)
    left.prepare()
    with ThreadPoolExecutor(at_once) as pool:
        under_way: dict[Future[T], str] = {}
        try:
            while left.is_active():
                under_way |= {pool.submit(make, name): name for name in left.get_ready()}
                for ended in wait(under_way, return_when=FIRST_COMPLETED).done:
                    name = under_way.pop(ended)
                    left.done(name)
                    yield name, ended.result()
        finally:
            pool.shutdown(cancel_futures=True)
