"""PCC pipeline: reconciles an ente's accounting system with the Piattaforma dei Crediti Commerciali.

This package is the domain and knows nothing of Dagster: formats, landing, store, calculator,
database, rules, checks, the synthetic provider and the command line. The thin Dagster side lives in
the top-level packages `assets` and `sensors`; the SQL of the rules lives in `dbt_like_sql`.
"""
