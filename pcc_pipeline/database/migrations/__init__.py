"""The history of the database schema: one numbered module a step, made by `pcc_pipeline.database.migrate`."""
