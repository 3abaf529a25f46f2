"""PCC pipeline: reconciles an ente's accounting system with the Piattaforma dei Crediti Commerciali.

This package is the domain and its command line. It imports no Dagster, and stands on its own: `installation` opens what
an installation has, `arrival` takes in and reads files, `calculator` runs the SQL of `dbt_like_sql`, `runs` joins the
steps of one calculation. Dagster's side is in the packages `assets` and `sensors`, the clients' desk in `portal`; both
stand on this one.

Three places know of Dagster without importing it: `database.dagster_home` writes where it keeps its state,
`database.dagster_storage` reads its tables, `commands.serve` starts its processes. `pcc run` and `pcc demo` start a run in
this process through `assets.run`, which they import when they are called.
"""
