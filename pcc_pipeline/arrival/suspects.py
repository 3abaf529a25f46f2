"""What an ente's run is reading, noted in the store beside its rows: a run that dies leaves the note behind.

By it the next run knows over which deliveries its predecessors died: it reads those apart, and sets one aside over which
they died `READING.deaths` times. Once alone says nothing: it may have been a power cut, or an operator.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import isqrt

from pcc_pipeline.database.register import Delivery
from pcc_pipeline.store import Store


class Suspects:
    """The note of an ente. The caller holds the ente's lock."""

    def __init__(self, store: Store, ente: str) -> None:
        self._store, self._name = store, f"staging/{ente}/reading.json"
        self._died: dict[str, int] = {}
        if store.exists(self._name):
            with store.open(self._name) as file:
                left = json.load(file)
            self._died = {name: left["died"].get(name, 0) for name in [*left["died"], *left["reading"]]}
            for name in left["reading"]:
                self._died[name] += 1

    def keep(self, deliveries: Sequence[Delivery]) -> None:
        """Forgets all but these: of others a run died after it had said what became of them."""
        known = {delivery.delivery for delivery in deliveries}
        if not self._died.keys() <= known:
            self._died = {name: times for name, times in self._died.items() if name in known}
            self._write([])

    def deaths(self, delivery: str) -> int:
        """How many runs died while they read it, alone or with others."""
        return self._died.get(delivery, 0)

    def pieces(self, deliveries: Sequence[Delivery], size: int) -> Iterator[list[Delivery]]:
        """The deliveries in groups of at most `size` to be read together; suspects in small ones, of themselves."""
        suspects = [d for d in deliveries if self.deaths(d.delivery)]
        others = [d for d in deliveries if not self.deaths(d.delivery)]
        yield from in_pieces(others, size)
        if suspects:
            yield from in_pieces(suspects, min(size, isqrt(len(suspects))))

    @contextmanager
    def reading(self, deliveries: Sequence[Delivery]) -> Iterator[None]:
        """Notes that these are being read. They are no suspects any more once that ended, whatever came of it."""
        names = [delivery.delivery for delivery in deliveries]
        self._write(names)
        try:
            yield
        finally:
            for name in names:
                self._died.pop(name, None)
            self._write([])

    def _write(self, reading: Sequence[str]) -> None:
        if reading or self._died:
            self._store.write_bytes(self._name, json.dumps({"reading": reading, "died": self._died}).encode())
        else:
            self._store.delete(self._name)


def in_pieces(deliveries: Sequence[Delivery], size: int) -> Iterator[list[Delivery]]:
    """The deliveries in lists of at most `size`."""
    for start in range(0, len(deliveries), size):
        yield list(deliveries[start : start + size])
