"""S3 as several machines share it: no listing is kept, and what a table's file is, is asked once in a while.

The library keeps what it listed for good, and then misses what another machine wrote or replaced. DuckDB in turn asks for
size and time of a file at each step of planning a query: one small ente's run asked 18,000 times.
"""

from __future__ import annotations

import time
from typing import Any, ClassVar

from s3fs import S3FileSystem

#: Seconds for which a table's file counts as unchanged. Another machine replaces it in a run of its own, of which an ente has
#: one at a time; were it quicker, S3 would refuse to read on, since the file's mark is another one.
FRESH = 3.0
_TABLE = ".parquet"


class SharedS3(S3FileSystem):
    """S3 for a store that others write to, too."""

    #: What is known of tables' files: one memory a process, since the library makes an instance for each thread.
    _known: ClassVar[dict[str, tuple[float, dict[str, Any]]]] = {}

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **{**named, "use_listings_cache": False})

    async def _info(
        self, path: str, bucket: str | None = None, key: str | None = None, refresh: bool = False, version_id: str | None = None
    ) -> dict[str, Any]:
        """Size, time and mark of a file, of a table's as they were some seconds ago."""
        name = self._strip_protocol(path)
        when, found = self._known.get(name, (0.0, None))
        if found is not None and not refresh and version_id is None and time.monotonic() - when < FRESH:
            return found
        asked = time.monotonic()
        about: dict[str, Any] = await super()._info(path, bucket, key, refresh, version_id)
        if name.endswith(_TABLE):
            if len(self._known) >= 10_000:
                self._known.clear()
            self._known[name] = (asked, about)
        return about

    def invalidate_cache(self, path: str | None = None) -> None:
        """Forgets what was asked of a file that this process wrote or removed; of all, where none is named."""
        super().invalidate_cache(path)
        if path is None:
            self._known.clear()
        else:
            self._known.pop(self._strip_protocol(path), None)
