"""`python -m pcc_pipeline` is the command `pcc`."""

from pcc_pipeline.cli import app

app()
