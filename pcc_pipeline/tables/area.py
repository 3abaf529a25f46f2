"""What a row of today's models (Area RGS) says beyond those before them: the same columns in operations, sent rows and answers.

Where each stands in a file: `formats/pcc/data`. Facts: docs/formats.md#area-rgs.
"""

from __future__ import annotations

from pcc_pipeline.tables.describe import Column

#: Today's models, by the name of their data's folder.
AREA_MODELS = ("area_rgs_importi", "area_rgs_pagamenti")
AREA_ACTIONS = ("SID", "MI", "CH", "IP", "RS", "RT")
AREA_WORDS = "SID amounts set, MI VAT regime, CH closing, IP payment, RS restore, RT reset"


def _money(name: str, meaning: str) -> Column:
    return Column(name, "money", meaning, unit="EUR", source="docs/formats.md#area-rgs-model-a")


LOTTO = Column("lotto", "text", "SDI lot, where the row names the document by it", source="docs/formats.md#area-rgs-identification")

#: What a row of GESTIONE IMPORTI DOCUMENTI or GESTIONE PAGAMENTI sets.
PAYLOAD = (
    _money("importo_non_commerciale", "SID: non-commercial amount"),
    _money("importo_sospeso_contenzioso", "SID: suspended, lawsuit"),
    Column("data_sospensione_contenzioso", "date", "SID: since when"),
    _money("importo_sospeso_contestazione", "SID: suspended, contested or regulatory checks"),
    Column("data_sospensione_contestazione", "date", "SID: since when"),
    _money("importo_sospeso_verifica", "SID: suspended, awaiting the conformity check"),
    Column("data_sospensione_verifica", "date", "SID: since when"),
    _money("importo_non_liquidabile", "SID: non liquidabile"),
    Column("split_payment", "boolean", "MI: split payment"),
    Column("tipo_debito", "text", "IP: C commercial, NC non-commercial", source="docs/formats.md#area-rgs-model-b"),
    Column("giorni_sospensione", "integer", "IP: whole days in which the document was suspended and PCC does not know it", minimum=0),
)
