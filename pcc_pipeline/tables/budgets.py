"""What the ente states of its budget for the FGDC: the feed `budgets`. Not here: what follows from it (`indicators`)."""

from __future__ import annotations

from pcc_pipeline.tables.describe import Column, Table


def budgets(lineage: tuple[Column, ...]) -> Table:
    """The feed's table, opening with the columns that every feed has."""
    return Table(
        "budgets", "staging", "One row per year: the ente's budget for goods and services, as stated",
        (
            *lineage,
            Column("anno", "integer", "Year of the budget", required=True, minimum=2000),
            Column("stanziamento", "money", "Budget for purchases of goods and services", required=True, minimum=0, unit="EUR",
                   source="L. 145/2018 art. 1 c. 862"),
            Column("vincolato", "money", "Of which earmarked by law (the FGDC is not set aside on it); null means none", minimum=0, unit="EUR",
                   source="L. 145/2018 art. 1 c. 863"),
            Column("stock_precedente", "money", "Stock at 31 December of the year before, as PCC certified it; null: worked out of the documents",
                   unit="EUR", source="L. 145/2018 art. 1 c. 859"),
        ),
    )
