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
    DEPARTMENT_WORDS,
    INDICATORS,
    OPERATION_STATES,
    SEVERITIES,
    SUSPENSIONS,
    TICKET_WORDS,
    VIEWS,
    day,
    euro,
    moment,
    number,
    percent,
    period,
    whole,
)
from pcc_pipeline.rules import anomaly_titles, rule_rows
from pcc_pipeline.tables.messages import MESSAGE_TYPES

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
    **SEVERITIES,
    "ente_user": "Utente dell'ente", "ente_manager": "Gestore dell'ente",
    "operator": "Operatore", "administrator": "Amministratore",
    "days": "giorni", "EUR": "euro", "creditors": "creditori",
    "landed": "ricevuta, da leggere", "staged": "letta", "refused": "rifiutata",
    "DUE": "scaduto", "PARTLY_EXCLUDED": "scaduto, in parte escluso", "PAID": "pagato", "NOT_DUE": "non scaduto",
    "ISSUED_LATER": "emesso dopo", "NON_COMMERCIAL": "non commerciale", "REJECTED": "rifiutato", "EXCLUDED": "escluso",
    "AMBIGUOUS": "abbinamento incerto", "DUPLICATE": "doppione",
}  # fmt: skip

#: Codes of a document's history, which mean one thing in a message of SDI and another in a movement on PCC.
LABELS |= {
    "KIND.ISSUED": "Emesso", "KIND.DUE": "Scadenza", "KIND.REGISTERED": "Registrato", "KIND.STATE": "Stato",
    "KIND.PAYMENT": "Pagamento", "KIND.REVERSAL": "Storno di pagamento", "KIND.CREDIT_NOTE": "Nota di credito collegata",
    "KIND.CREDITED": "Fattura collegata", "KIND.WITHHELD": "Ritenuta", "KIND.MESSAGE": "Messaggio",
    "KIND.MOVEMENT": "Movimento",
    "KIND.SENT": "Operazione inviata", "KIND.ANSWERED": "Risposta", "KIND.DONE": "Operazione eseguita",
    "STATE.REGISTRATA": "registrata", "STATE.LIQUIDATA": "liquidata", "STATE.SOSPESA": "sospesa",
    "STATE.NON_LIQUIDABILE": "non liquidabile", "STATE.RIFIUTATA": "rifiutata", "STATE.ANNULLATA": "annullata",
    "STATE.PRESENTATO": "presentato", "STATE.RICEVUTO": "ricevuto", "STATE.RIFIUTATO": "rifiutato",
    "STATE.CONTABILIZZATO": "contabilizzato", "STATE.PAGATO": "pagato",
    **{f"MESSAGE.{code}": meaning for code, meaning in MESSAGE_TYPES.items()},
    "OUTCOME.EC01": "accettata", "OUTCOME.EC02": "rifiutata",
    "MOVEMENT.RC": "ricezione", "MOVEMENT.RF": "rifiuto", "MOVEMENT.CO": "contabilizzazione",
    "MOVEMENT.CS": "comunicazione di scadenza", "MOVEMENT.CP": "comunicazione di pagamento",
    "MOVEMENT.SID": "importi del documento", "MOVEMENT.MI": "regime IVA", "MOVEMENT.CH": "chiusura",
    "MOVEMENT.IP": "pagamento", "MOVEMENT.RS": "ripristino", "MOVEMENT.RT": "azzeramento",
    **{f"SUSPENDED.{kind}": words for kind, words in SUSPENSIONS.items()},
    "DEBT.LIQ": "a liquidato", "DEBT.SOSP": "a sospeso", "DEBT.NOLIQ": "a non liquidabile",
    "DEBT.LIQdaSOSP": "da sospeso a liquidato", "DEBT.LIQdaNL": "da non liquidabile a liquidato",
    "DEBT.SOSPdaLIQ": "da liquidato a sospeso", "DEBT.SOSPdaNL": "da non liquidabile a sospeso",
    "DEBT.NLdaLIQ": "da liquidato a non liquidabile", "DEBT.NLdaSOSP": "da sospeso a non liquidabile",
    "DEBT.ADEGLIQ": "adeguamento del liquidato",
    "ACCOUNT.RICEVUTO": "Ricevuto, da contabilizzare", "ACCOUNT.LIQUIDATO": "Liquidato", "ACCOUNT.SOSPESO": "Sospeso",
    "ACCOUNT.NON_LIQUIDABILE": "Non liquidabile", "ACCOUNT.PAGATO": "Pagato",
    "ACCOUNT.PAGATO_NON_COMMERCIALE": "Pagato, non commerciale",
    "LINK.MANDATO": "stesso mandato", "LINK.SDI": "riferimento nella fattura elettronica",
    **{f"TIER.{row['tier']}": row["meaning"] for row in rule_rows("match_tiers")},
    "FIELD.creditor": "creditore", "FIELD.number": "numero", "FIELD.issue_date": "data di emissione", "FIELD.total": "totale",
    "FIELD.due_date": "scadenza", "FIELD.office": "ufficio",
    **{f"OPERATION.{state}": words for state, words in OPERATION_STATES.items()},
    "CHANGED.STATE": "stato", "CHANGED.LEFT_OUT": "esclusione", "CHANGED.DUE_DATE": "scadenza comunicata",
    "CHANGED.COMMERCIAL_AMOUNT": "importo commerciale", "CHANGED.SUSPENDED": "sospeso",
    "CHANGED.NOT_PAYABLE": "non liquidabile, importo",
    "CHANGED.NON_COMMERCIAL": "non commerciale, importo", "CHANGED.PAID": "pagato, importo",
    "CHANGED.PAID_NON_COMMERCIAL": "pagato, non commerciale",
    "FILE.written": "scritto, da caricare su PCC", "FILE.uploaded": "caricato, attende l'esito", "FILE.answered": "con esito",
    "FILE.NOT_UPLOADED": "da troppi giorni non caricato", "FILE.NOT_ANSWERED": "da troppi giorni senza esito",
    "STEP.received": "ricevuto", "STEP.read": "letto", "STEP.calculating": "calcolo in corso", "STEP.published": "pubblicato",
    "FEED.erp_invoices": "Fatture del gestionale", "FEED.erp_payments": "Pagamenti del gestionale",
    "FEED.erp_opi": "Ordinativi e giornale di cassa (OPI)", "FEED.pcc_invoices": "Documenti di PCC",
    "FEED.pcc_operations": "Movimenti di PCC", "FEED.pcc_outcomes": "Esiti di PCC sui modelli inviati",
    "FEED.open_list": "Elenco dei documenti che devono restare aperti", "FEED.special_cases": "Casi particolari",
    "FEED.sdi_invoices": "Fatture elettroniche", "FEED.sdi_messages": "Messaggi di SDI",
    "FEED.budgets": "Stanziamenti di bilancio",
    "FEED.tickets": "Richieste", "FEED.ratings": "Giudizi", "FEED.probes": "Misure di disponibilità",
    "FEED.enti": "Registro degli enti",
    **{f"SIGNAL.{row['signal']}": row["words"] for row in rule_rows("urgency")},
    "URGENCY.NOW": "subito", "URGENCY.SOON": "presto", "URGENCY.WAITING": "qualcosa attende", "URGENCY.QUIET": "niente da fare",
    "LIFE.ordered": "ordinato", "LIFE.taken_in_charge": "preso in carico", "LIFE.prerequisites_open": "mancano prerequisiti",
    "LIFE.active": "attivo", "LIFE.deactivating": "in dismissione", "LIFE.undated": "senza date nel registro",
    "LETTER.TAKEN_IN_CHARGE": "Presa in carico, con il piano delle attività", "LETTER.REMINDER": "Sollecito di ciò che manca",
    "LETTER.DEACTIVATION": "PEC di disattivazione", "LETTER.ERASURE": "Ricevuta di cancellazione",
    "SENT.PEC": "PEC", "SENT.MAIL": "posta ordinaria", "SENT.HAND": "con altri mezzi",
    "DUE.charge_due_on": "presa in carico dell'ordine", "DUE.lists_due_on": "consegna di elenco aperte e casi particolari",
    "DUE.guaranteed_from": "servizio garantito", "DUE.dismissal_due_on": "presa in carico della dismissione",
    "DUE.erase_from": "cancellazione dei dati, da questo giorno",
    "REGISTER.denominazione": "Denominazione", "REGISTER.cf": "Codice fiscale", "REGISTER.codice_ipa": "Codice IPA",
    "REGISTER.tipo": "Tipo di ente (COMUNE, PROVINCIA, SANITARIO…)", "REGISTER.gestionale": "Gestionale",
    "REGISTER.versione_gestionale": "Versione del gestionale", "REGISTER.ordine_il": "Ordine del",
    "REGISTER.presa_in_carico_il": "Presa in carico il", "REGISTER.attivato_il": "Attivo dal",
    "REGISTER.autorizzazione_remota": "Autorizzazione all'accesso remoto firmata",
    "REGISTER.credenziali": "Credenziali consegnate", "REGISTER.pec_disattivazione_il": "PEC di disattivazione del",
    "REGISTER.modelli_pcc": "Modelli di PCC", "REGISTER.siope_plus": "Paga con SIOPE+", "REGISTER.siope_plus_dal": "SIOPE+ dal",
    "REGISTER.pubblicato_il": "Debiti pubblicati il (art. 33)", "REGISTER.santo_patrono": "Santo patrono (mese-giorno, 06-24)",
    "REGISTER.pec": "PEC dell'ente",
    "REPORT.report.html": "Rapporto, pagina da aprire con il browser", "REPORT.report.pdf": "Rapporto in PDF",
    "REPORT.report.xlsx": "Rapporto in Excel, con documenti e anomalie",
    "REPORT.art33.csv": "Tabella da pubblicare (art. 33 D.Lgs. 33/2013), CSV",
    "REPORT.art33.json": "Tabella da pubblicare (art. 33 D.Lgs. 33/2013), JSON",
    **{f"TICKET.{state}": words for state, words in TICKET_WORDS.items()},
    **{f"DEPARTMENT.{name}": words for name, words in DEPARTMENT_WORDS.items()},
    "LINE.CALL": "telefonata", "LINE.NOTE": "nota interna, il cliente non la vede", "LINE.TAKEN": "presa in carico",
    "LINE.PASSED": "passata al reparto", "LINE.WAITING": "in attesa del cliente", "LINE.CLOSED": "chiusa",
    "LINE.REOPENED": "riaperta",
    "POSITIVO": "Bene", "NEUTRO": "Così così", "NEGATIVO": "Male",
    "month-1": "gennaio", "month-2": "febbraio", "month-3": "marzo", "month-4": "aprile", "month-5": "maggio",
    "month-6": "giugno", "month-7": "luglio", "month-8": "agosto", "month-9": "settembre", "month-10": "ottobre",
    "month-11": "novembre", "month-12": "dicembre",
    "day-0": "lunedì", "day-1": "martedì", "day-2": "mercoledì", "day-3": "giovedì", "day-4": "venerdì", "day-5": "sabato",
    "day-6": "domenica",
}  # fmt: skip


def label(code: str) -> str:
    """A code in words; itself where there are none."""
    return LABELS.get(code, code)


FILTERS: dict[str, Callable[..., Any]] = {
    "euro": euro, "day": day, "date": lambda at: moment(at)[:10],
    "moment": moment, "whole": whole, "number": number, "percent": percent, "label": label,
    "period": period,
}  # fmt: skip
