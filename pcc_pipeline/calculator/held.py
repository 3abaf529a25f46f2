"""What this process keeps at hand of a calculation from one step of a run to the next: its tables, in memory.

The key says of which inputs they are. Whoever takes something has it alone meanwhile.
"""

from __future__ import annotations

import atexit
from collections.abc import Hashable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, TypeVar

from pcc_pipeline.forks import OfProcess

T = TypeVar("T")


#: So many are kept; the oldest goes first.
KEPT = 2

_kept: OfProcess[tuple[ExitStack, Any]] = OfProcess()


@contextmanager
def held(key: Hashable | None, opening: AbstractContextManager[T]) -> Iterator[T]:
    """What was opened under this key and is kept, or else what `opening` gives now; it is kept for whoever asks next.

    After an error it is closed, and without a key.
    """
    if key is None:
        with opening as alone:
            yield alone
        return
    with _kept.guard:
        stack, value = _kept.pop(key, (ExitStack(), None))
    with stack:
        if value is None:
            value = stack.enter_context(opening)
        yield value
        stack = stack.pop_all()
    with _kept.guard:
        over = [_kept.pop(key)] if key in _kept else []
        _kept[key] = (stack, value)
        over += [_kept.pop(known) for known in [*_kept][:-KEPT]]
    for one, _ in over:
        one.close()


def let_go() -> None:
    """Closes all that is kept: the run that asked for it has ended."""
    with _kept.guard:
        over = [*_kept.values()]
        _kept.clear()
    for stack, _ in over:
        stack.close()


# In order: a database must not go before what is attached to it.
atexit.register(let_go)
