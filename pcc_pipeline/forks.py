"""What a process has and its forks have not: connections, databases in memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Hashable
from typing import TypeVar

T = TypeVar("T")


class OfProcess(dict[Hashable, T]):
    """What this process keeps by key, under a lock of its own (`guard`). A fork begins with nothing; it does not close what its
    parent had either, since what that would wait for is not there."""

    def __init__(self) -> None:
        super().__init__()
        self.guard = threading.Lock()
        self._parents: list[T] = []
        os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self.guard = threading.Lock()
        self._parents.extend(self.values())
        self.clear()
