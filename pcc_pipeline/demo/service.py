"""The synthetic provider's own files: tickets, judgements and probes of all enti, and its register of enti.

Same seed, same bytes. Beside the enti that deliver, the register holds one in each other state of the service
(ordered, prerequisites open, taken in charge, deactivating); they deliver nothing. An erased one leaves no row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from pcc_pipeline.clock import ROME
from pcc_pipeline.demo.dialects import write_rows
from pcc_pipeline.demo.parties import Ente, vat_number

_SUBJECTS = ("Stock non allineato", "Fattura mancante su PCC", "Scadenza errata", "Accesso alla scrivania", 
             "Nota di credito aperta", "Comunicazione annuale", "Mandato non riportato", "Cessione del credito")  # fmt: skip
_TICKETS = 60
_DAYS = 270
_PROBE_DAYS = 60
_SERVICES = ("webserver", "database", "portal")
#: The columns that the demo's register of enti has.
_ENTI = (
    *("ente", "denominazione", "cf", "codice_ipa", "tipo", "gestionale", "versione_gestionale", "ordine_il"),
    *("presa_in_carico_il", "attivato_il", "autorizzazione_remota", "credenziali", "pec_disattivazione_il", "santo_patrono"),
    "modelli_pcc",
)
#: Which of five enti still write Modello 003.
_OLDER = (0, 1)
_FEASTS = ("06-24", "11-11", "08-10", "04-29", "09-19")


def write_service(inbox: Path, enti: Sequence[Ente], seed: int, reference_date: date, observed_at: date) -> None:
    """Writes `_provider/{enti,tickets,ratings,probes}`; tickets end at `observed_at`."""
    _write(inbox, "enti", _ENTI, _enti(enti, reference_date))
    random = Random(f"{seed}/service")
    tickets, ratings = [], []
    for ente in enti:
        mine, judged = _tickets(random, ente.code, datetime.combine(observed_at, time(18), ROME))
        tickets += mine
        ratings += judged
    header = ["id", "ente", "canale", "aperto_il", "primo_contatto_il", "chiuso_il", "oggetto"]
    _write(inbox, "tickets", header, tickets)
    _write(inbox, "ratings", ["id_ticket", "giudizio", "il"], ratings)
    _write(inbox, "probes", ["il", "servizio", "esito", "ms"], _probes(random, observed_at))


def _write(inbox: Path, kind: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    folder = inbox / "_provider" / kind
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / f"{kind}.csv", header, rows)


def _enti(enti: Sequence[Ente], day: date) -> list[list[object]]:
    def ago(days: int) -> date:
        return day - timedelta(days=days)

    rows: list[list[object]] = [
        [
            ente.code, ente.name, ente.cf, ente.ipa, ente.tipo, ente.gestionale, f"{4 + n % 3}.{n % 10}",
            ago(200 + n % 30), ago(185 + n % 30), ago(110 + n % 30), "S", "S", "", _FEASTS[n % len(_FEASTS)],
            "003" if n % 5 in _OLDER else "",
        ]
        for n, ente in enumerate(enti)
    ]  # fmt: skip
    others = [
        ("roccaverde", "Comune di Rocca Verde", "3.9", ago(12), "", "", "", "", ""),
        ("pontelungo", "Comune di Pontelungo", "3.2", ago(70), ago(55), "", "S", "N", ""),
        ("castelnovo", "Comune di Castelnovo Alto", "4.3", ago(80), ago(60), "", "S", "S", ""),
        ("fontechiara", "Comune di Fontechiara", "4.3", ago(400), ago(385), ago(300), "S", "S", ago(3)),
    ]
    for n, (code, name, version, ordered, charged, active, remote, credentials, pec) in enumerate(others):
        cf = vat_number(9_000_000 + n * 9_973)
        rows.append([code, name, cf, f"d_{n + 1:04x}", "COMUNE", "Contabilità Civica", version, ordered, charged, active,
                     remote, credentials, pec, "", ""])  # fmt: skip
    return rows


def _tickets(random: Random, code: str, end: datetime) -> tuple[list[list[object]], list[list[object]]]:
    tickets: list[list[object]] = []
    ratings: list[list[object]] = []
    for n in range(_TICKETS):
        # The last few are fresh, so that some wait and one is about to breach.
        back = random.randrange(5 * 1440) if n >= _TICKETS - 4 else random.randrange(6 * 1440, _DAYS * 1440)
        opened = end - timedelta(minutes=back)
        name = f"T-{code[:3].upper()}{n:05d}"
        channel = random.choices(("SCRIVANIA", "TELEFONO", "EMAIL"), (6, 3, 2))[0]
        # Most within a day or two, one in thirty far too late.
        wait = random.randrange(12 * 1440, 20 * 1440) if n % 30 == 7 else int(random.expovariate(1 / 900))
        contact = opened if channel == "TELEFONO" else opened + timedelta(minutes=wait)
        closed = contact + timedelta(minutes=int(random.expovariate(1 / 2500)) + 5)
        subject = random.choice(_SUBJECTS)
        shown = [_shown(contact, end), _shown(closed, end)]
        tickets.append([name, code, channel, _shown(opened, end), *shown, subject])
        if closed >= end:
            continue
        if n % 20 == 3 and closed + timedelta(days=2) < end:  # opened again
            tickets.append([name, code, channel, _shown(closed + timedelta(days=1), end), "", "", subject])
        if random.random() < 0.7:
            judgement = random.choices(("POSITIVO", "NEUTRO", "NEGATIVO"), (7, 2, 1))[0]
            ratings.append([name, judgement, _shown(closed + timedelta(minutes=random.randrange(1, 600)), None)])
    return tickets, ratings


def _probes(random: Random, observed_at: date) -> list[list[object]]:
    start = datetime.combine(observed_at - timedelta(days=_PROBE_DAYS), time(), ROME)
    rows: list[list[object]] = []
    down = dict.fromkeys(_SERVICES, 0)
    for step in range(_PROBE_DAYS * 96):
        at = start.astimezone(ZoneInfo("UTC")) + timedelta(minutes=15 * step)
        for service in _SERVICES:
            if not down[service] and random.random() < 0.0008:
                down[service] = random.randrange(1, 24)
            up = not down[service]
            down[service] = max(0, down[service] - 1)
            answer = ("UP", random.randrange(20, 400)) if up else ("DOWN", "")
            rows.append([at.astimezone(ROME).isoformat(), service, *answer])
    return rows


def _shown(moment: datetime, end: datetime | None) -> str:
    if end is not None and moment > end:
        return ""
    return moment.astimezone(ROME).replace(second=0, microsecond=0).isoformat()
