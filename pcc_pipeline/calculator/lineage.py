"""Makes dbt_like_sql/lineage.json, where it is missing or out of date, as `setup.sh` does (see `parsing`).

python -m pcc_pipeline.calculator.lineage
"""

from pcc_pipeline.calculator.models import model_lineages

if __name__ == "__main__":
    model_lineages()
