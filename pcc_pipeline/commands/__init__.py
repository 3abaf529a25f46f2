"""Commands of `pcc` by subject, one module each: arguments and words for people, no work of their own.

`pcc_pipeline.cli` gathers them. A module imports what it needs inside its functions, so that `pcc --help` is quick.
"""
