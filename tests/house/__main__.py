"""`python -m tests.house`: writes the snapshot of the asset graph and the list of known debts anew; look at the difference."""

from __future__ import annotations

from tests.house import asset_graph, debts

if __name__ == "__main__":
    asset_graph.FILE.write_text(asset_graph.text(), encoding="utf-8")
    debts.write()
