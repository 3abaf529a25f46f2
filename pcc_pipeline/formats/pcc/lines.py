"""Which row of Modello 003 or 002 an operation becomes. Writing is in `pcc_model`, what is to be done in the models.

An operation is a row of the table `operations`, as a mapping of its columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pcc_pipeline.formats.pcc.models import Value
from pcc_pipeline.formats.pcc.values import NOT_APPLICABLE
from pcc_pipeline.rules import rule_rows

Operation = Mapping[str, Any]


def line_of(operation: Operation) -> dict[str, Value]:
    """The operation's row, values by column name of its model."""
    return _line_002(operation) if operation["model"] == "002" else _line_003(operation)


def _line_003(o: Operation) -> dict[str, Value]:
    progressivo = o["progressivo_registrazione"]
    line: dict[str, Value] = {
        **_parties(o),
        "azione": o["azione"],
        "progressivo_registrazione": progressivo or NOT_APPLICABLE,
        # PCC reads the second identifier only without the first; both make the line readable to people.
        "numero_documento": o["numero_documento"],
        "data_emissione": o["data_emissione"],
        "importo_totale": o["importo_totale"],
    }
    match o["azione"]:
        case "RC":
            line |= {"protocollo": o["protocollo"], "data_ricezione": o["data_ricezione"], "note": o["descrizione"]}
        case "RF":
            line |= {"data_rifiuto": o["data_rifiuto"], "descrizione_rifiuto": o["descrizione"] or "Documento rifiutato"}
        case "CO":
            line |= {
                "importo_movimento": o["importo"],
                "natura_spesa": o["natura_spesa"],
                "capitoli": o["capitoli"],
                "stato_debito": o["stato_debito"],
                "causale": o["causale"],
                "descrizione": o["descrizione"],
                "estremi_impegno": o["estremi_impegno"],
                **_contract(o, without=is_without(o["stato_debito"], "cig")),
            }
            if is_without(o["stato_debito"], "natura"):
                line["natura_spesa"] = NOT_APPLICABLE
        case "CS":
            line |= {
                "comunica_scadenza": "SI",
                "importo_scadenza": o["importo"],
                "data_scadenza": o["data_scadenza"],
            }
        case "CP":
            line |= {
                "importo_pagato": o["importo"],
                "natura_spesa_pagamento": o["natura_spesa"],
                "capitoli_pagamento": o["capitoli"],
                "estremi_impegno_pagamento": o["estremi_impegno"],
                "numero_mandato": o["numero_mandato"],
                "data_mandato": o["data_mandato"],
                "id_fiscale_beneficiario": o["id_fiscale_beneficiario"],
                **{f"{name}_pagamento": value for name, value in _contract(o).items()},
                "descrizione_pagamento": o["descrizione"],
            }
    return line


def _line_002(o: Operation) -> dict[str, Value]:
    return {
        **_parties(o),
        "denominazione_amministrazione": o["denominazione_amministrazione"],
        "denominazione_fornitore": o["denominazione_fornitore"],
        "lotto": o["lotto"] or o["numero_documento"],
        "tipo_documento": o["tipo_documento"],
        "numero_documento": o["numero_documento"],
        "data_emissione": o["data_emissione"],
        "importo_totale": o["importo_totale"],
        "causale": o["causale"] or o["descrizione"] or "Documento non transitato da SDI",
        "totale_imponibile": o["importo_imponibile"],
        "totale_imposta": o["totale_imposta"],
        "importo_cig_cup": o["importo_totale"] if o["cig"] or o["cup"] else None,
        "cig": o["cig"],
        "cup": o["cup"],
        "data_scadenza": o["data_scadenza"],
        "importo_pagamento": o["importo_totale"] if o["data_scadenza"] else None,
        "protocollo": o["protocollo"],
        "data_ricezione": o["data_ricezione"],
    }


def _parties(o: Operation) -> dict[str, Value]:
    """Who owes and who is owed. A company's fiscal code is mostly its VAT number: either stands for the other."""
    cf, iva = o["cf_fornitore"], o["id_fiscale_iva"]
    if cf and cf == iva and not cf.startswith("IT") and len(cf) < 16 and not cf.isdigit():
        cf = None  # a foreign supplier has a VAT id alone
    if not cf and iva and iva.startswith("IT"):
        cf = iva[2:]
    if not iva and cf and cf.isdigit():
        iva = f"IT{cf}"
    return {
        "cf_amministrazione": o["cf_amministrazione"],
        "codice_ufficio": o["codice_ufficio"],
        "cf_fornitore": cf or NOT_APPLICABLE,
        "id_fiscale_iva": iva or NOT_APPLICABLE,
    }


def _contract(o: Operation, without: bool = False) -> dict[str, Value]:
    if without:
        return {"cig": NOT_APPLICABLE, "cup": NOT_APPLICABLE}
    return {"cig": o["cig"] or NOT_APPLICABLE, "cup": o["cup"] or NOT_APPLICABLE}


def is_without(stato: str | None, what: str) -> bool:
    """Whether PCC wants NA for `natura`, or for `cig` and CUP, in a movement of that state (rule_debt_movements)."""
    return any(row["stato_debito"] == stato and row[f"{what}_na"] == "true" for row in rule_rows("debt_movements"))
