"""What stands between an ente's figures and their readers: what went wrong or is still to be done.

A small file per ente in the store (`checks/<ente>/gate.json`), so that a step run again or alone, in
whatever process, never publishes what failed. Each step owns one entry and replaces it whenever it runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pcc_pipeline.store import Store


class Gate:
    """The gate of one ente."""

    def __init__(self, store: Store, ente: str) -> None:
        self._store = store
        self._name = f"checks/{ente}/gate.json"
        self._saw = f"checks/{ente}/saw.json"

    def begin(self, steps: Iterable[str]) -> None:
        """Forgets what a former run found wrong, and marks every step as still to be done."""
        entries = self._read()
        before = {step: entries.get(step, {}).get("failed", ()) for step in steps}
        self._write({step: {**_entry(failed=failed), "due": True} for step, failed in before.items()})

    def set(self, step: str, *, error: str = "", blocking: Sequence[str] = (), failed: Sequence[str] = ()) -> None:
        """Replaces a step's entry: its error, the blocking checks that failed, all checks that failed."""
        entries = self._read()
        entry = _entry(error, blocking, failed)
        if entries.get(step) != entry:
            self._write({**entries, step: entry})

    def failed(self, step: str) -> frozenset[str]:
        """The checks of that step that failed when it last ran."""
        return frozenset(self._read().get(step, {}).get("failed", ()))

    def problems(self) -> list[str]:
        """What went wrong in this run so far, in words."""
        found = []
        for step, entry in sorted(self._read().items()):
            if entry["error"]:
                found.append(f"{step}: {entry['error']}")
            if entry["blocking"]:
                found.append(f"{step}: blocking checks failed: {', '.join(entry['blocking'])}")
        return found

    def reasons(self, step: str) -> list[str]:
        """Why `step`, the last, may not go on: problems, and what has not been done since landing."""
        entries = self._read()
        due = sorted(name for name, entry in entries.items() if entry.get("due") and name != step)
        return self.problems() + [f"not done since the last landing: {', '.join(due)}"] * bool(due)

    def saw(self, layer: str, delivery: int, decisions: Mapping[str, int], inputs: str | None = None) -> None:
        """Notes up to which delivery, and which decision by table, a layer's models saw everything, and where in the store
        the inputs lie that they were made of."""
        entry = {"delivery": delivery, "decisions": dict(decisions), "inputs": inputs}
        self._write_json(self._saw, {**self._read_json(self._saw), layer: entry})

    def seen(self, layers: Sequence[str]) -> int | None:
        """Up to which delivery all these layers saw everything; None while one has not been made."""
        found = self._read_json(self._saw)
        numbers = [found[layer]["delivery"] for layer in layers if layer in found]
        return min(numbers) if len(numbers) == len(layers) else None

    def decisions_seen(self, layers: Sequence[str]) -> dict[str, int] | None:
        """Up to which decision, by table, all these layers saw everything; None while one has not been made."""
        found = self._read_json(self._saw)
        if not all(layer in found for layer in layers):
            return None
        told = [found[layer]["decisions"] for layer in layers]
        return {name: min(each.get(name, 0) for each in told) for name in told[0]}

    def inputs(self, layers: Sequence[str]) -> list[str]:
        """Where the inputs lie of which these layers were made, in their order; those not made are left out."""
        found = self._read_json(self._saw)
        return [found[layer]["inputs"] for layer in layers if layer in found and found[layer]["inputs"]]

    def _read(self) -> dict[str, dict[str, Any]]:
        return self._read_json(self._name)

    def _write(self, entries: dict[str, dict[str, Any]]) -> None:
        self._write_json(self._name, entries)

    def _read_json(self, name: str) -> dict[str, Any]:
        try:
            with self._store.open(name) as file:
                return dict(json.load(file))
        except FileNotFoundError:
            return {}

    def _write_json(self, name: str, entries: dict[str, Any]) -> None:
        with self._store.write(name) as target, self._store.fs.open(target, "wb") as file:
            file.write(json.dumps(entries, indent=1, sort_keys=True).encode())


def _entry(error: str = "", blocking: Sequence[str] = (), failed: Sequence[str] = ()) -> dict[str, Any]:
    return {"error": error, "blocking": sorted(blocking), "failed": sorted(failed)}
