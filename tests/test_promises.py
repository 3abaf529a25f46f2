"""What holds whatever arrives (a sample; 1,000 enti: benchmarks/promises.py): see `damage`."""

from __future__ import annotations

from pathlib import Path

import damage
import models
import oracle_inbox
import pytest

from pcc_pipeline.demo import write_provider


@pytest.mark.parametrize(("seed", "share"), [(11, 0.3), (12, 0.7), (13, 1.0)])
def test_promises_hold_over_damaged_feeds(tmp_path: Path, seed: int, share: float) -> None:
    write_provider(
        tmp_path / "inbox", enti=1, documents=250, seed=seed, reference_date=models.REFERENCE_DATE, sdi_share=0, bad_rows=False
    )
    (ente,) = (path.name for path in (tmp_path / "inbox").iterdir() if not path.name.startswith("_"))
    rows = damage.damaged(oracle_inbox.load_inbox(tmp_path / "inbox", ente), seed, share)
    feeds = {kind: found for kind, found in rows.items() if kind in models.FEEDS and found}
    assert damage.broken_promises(models.reconcile(tmp_path / "home", feeds)) == []
