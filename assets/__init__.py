"""The Dagster side of the pipeline: thin assets and checks, one module a layer.

No rule, format or SQL lives here: each asset calls `pcc_pipeline` and says in metadata what it did.
`definitions` gathers everything; `sensors` (the other top-level package) starts runs.
"""
