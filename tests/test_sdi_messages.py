"""SDI's messages: what is read of each, which invoice they are about, and what they make of the document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opi_flows import Lists, read
from test_rules_base import Book, Seen

from pcc_pipeline.formats import parse
from pcc_pipeline.formats.sdi_messages import TYPES
from pcc_pipeline.formats.source import Source

NAMESPACE = "http://www.fatturapa.gov.it/sdi/messaggi/v1.0"


def message(root: str, inner: str, sdi_id: str = "111") -> str:
    """A message as SDI writes it."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><?xml-stylesheet type="text/xsl" href="v1.xsl"?>'
        f'<types:{root} xmlns:types="{NAMESPACE}" versione="1.0"><IdentificativoSdI>{sdi_id}</IdentificativoSdI>{inner}'
        f"<MessageId>77</MessageId></types:{root}>"
    )


NAMED = "<NomeFile>IT01234567897_AB1.xml.p7m</NomeFile>"
RECEIVED = "<DataOraRicezione>2025-01-11T23:30:00Z</DataOraRicezione>"
ABOUT = "<RiferimentoFattura><NumeroFattura>12</NumeroFattura><AnnoFattura>2025</AnnoFattura></RiferimentoFattura>"


def outcome(code: str, about: str = "", message_id: str = "9") -> str:
    """The customer's outcome."""
    return f"{about}<Esito>{code}</Esito><Descrizione>Merce mancante</Descrizione><MessageIdCommittente>{message_id}</MessageIdCommittente>"


def test_every_kind_is_told_by_its_root_element(tmp_path: Path) -> None:
    for root, kind in TYPES.items():
        sink, _ = read(tmp_path, "sdi_messages", message(root, NAMED + RECEIVED), f"IT1_AB1_{kind}_001.xml")
        assert [(row["tipo"], row["identificativo_sdi"], row["nome_file"]) for row in sink.good] == [
            (kind, "111", "IT01234567897_AB1.xml.p7m")
        ]
        assert not sink.bad
        assert sink.good[0]["data_ricezione"].isoformat() == "2025-01-12"  # half past midnight in Italy


def test_an_outcome_inside_a_notice_to_the_supplier_is_read(tmp_path: Path) -> None:
    inner = f"<EsitoCommittente><IdentificativoSdI>111</IdentificativoSdI>{outcome('EC02', ABOUT)}</EsitoCommittente>"
    sink, _ = read(tmp_path, "sdi_messages", message("NotificaEsito", NAMED + inner))
    (row,) = sink.good
    assert (row["tipo"], row["esito"], row["numero_fattura"], row["anno_fattura"]) == (
        "NE",
        "EC02",
        "12",
        2025,
    )
    assert (row["descrizione"], row["message_id_committente"]) == ("Merce mancante", "9")


def test_errors_of_a_discarded_invoice_are_kept(tmp_path: Path) -> None:
    errors = "<ListaErrori><Errore><Codice>00100</Codice><Descrizione>Certificato scaduto</Descrizione></Errore></ListaErrori>"
    sink, _ = read(tmp_path, "sdi_messages", message("NotificaScarto", NAMED + errors))
    assert sink.good[0]["errori"] == "00100 Certificato scaduto"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<FatturaElettronica/>", "consegnarla come sdi_invoices"),
        ("<Altro/>", "non è un messaggio SDI"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "DOCTYPE"),
        ("niente", "non contiene XML"),
        (message("RicevutaConsegna", NAMED)[:150], "malformato"),
    ],
)
def test_what_is_no_message_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    sink, counts = read(tmp_path, "sdi_messages", content)
    assert (counts.rows, counts.refused) == (0, 1)
    assert reason in sink.bad[0]["reason"]


def test_a_name_that_says_another_kind_is_told_and_the_message_read(tmp_path: Path) -> None:
    sink, counts = read(tmp_path, "sdi_messages", message("RicevutaConsegna", NAMED), "IT1_AB1_MC_001.xml")
    assert (counts.rows, counts.refused, counts.defects) == (1, 0, 1)
    assert sink.good[0]["tipo"] == "RC"


def test_a_message_without_its_identifier_is_refused(tmp_path: Path) -> None:
    sink, counts = read(tmp_path, "sdi_messages", message("RicevutaConsegna", NAMED, ""))
    assert counts.refused == 1 and sink.bad[0]["field"] == "identificativo_sdi"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(TYPES)), st.from_regex(r"[1-9][0-9]{0,11}", fullmatch=True), st.binary(max_size=40))
def test_any_damage_is_an_outcome_never_an_error(tmp_path: Path, root: str, sdi_id: str, noise: bytes) -> None:
    whole = message(root, NAMED + RECEIVED, sdi_id).encode()
    sink, counts = read(tmp_path, "sdi_messages", whole)
    assert counts.rows == 1 and sink.good[0]["identificativo_sdi"] == sdi_id
    damaged = whole[: len(whole) // 2] + noise + whole[len(whole) // 2 + len(noise) :]
    _, counts = read(tmp_path, "sdi_messages", damaged)
    assert counts.rows + counts.refused == 1


ODD = [
    "<FatturaElettronica/>",
    "niente",
    message("RicevutaConsegna", NAMED, ""),
    message("RicevutaConsegna", NAMED + "<DataOraRicezione>mai</DataOraRicezione>"),
    message("NotificaEsitoCommittente", outcome("EC09")),
]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*(message(root, NAMED + RECEIVED) for root in sorted(TYPES)), *ODD]), max_size=12))
def test_many_messages_are_read_as_each_is_alone(tmp_path: Path, contents: list[str]) -> None:
    files = [(f"d{place}", f"IT1_AB{place}_{'MC' if place % 3 else 'x'}_001.xml") for place in range(len(contents))]
    together, alone = Lists("sdi_messages"), Lists("sdi_messages")
    sources = [Source("alfa", "sdi_messages", name, file, tmp_path / name) for name, file in files]
    for source, content in zip(sources, contents, strict=True):
        source.path.write_text(content)
    counts = parse("sdi_messages", sources, together)
    assert counts == {source.delivery: parse("sdi_messages", [source], alone)[source.delivery] for source in sources}
    for one, other in ((together.good, alone.good), (together.bad, alone.bad), (together.noted, alone.noted)):
        assert sorted(one, key=str) == sorted(other, key=str)


# Links and states, from rows.


def _said(book: Book, tipo: str, **values: Any) -> None:
    count = len(book.feeds.get("sdi_messages", []))
    book.row(
        "sdi_messages",
        **({"file": f"m{count}_{tipo}.xml", "tipo": tipo, "identificativo_sdi": "111"} | values),
    )


def _invoices(seen: Seen) -> list[tuple[Any, ...]]:
    return seen.found.rows("invoices", "id_documento", "sdi_id", "sdi_state", "sdi_state_date::text")


def test_messages_tell_the_lot_and_the_lot_finds_the_document(tmp_path: Path) -> None:
    book = Book()
    # The accounting system has the date wrong: only the lot tells that they are one.
    book.erp("A", lotto_sdi="111", data_emissione="2025-01-09")
    book.sdi("A", file="IT01_A.xml.p7m")
    _said(book, "MT", nome_file="IT01_A.xml")
    _said(book, "RC", nome_file="IT01_A.xml", data_ricezione="2025-01-11", data_consegna="2025-01-12")
    seen = book.reconciled(tmp_path)
    assert _invoices(seen) == [("A", "111", "CONSEGNATA", "2025-01-12")]
    assert seen.found.rows("messages", "tipo", "link", "invoice_file", "reason") == [
        ("MT", "FILE_NAME", "IT01_A.xml.p7m", None),
        ("RC", "FILE_NAME", "IT01_A.xml.p7m", None),
    ]


def test_a_refused_document_is_worth_nothing_and_still_open_on_pcc(tmp_path: Path) -> None:
    book = Book()
    book.both("A")
    book.sdi("A", file="IT01_A.xml")
    _said(book, "MT", nome_file="IT01_A.xml")
    _said(book, "EC", esito="EC02", descrizione="Merce mancante")  # no file named: the lot leads to it
    seen = book.reconciled(tmp_path)
    assert (seen.stock("pcc", "A"), seen.stock("right", "A")) == (1220, 0)
    assert seen.codes("A") == {"REJECTED_STILL_OPEN": 1220}
    assert seen.position("right", "A")["reason"] == "REJECTED"
    assert _invoices(seen) == [("A", "111", "RIFIUTATA", None)]


def test_a_refusal_is_done_when_pcc_has_it(tmp_path: Path) -> None:
    book = Book()
    book.both("A", pcc={"stato_documento": "RIFIUTATO"})
    book.sdi("A", file="IT01_A.xml")
    _said(book, "EC", file="IT01_A_EC_001.xml", esito="EC02")
    seen = book.reconciled(tmp_path)
    assert seen.stock("pcc", "A") == seen.stock("right", "A") == 0
    assert seen.codes("A") == {}
    assert seen.found.rows("messages", "link") == [("MESSAGE_NAME",)]


def test_a_refused_document_that_the_accounting_system_never_booked(tmp_path: Path) -> None:
    book = Book()
    book.pcc("A", lotto_sdi="111")  # its file was not delivered: the lot alone tells
    book.pcc("B", lotto_sdi="222")
    _said(book, "EC", esito="EC02", numero_fattura=book.supplier("A")[-4:])
    seen = book.reconciled(tmp_path)
    assert seen.codes("PA") == {"REJECTED_STILL_OPEN": 1220}
    assert seen.codes("PB") == {"MISSING_IN_ERP": 0}
    assert seen.stock("right", "PA") == 0
    ((link, reason),) = seen.found.rows("messages", "link", "reason")
    assert link == "LOT" and "non è stata consegnata" in reason
    assert seen.found.rows("operations", "azione", "progressivo_registrazione", "descrizione") == [
        ("RF", "PA", "Documento rifiutato dall'ente")
    ]


@pytest.mark.parametrize(
    ("others", "state", "codes"),
    [
        ([("EC", {"esito": "EC01"})], "ACCETTATA", {}),
        (
            [
                ("EC", {"esito": "EC02", "message_id_committente": "9"}),
                ("SE", {"message_id_committente": "9"}),
            ],
            "CONSEGNATA",
            {},
        ),
        (
            [
                ("EC", {"esito": "EC02", "message_id_committente": "9"}),
                ("SE", {"message_id_committente": "8"}),
            ],
            "RIFIUTATA",
            {"REJECTED_STILL_OPEN": 1220},
        ),
        ([("DT", {})], "DECORRENZA_TERMINI", {}),
        ([("EC", {"esito": "EC02"}), ("DT", {})], "DECORRENZA_TERMINI", {}),  # it came too late
        ([("EC", {"esito": "EC02"}), ("NE", {"esito": "EC01"})], "DISCORDANTE", {}),
        ([("EC", {"esito": "EC02", "numero_fattura": "another"})], "CONSEGNATA", {}),
        ([("NS", {})], "SCARTATA", {}),
    ],
)
def test_outcomes(tmp_path: Path, others: list[tuple[str, dict[str, Any]]], state: str, codes: dict[str, int]) -> None:
    book = Book()
    book.both("A")
    book.sdi("A", file="IT01_A.xml")
    for tipo, values in others:  # the outcome before the delivery: any order will do
        _said(book, tipo, **values)
    _said(book, "RC", nome_file="IT01_A.xml", data_consegna="2025-01-12")
    seen = book.reconciled(tmp_path)
    assert [row[2] for row in _invoices(seen)] == [state]
    assert seen.codes("A") == codes


def test_an_invoice_sent_again_after_a_refusal_stands(tmp_path: Path) -> None:
    book = Book()
    book.both("A", lotto_sdi="222")
    book.sdi("A", file="IT01_A.xml")
    book.sdi("A", file="IT01_B.xml")
    _said(book, "MT", nome_file="IT01_A.xml")
    _said(book, "EC", esito="EC02")
    _said(book, "MT", nome_file="IT01_B.xml", identificativo_sdi="222")
    seen = book.reconciled(tmp_path)
    assert seen.codes("A") == {}
    assert [row[2] for row in _invoices(seen)] == ["IDENTIFICATA", "RIFIUTATA"]


def test_a_name_used_again_after_a_discard_has_the_later_lot(tmp_path: Path) -> None:
    book = Book()
    book.both("A")
    book.sdi("A", file="IT01_A.xml")
    _said(book, "RC", nome_file="IT01_A.xml", identificativo_sdi="222")
    _said(book, "NS", nome_file="IT01_A.xml", identificativo_sdi="111")
    assert [row[1:3] for row in _invoices(book.reconciled(tmp_path))] == [("222", "CONSEGNATA")]


def test_one_document_of_a_lot_refused_leaves_the_others(tmp_path: Path) -> None:
    book = Book()
    for place, document in enumerate("AB", 1):
        book.both(document)
        book.sdi(document, file="IT01_L.xml", line=place)
    _said(book, "EC", file="IT01_L_EC_001.xml", esito="EC02", posizione=2)
    seen = book.reconciled(tmp_path)
    assert seen.codes("A") == {} and seen.codes("B") == {"REJECTED_STILL_OPEN": 1220}


def test_a_message_without_invoice_says_why(tmp_path: Path) -> None:
    book = Book()
    book.both("A")
    _said(book, "RC", nome_file="IT09_ZZ.xml.p7m")
    ((link, reason),) = book.reconciled(tmp_path).found.rows("messages", "link", "reason")
    assert link == "NONE"
    assert "it09_zz" in reason and "111" in reason


def test_all_messages_of_the_corpus_are_read_and_linked_or_explained(corpus: list[Path], tmp_path: Path) -> None:
    import models
    from opi_flows import Lists

    feeds: list[tuple[str, list[dict[str, Any]]]] = []
    for kind in ("sdi_messages", "sdi_invoices"):
        sink = Lists(kind)
        paths = [path for path in corpus if path.name.endswith(".xml") and ("_001" in path.name) == (kind == "sdi_messages")]
        parse(kind, [Source("alfa", kind, path.name, path.name, path) for path in paths], sink)
        if kind == "sdi_messages":
            assert sorted(row["tipo"] for row in sink.good) == [
                "AT",
                "DT",
                "EC",
                "MC",
                "MT",
                "NE",
                "NS",
                "RC",
                "SE",
            ]
            assert not sink.bad
        feeds.append(
            (
                kind,
                [{k: v for k, v in row.items() if k not in ("ente", "delivery", "line")} for row in sink.good],
            )
        )
    got = models.reconcile(tmp_path, feeds)
    rows = got.rows("messages", "tipo", "link", "invoice_file", "reason")
    assert len(rows) == 9
    assert all(file is not None or reason for _, _, file, reason in rows)
