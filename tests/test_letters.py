"""The provider's letters: dates of the rules, PDFs one can read, sent through a local server, kept with when and to whom."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

import base64
import re
import socket
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from aiosmtpd.controller import Controller
from fastapi.testclient import TestClient
from test_portal import _sign_in, desk
from test_portal_register import Keeper, _read, keeper
from test_support_mail import Sent

from pcc_pipeline.clock import today
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.enti import receipts
from pcc_pipeline.enti.keeping import present
from pcc_pipeline.enti.life import deadline
from pcc_pipeline.installation import Installation
from pcc_pipeline.italian import day
from pcc_pipeline.reports.letters import LetterError, Sender, letter, mail, pdf
from pcc_pipeline.settings import Settings

O = date(2026, 3, 2)  # noqa: E741 (the rules' own letter)
ROW: dict[str, Any] = {
    "denominazione": "Comune di Gamma & C. | <b>città", "cf": "80012340157", "codice_ipa": "c_g", "tipo": "COMUNE",
    "gestionale": "Contabilità Civica", "versione_gestionale": "3.9", "ordine_il": date(2026, 2, 20), "presa_in_carico_il": None,
    "attivato_il": None, "autorizzazione_remota": None, "credenziali": True, "pec_disattivazione_il": None, "santo_patrono": "03-06",
    "pec": "gamma@pec.it",
}  # fmt: skip
HEAD = Sender("Fornitore S.r.l.", ("Via Prova 1, Mestre",), "La responsabile del servizio")


def words(data: bytes) -> str:
    """The text that a PDF of ours shows, in order, without the spaces: a word may stand in pieces."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", data, re.S):
        content = zlib.decompress(base64.a85decode(stream.strip(), adobe=False) if not stream.strip().endswith(b"~>")
                                  else base64.a85decode(b"<~" + stream.strip(), adobe=True))  # fmt: skip
        for text in re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", content, re.S):
            plain = re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), text)
            found.append(re.sub(rb"\\(.)", rb"\1", plain).decode("cp1252"))
    return "".join("".join(found).split())


def _tight(text: str) -> str:
    return "".join(text.split())


def test_the_dates_are_those_of_the_rules() -> None:
    """docs/rules.md#rule-10"""
    charged = letter("TAKEN_IN_CHARGE", ROW, O, set(), HEAD).paper.text
    for name in ("take_in_charge", "lists", "guaranteed"):
        assert day(deadline(name, O).after(ROW["ordine_il"])) in charged, name
    leaving = letter("DEACTIVATION", ROW, O, set(), HEAD).paper.text
    for name in ("dismissal", "erase"):
        assert day(deadline(name, O).after(O, "03-06")) in leaving, name
    # The fifth working day after Monday 2 March, with the patron's day on Friday 6: Tuesday 10.
    assert deadline("erase", O).after(O, "03-06") == date(2026, 3, 10)
    before = letter("DEACTIVATION", {**ROW, "pec_disattivazione_il": date(2026, 2, 2)}, O, set(), HEAD).paper.text
    assert day(date(2026, 2, 9)) in before  # a PEC that went out: its days are those


def test_what_is_missing_is_said_and_nothing_is_not() -> None:
    text = letter("REMINDER", ROW, O, {"open_list"}, HEAD).paper.text
    assert "3.9 invece di 4.3" in text and "casi particolari non consegnato" in text and "fatture che devono" not in text
    done = {**ROW, "autorizzazione_remota": True, "versione_gestionale": "4.3"}
    with pytest.raises(LetterError):
        letter("REMINDER", done, O, {"open_list", "special_cases"}, HEAD)
    with pytest.raises(LetterError):
        letter("TAKEN_IN_CHARGE", {**ROW, "ordine_il": None}, O, set(), HEAD)


def test_the_papers_can_be_read() -> None:
    written = letter("TAKEN_IN_CHARGE", ROW, O, set(), HEAD)
    seen = words(pdf(written.paper, HEAD, O))
    for text in (
        "Fornitore S.r.l.",
        "Spett.le Comune di Gamma & C. | <b>città",
        "Piano delle attività",
        "02/03/2026",
        "21/05/2026",
    ):
        assert _tight(text) in seen, text
    form = words(pdf(written.forms["autorizzazione-accesso-remoto.pdf"], None, None))
    for text in (
        "Autorizzazione all'accesso remoto per l'erogazione di servizi",
        "80012340157",
        "c_g",
        "Contabilità Civica 3.9",
        "Firma",
    ):
        assert _tight(text) in form, text
    assert pdf(written.paper, HEAD, O) == pdf(written.paper, HEAD, O)


@pytest.mark.parametrize("wrong", ["", "nessuno", "a@b", "a@b.it, c@d.it", "a@b.it\nBcc: c@d.it", "A <a@b.it>"])
def test_a_letter_goes_to_one_address(wrong: str) -> None:
    with pytest.raises(LetterError):
        mail(letter("REMINDER", ROW, O, set(), HEAD), wrong, HEAD)


@pytest.fixture
def smtp(settings: Settings) -> Iterator[tuple[Sent, dict[str, Any]]]:
    """A local mail server, and what `alerts.yaml` would say of it."""
    sent = Sent()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(sent, hostname="127.0.0.1", port=port)
    controller.start()
    yield sent, {"host": "127.0.0.1", "port": port, "from": "Fornitore <servizio@pec.fornitore.it>", "to": ["x@fornitore.it"]}
    controller.stop()


def _configured(settings: Settings, **parts: Any) -> None:
    settings.home.mkdir(parents=True, exist_ok=True)
    (settings.home / "alerts.yaml").write_text(yaml.safe_dump({"letters": {"name": "Fornitore S.r.l."}, **parts}))


def _prepare(keeper: Keeper, kind: str, to: str = "gamma@pec.it") -> tuple[int, str]:
    answer = keeper.desk.post("/enti/gamma/lettere", data={"csrf": keeper.csrf, "tipo": kind, "a": to})
    return answer.status_code, answer.text


def _do(keeper: Keeper, number: int, how: str) -> tuple[int, str]:
    answer = keeper.desk.post(f"/enti/gamma/lettere/{number}/{how}", data={"csrf": keeper.csrf})
    return answer.status_code, answer.text


def test_a_letter_is_sent_kept_and_its_day_enters_the_register(
    keeper: Keeper, settings: Settings, smtp: tuple[Sent, dict[str, Any]]
) -> None:
    sent, named = smtp
    _configured(settings, mail=named, pec=named)
    assert keeper.add("gamma") == 303
    assert _prepare(keeper, "DEACTIVATION")[0] == 200 and _prepare(keeper, "TAKEN_IN_CHARGE", "no")[0] == 400
    assert not sent.mails and present(Installation(settings), "gamma")["pec_disattivazione_il"] is None  # type: ignore[index]
    status, text = _do(keeper, 1, "spedisci")
    assert status == 200 and "Lettera spedita" in text and "gamma@pec.it" in text
    assert re.search(r"\d\d/\d\d/\d{4} \d\d:\d\d, PEC, operatore@fornitore.it", text)
    (mail,) = sent.mails
    assert (
        (mail["To"], mail["From"], mail["X-Unsent"]) == ("gamma@pec.it", named["from"], None)
        and mail["Message-ID"]
        and mail["Date"]
    )
    assert day(deadline("erase", today()).after(today())) in mail.get_body().get_content()
    (paper,) = [part for part in mail.iter_attachments() if part.get_filename() == "lettera.pdf"]
    assert day(deadline("erase", today()).after(today())) in words(paper.get_content())
    # What is kept is what went out; the page gives it, and what lies in it.
    kept = message_from_bytes(keeper.desk.get("/enti/gamma/lettere/1/lettera.eml").content, policy=policy.default)
    assert kept["Message-ID"] == mail["Message-ID"]
    assert keeper.desk.get("/enti/gamma/lettere/1/lettera.pdf").content == paper.get_content()
    assert keeper.desk.get("/enti/gamma/lettere/1/altro.pdf").status_code == 404
    assert keeper.desk.get("/enti/alfa/lettere/1/lettera.pdf").status_code == 404
    assert present(Installation(settings), "gamma")["pec_disattivazione_il"] == today()  # type: ignore[index]
    assert (
        "in dismissione" in keeper.desk.get("/enti/gamma").text and _read(settings)["gamma"]["pec_disattivazione_il"] == today()
    )
    status, text = _do(keeper, 1, "spedisci")
    assert status == 400 and "già stata spedita" in text and len(sent.mails) == 1


def test_a_pec_goes_by_no_plain_server(keeper: Keeper, settings: Settings, smtp: tuple[Sent, dict[str, Any]]) -> None:
    sent, named = smtp
    _configured(settings, mail=named)
    keeper.add("gamma")
    _prepare(keeper, "DEACTIVATION")
    status, text = _do(keeper, 1, "spedisci")
    assert status == 400 and "Nessun server di posta" in text and not sent.mails
    status, text = _do(keeper, 1, "spedita")  # by other means
    assert status == 200 and "con altri mezzi" in text
    assert present(Installation(settings), "gamma")["pec_disattivazione_il"] == today()  # type: ignore[index]
    _prepare(keeper, "TAKEN_IN_CHARGE")  # what needs no certified mail goes by the plain one
    assert _do(keeper, 2, "spedisci")[0] == 200 and len(sent.mails) == 1
    names = {part.get_filename() for part in sent.mails[0].iter_attachments()}
    assert names == {"lettera.pdf", "autorizzazione-accesso-remoto.pdf"}


def test_what_a_server_refuses_is_not_sent(keeper: Keeper, settings: Settings, smtp: tuple[Sent, dict[str, Any]]) -> None:
    _, named = smtp
    _configured(settings, pec=named)
    keeper.add("gamma")
    _prepare(keeper, "DEACTIVATION", "nessuno@alfa.it")
    status, text = _do(keeper, 1, "spedisci")
    assert status == 400 and "Non spedita" in text
    assert present(Installation(settings), "gamma")["pec_disattivazione_il"] is None  # type: ignore[index]
    with engine(settings).begin() as connection:  # of yesterday: its terms would run from another day
        t = table("letters")
        assert connection.execute(sa.select(t.c.sent_at)).scalar_one() is None
        connection.execute(sa.update(t).values(dated=today() - timedelta(days=1)))
    status, text = _do(keeper, 1, "spedita")
    assert status == 400 and "la data di un altro giorno" in text


def test_the_receipt_of_an_erasure_goes_out_and_leaves_no_trace(
    keeper: Keeper, settings: Settings, smtp: tuple[Sent, dict[str, Any]]
) -> None:
    sent, named = smtp
    _configured(settings, pec=named)
    store = Installation(settings).store
    made = {"receipt": "r-1", **receipts.new_subject("zeta"), "began_at": datetime.now(UTC).isoformat(), "what": {"database": {"rows": 12}},
            "erased_at": datetime.now(UTC).isoformat()}  # fmt: skip
    receipts.keep(store, receipts.sign(settings, made))
    assert "firma valida" in keeper.desk.get("/ricevute").text
    given = {"csrf": keeper.csrf, "nome": "Comune di Zeta", "a": "zeta@pec.it"}
    file = keeper.desk.post("/ricevute/r-1", data={**given, "come": "scarica"})
    assert file.headers["content-disposition"].startswith("attachment") and message_from_bytes(file.content)["X-Unsent"] == "1"
    answer = keeper.desk.post("/ricevute/r-1", data={**given, "come": "spedisci"})
    assert answer.status_code == 200 and "Lettera spedita" in answer.text and "Zeta" not in answer.text
    (mail,) = sent.mails
    assert (
        mail["To"] == "zeta@pec.it"
        and "Comune di Zeta" in mail.get_body().get_content()
        and "rows 12" in mail.get_body().get_content()
    )
    assert {part.get_filename() for part in mail.iter_attachments()} == {"lettera.pdf", "ricevuta-r-1.json"}
    with engine(settings).connect() as connection:
        row = connection.execute(sa.select(table("letters"))).mappings().one()
        assert (row["reference"], row["recipient"], row["channel"]) == ("r-1", None, "PEC")
        audits = connection.execute(sa.select(table("audit"))).all()
    assert "zeta" not in str([dict(row), audits]).lower()
    assert keeper.desk.post("/ricevute/r-1", data={**given, "nome": " ", "come": "spedisci"}).status_code == 400
    assert keeper.desk.post("/ricevute/r-2", data=given).status_code == 404


def test_receipts_are_shown_page_by_page_the_latest_first(keeper: Keeper, settings: Settings) -> None:
    store = Installation(settings).store
    for n in range(52):
        told = {"receipt": f"r-{n:02}", **receipts.new_subject("zeta"), "erased_at": f"2026-01-01T00:00:{n:02}+00:00"}
        receipts.keep(store, receipts.sign(settings, told))
    first, second = (keeper.desk.get(f"/ricevute?pagina={n}").text for n in (1, 2))
    assert first.count("<section") == 50 and 'id="r-51"' in first and 'id="r-01"' not in first and "/ricevute?pagina=2" in first
    assert second.count("<section") == 2 and 'id="r-01"' in second and "/ricevute?pagina=1" in second
