"""Tests of the house itself: its rooms, signs, sizes, and that nothing in it is unused or said twice.

`python -m tests.house` writes the snapshot of the asset graph and the list of known debts anew.
"""
