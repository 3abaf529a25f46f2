"""Words and numbers as readers expect them: Italian unless English is asked for. Texts are in `locale/en.po`."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from pcc_pipeline.italian import (
    BUCKETS,
    CHANNELS,
    INDICATORS,
    VIEWS,
    day,
    euro,
    moment,
    number,
    percent,
    whole,
)
from pcc_pipeline.rules import anomaly_titles

ITALIAN, ENGLISH = "it", "en"

def language(chosen: str | None, accepted: str | None) -> str:
    """The language of a request: what was chosen, else English only where the browser does not take Italian."""
    if chosen in (ITALIAN, ENGLISH):
        return chosen
    wanted = [part.split(";")[0].strip().lower()[:2] for part in (accepted or "").split(",")]
    return ENGLISH if ENGLISH in wanted and ITALIAN not in wanted else ITALIAN


@cache
def translator(wanted: str) -> Callable[[str], str]:
    """What turns the pages' Italian into a language."""
    if wanted == ITALIAN:
        return lambda text: text
    with (Path(__file__).parent / "locale" / f"{wanted}.po").open("rb") as file:
        catalogue = read_po(file, locale=wanted)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled).gettext


#: Buckets, views and states in words.
LABELS = {
    **VIEWS, **BUCKETS, **INDICATORS, **CHANNELS, **anomaly_titles(),
    "high": "alta", "medium": "media", "low": "bassa",
    "ente_user": "Utente dell'ente", "ente_manager": "Gestore dell'ente",
    "operator": "Operatore", "administrator": "Amministratore",
    "days": "giorni", "EUR": "euro", "creditors": "creditori",
    "landed": "ricevuta, da leggere", "staged": "letta", "refused": "rifiutata",
    "DUE": "scaduto", "PARTLY_EXCLUDED": "scaduto, in parte escluso", "PAID": "pagato", "NOT_DUE": "non scaduto",
    "ISSUED_LATER": "emesso dopo", "NON_COMMERCIAL": "non commerciale", "REJECTED": "rifiutato", "EXCLUDED": "escluso",
    "AMBIGUOUS": "abbinamento incerto", "DUPLICATE": "doppione",
    "proposed": "da decidere", "waiting": "attende una seconda persona", "approved": "approvata",
    "held": "attende un passo rifiutato", "sent": "inviata a PCC", "accepted": "accettata da PCC", "done": "eseguita su PCC",
    "pcc_refused": "rifiutata da PCC", "RC": "Ricezione", "RF": "Rifiuto", "CO": "Contabilizzazione",
    "CS": "Comunicazione di scadenza", "CP": "Comunicazione di pagamento",
}  # fmt: skip


def label(code: str) -> str:
    """A code in words; itself where there are none."""
    return LABELS.get(code, code)


FILTERS: dict[str, Callable[..., Any]] = {
    "euro": euro, "day": day, "moment": moment, "whole": whole, "number": number, "percent": percent, "label": label,
}  # fmt: skip
