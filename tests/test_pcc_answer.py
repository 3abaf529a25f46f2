"""PCC's answers in XML: the same rows as the CSV, movements among the movements, what is refused and why."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import models
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opi_flows import read, rows


def document(state: str = "LA", *, movements: str = "", split: str = "", number: str = "P1", **more: str) -> str:
    """A dettaglioDocumentoTipo of 1,220.00, of which 1,000.00 with split payment are commercial debt."""
    values = {
        "statoDocumento": state,
        "IdFiscaleIVA": "IT01234567897",
        "progressivoRegistrazione": number,
        "identificazioneSDI": "<lottoSDI>7001.0</lottoSDI><numeroFattura>12</numeroFattura>",
        "numeroProtocollo": "88",
        "dataRicezione": "2025-01-15+01:00",
        "tipoDocumento": "TD01",
        "dataEmissione": "2025-01-10",
        "numeroDocumento": "12/PA",
        "importoTotale": "1220.00",
        "importoImponibile": "1000.00",
        "totaleImposta": "220.00",
        "splitPayment": "SI",
        "ripartizioneAttuale": split
        or "<importoLiquidato>400.000</importoLiquidato><importoNonLiquidato>100</importoNonLiquidato>"
        "<importoSospeso>200.00</importoSospeso><importoPagato>300.00</importoPagato>",
        "listaDettaglioMovimento": movements,
        **more,
    }
    inner = "".join(f"<f:{name}>{_prefixed(value)}</f:{name}>" for name, value in values.items() if value)
    return f"<f:datiDocumento>{inner}</f:datiDocumento>"


def _prefixed(value: str) -> str:
    return value.replace("</", "</f:").replace("<", "<f:").replace("<f:/f:", "</f:")


def moved(day: str, amount: str, debt: str, cause: str = "") -> str:
    """A dettaglioMovimentoTipo."""
    return (
        f"<dettaglioMovimento><dataMovimento>{day}</dataMovimento><importo>{amount}</importo><statoDebito>{debt}</statoDebito>"
        f"<causale>{cause}</causale></dettaglioMovimento>"
    )


def answer(*documents: str) -> str:
    """PCC's service answering, in its envelope."""
    states = "".join(
        f"<f:statoContabileFattura><f:datiFornitore><f:codiceFiscale>01234567897</f:codiceFiscale>"
        f"<f:denominazione>Ditta</f:denominazione></f:datiFornitore><f:datiAmministrazione><f:codiceFiscale>00100200300"
        f"</f:codiceFiscale><f:codiceUfficioPCC>UF0001</f:codiceUfficioPCC></f:datiAmministrazione>"
        f"<f:listaComunicazioneScadenza><f:comunicazioneScadenza><f:dataScadenza>2025-02-14</f:dataScadenza>"
        f"</f:comunicazioneScadenza><f:comunicazioneScadenza><f:dataScadenza>2025-03-16</f:dataScadenza>"
        f"</f:comunicazioneScadenza></f:listaComunicazioneScadenza>{one}</f:statoContabileFattura>"
        for one in documents
    )
    return (
        f'<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<f:ReadStatoFatturaRisposta xmlns:f="http://www.tesoro.it/fatture">{states}</f:ReadStatoFatturaRisposta>'
        f"</s:Body></s:Envelope>"
    )


def test_an_answer_becomes_the_row_that_the_csv_would_be(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, answer(document()), "pcc_invoices")
    text = (
        "progressivo_registrazione;lotto_sdi;codice_ufficio;cf_amministrazione;cf_fornitore;id_fiscale_iva;"
        "denominazione_fornitore;tipo_documento;numero_documento;data_emissione;data_ricezione;numero_protocollo;"
        "importo_totale;importo_imponibile;totale_imposta;split_payment;stato_documento;data_scadenza;importo_liquidato;"
        "importo_sospeso;importo_non_liquidabile;importo_pagato\n"
        "P1;7001;UF0001;00100200300;01234567897;IT01234567897;Ditta;TD01;12/PA;2025-01-10;2025-01-15;88;1220.00;1000.00;"
        "220.00;SI;CONTABILIZZATO;2025-03-16;400.00;200.00;100.00;300.00\n"
    )
    sink, _ = read(tmp_path, "pcc_invoices", text, "pcc.csv")
    (same,) = sink.good
    assert row | {"line": 2} == {name: value for name, value in same.items() if name not in ("ente", "delivery")}


@pytest.mark.parametrize(
    ("state", "split", "expected"),
    [
        ("PR", "", "PRESENTATO"),
        ("RI", "", "RICEVUTO"),
        ("RE", "", "RIFIUTATO"),
        ("LA", "", "CONTABILIZZATO"),
        ("LA", "<importoPagato>1000.00</importoPagato>", "PAGATO"),
        ("PAGATO", "", "PAGATO"),
        ("IL", "", "PRESENTATO"),
    ],
)
def test_states(tmp_path: Path, state: str, split: str, expected: str) -> None:
    (row,) = rows(tmp_path, answer(document(state, split=split)), "pcc_invoices")
    assert row["stato_documento"] == expected


def test_several_documents_and_a_credit_note_written_negative(tmp_path: Path) -> None:
    note = document(number="P2", tipoDocumento="TD04", importoTotale="-1220.00", totaleImposta="-220.00")
    found = rows(tmp_path, answer(document(), note), "pcc_invoices")
    assert [(row["progressivo_registrazione"], row["importo_totale"], row["line"]) for row in found] == [
        ("P1", Decimal(1220), 1),
        ("P2", Decimal(1220), 2),
    ]


def test_movements_stand_among_the_movements(tmp_path: Path) -> None:
    text = answer(
        document(movements=moved("2025-02-01", "200.00", "SOSP", "CONT") + moved("2025-02-20", "200.00", "LIQdaSOSP"))
    )
    got = models.reconcile(tmp_path / "home", {"pcc_invoices": rows(tmp_path, text, "pcc_invoices")})
    assert got.rows("stg_pcc_operations", "data_operazione::text", "azione", "importo::text", "stato_debito", "causale") == [
        ("2025-02-01", "CO", "200.00", "SOSP", "CONT"),
        ("2025-02-20", "CO", "200.00", "LIQdaSOSP", None),
    ]
    assert got.rows("pcc_documents", "suspension_days", "operations", "cause") == [(19, 2, "CONT")]


def test_the_same_movements_delivered_again_stand_once(tmp_path: Path) -> None:
    text = answer(document(movements=moved("2025-02-01", "200.00", "SOSP", "CONT")))
    plain: list[dict[str, Any]] = [
        {
            "progressivo_registrazione": "P1",
            "data_operazione": date(2025, 2, 1),
            "azione": "CO",
            "importo": Decimal(200),
            "stato_debito": "SOSP",
        }
    ]
    answered = rows(tmp_path, text, "pcc_invoices")
    got = models.reconcile(
        tmp_path / "home", [("pcc_operations", plain), ("pcc_invoices", answered), ("pcc_invoices", answered)]
    )
    assert got.rows("stg_pcc_operations", "count(*)") == [(1,)]
    assert got.rows("stg_pcc_invoices", "count(*)") == [(1,)]


def test_a_movement_that_cannot_be_told_is_left_out_and_its_document_read(tmp_path: Path) -> None:
    text = answer(document(movements=moved("2025-02-01", "200.00", "BOH") + moved("oggi", "1.00", "LIQ")))
    sink, counts = read(tmp_path, "pcc_invoices", text)
    assert (counts.rows, counts.refused, counts.defects) == (1, 0, 2)
    assert [(bad["field"], bad["value"]) for bad in sink.bad] == [
        ("movimenti.stato_debito", "BOH"),
        ("movimenti.data_operazione", "oggi"),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (answer(document("BO")), "bozza"),
        (answer(document(importoTotale="molto")), "non è un importo"),
        (answer(document(number="")), "obbligatorio"),
        (answer(), "non contiene documenti"),
        (
            '<r xmlns="http://www.tesoro.it/fatture"><listaErrore><errore><descrizioneErrore>Fattura inesistente'
            "</descrizioneErrore></errore></listaErrore></r>",
            "Fattura inesistente",
        ),
        ('<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r>&e;</r>', "DOCTYPE"),
        (answer(document())[:-80], "malformato"),
    ],
)
def test_what_is_refused_says_why(tmp_path: Path, content: str, reason: str) -> None:
    sink, counts = read(tmp_path, "pcc_invoices", content)
    assert counts.defects >= 1
    assert any(reason in bad["reason"] for bad in sink.bad), sink.bad


money = st.decimals(min_value=0, max_value="999999.99", places=2)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(money, min_size=4, max_size=4), st.dates(date(2014, 7, 1), date(2026, 1, 1)))
def test_written_and_read_back(tmp_path: Path, parts: list[Decimal], day: date) -> None:
    names = ("importoLiquidato", "importoNonLiquidato", "importoSospeso", "importoPagato")
    split = "".join(f"<{name}>{part}</{name}>" for name, part in zip(names, parts, strict=True))
    (row,) = rows(tmp_path, answer(document(split=split, dataEmissione=f"{day}Z")), "pcc_invoices")
    columns = ("importo_liquidato", "importo_non_liquidabile", "importo_sospeso", "importo_pagato")
    assert [row[name] for name in columns] == parts
    assert row["data_emissione"] == day
