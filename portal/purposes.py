"""What each page is for, in one sentence, and what the terms mean that it uses.

A term's English is the glossary's own (`docs/glossary.md`; a test holds the translation against it); its Italian is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PageHelp:
    """A page's sentence, and its terms by the glossary's name."""

    purpose: str
    terms: tuple[str, ...] = ()


#: By the glossary's name: what the desk calls it, and what it means.
TERMS: Mapping[str, tuple[str, str]] = {
    "PCC": ("PCC", "Piattaforma dei Crediti Commerciali: il registro dei debiti commerciali tenuto dal Ministero"),
    "gestionale": ("Gestionale", "Il sistema contabile dell'ente; nelle regole ERP"),
    "progressivo di registrazione": ("Progressivo di registrazione", "La chiave di un documento su PCC"),
    "importo commerciale": ("Importo commerciale", "Il totale meno l'IVA che l'ente versa da sé"),
    "scadenza": ("Scadenza", "Il giorno entro il quale il documento va pagato"),
    "creditore": ("Creditore", "A chi si deve oggi; original_creditor è il fornitore"),
    "non liquidabile": ("Non liquidabile", "Non sarà pagato"),
    "sospeso": ("Sospeso", "Contabilizzato come sospeso, con una causa; escluso quando la causa lo tiene fuori dallo stock"),
    "mandato, quietanza": ("Mandato, quietanza", "L'ordine di pagamento, e il giorno in cui è stato pagato"),
    "elenco aperte": ("Elenco degli aperti", "I documenti che l'ente vuole che restino aperti"),
    "caso particolare": ("Caso particolare", "Ciò che l'ente comunica: cessione, successione, contenzioso, …"),
    "reference date (D)": ("Data del debito (D)", "Il giorno per il quale si chiede lo stock"),
    "observation date (O)": ("Data dei fatti noti (O)", "Il giorno fino al quale si vedono i fatti, O ≥ D"),
    "stock": ("Stock", "Il debito commerciale scaduto e non pagato alla data D"),
    "view": (
        "Vista",
        "pcc: dal solo flusso di PCC; right: dopo la riconciliazione; projected: quella di PCC quando le operazioni "
        "sono accettate",
    ),
    "ITP": (
        "ITP",
        "Indicatore di tempestività dei pagamenti: giorni dalla scadenza al pagamento, pesati per importo",
    ),
    "FGDC": ("FGDC", "Fondo di garanzia debiti commerciali: ciò che accantona l'ente che paga tardi o ha troppo stock"),
    "decisione": (
        "Decisione",
        "Ciò che una persona ha deciso su un'operazione o un abbinamento: chi, quando, perché. Vale anche dopo ogni ricalcolo",
    ),
    "anomalia": (
        "Anomalia",
        "Una differenza tra le due parti, o un difetto di una, su un documento, con un codice e un rimedio",
    ),
    "operazione": ("Operazione", "Una riga di un file per PCC"),
    "causale": ("Causale", "Il codice di PCC che dice perché un importo è sospeso o non liquidabile"),
    "bonifica": ("Bonifica", "Allineare PCC alla verità, anomalia per anomalia"),
    "segnalazione": (
        "Segnalazione di PCC",
        "La risposta di PCC a una riga di un file: un codice e parole, vuota dove la riga è stata eseguita",
    ),
    "in flight": (
        "In volo",
        "Inviata o accettata e non ancora vista eseguita su PCC: il documento non riceve operazioni nuove",
    ),
    "delivery": (
        "Una consegna",
        "Un contenuto consegnato a un ente come un tipo di file; gli stessi byte due volte sono una consegna",
    ),
    "quarantine": ("Quarantena", "Righe e file rifiutati, con i motivi"),
    "ticket (segnalazione)": (
        "Segnalazione",
        "Una richiesta di aiuto, PCC-<numero>; il primo contatto, la prima risposta o telefonata, si "
        "misura in minuti lavorativi",
    ),
    "reparto": ("Reparto", "Del fornitore: dove una segnalazione è in coda"),
    "nota interna": ("Nota interna", "Una riga di una segnalazione che vede solo chi lavora per il fornitore"),
    "giudizio": ("Giudizio", "La parola del cliente su una segnalazione chiusa: una di tre facce"),
    "minuti lavorativi": (
        "Minuti lavorativi",
        "I minuti in orario di assistenza, senza festività e senza il giorno del santo patrono",
    ),
    "limite superato": ("Limite superato", "Primo contatto più tardi del limite (2.400 minuti lavorativi)"),
    "error budget": ("Margine di errore", "I minuti che in un periodo possono mancare alla disponibilità promessa"),
}

_DEBT = ("stock", "view", "reference date (D)")

#: By the page's template.
PAGES: Mapping[str, PageHelp] = {
    "home.html": PageHelp(
        "Che cosa serve ora da voi, e a che punto è il debito commerciale dell'ente.",
        (*_DEBT, "observation date (O)", "anomalia", "operazione"),
    ),
    "due_dates.html": PageHelp("Quanto debito scade, o è scaduto, e quando.", (*_DEBT, "scadenza")),
    "creditors.html": PageHelp("A chi si deve, e quanto.", (*_DEBT, "creditore")),
    "creditor.html": PageHelp("Il debito verso un creditore, documento per documento.", (*_DEBT, "creditore")),
    "documents.html": PageHelp(
        "I documenti che formano il debito, con la ricerca per numero e creditore.",
        (*_DEBT, "importo commerciale", "scadenza", "progressivo di registrazione"),
    ),
    "document.html": PageHelp(
        "Tutto ciò che si sa di un documento: importi, storia sulle due parti, anomalie e rimedi.",
        (*_DEBT, "importo commerciale", "scadenza", "sospeso", "non liquidabile", "mandato, quietanza"),
    ),
    "anomalies.html": PageHelp(
        "Dove PCC e il gestionale non dicono lo stesso, e come si rimedia.", ("anomalia", "PCC", "gestionale", "bonifica")
    ),
    "pcc_changes.html": PageHelp(
        "Ciò che è cambiato su PCC da uno scarico all'altro senza un'operazione inviata da qui né un mandato: per sua "
        "iniziativa, o per mano di qualcuno sul portale.",
        ("PCC", "stock", "operazione"),
    ),
    "questions.html": PageHelp(
        "Le domande a cui può rispondere solo l'ente: ogni risposta corregge lo stock.",
        ("stock", "anomalia", "elenco aperte", "caso particolare"),
    ),
    "operations.html": PageHelp(
        "Le righe da inviare a PCC perché dica la verità: qui si decide quali.",
        ("operazione", "decisione", "causale", "in flight"),
    ),
    "indicators.html": PageHelp(
        "I tempi di pagamento, gli interessi e l'accantonamento al fondo di garanzia.", (*_DEBT, "ITP", "FGDC")
    ),
    "indicator.html": PageHelp("I documenti che pesano di più in una cifra.", ("view", "scadenza")),
    "reports.html": PageHelp("I documenti da scaricare: rapporto, tabelle da pubblicare, elenchi di lavoro.", ("bonifica",)),
    "service.html": PageHelp(
        "Quanto in fretta risponde l'assistenza, e quanto il servizio è disponibile.",
        ("ticket (segnalazione)", "minuti lavorativi", "limite superato", "giudizio", "error budget"),
    ),
    "deliveries.html": PageHelp(
        "Qui si consegnano i file dell'ente, e si vede che cosa ne è stato.",
        ("delivery", "quarantine", "elenco aperte", "caso particolare"),
    ),
    "delivery.html": PageHelp(
        "Che cosa è stato letto di una consegna, e che cosa non va, riga per riga.", ("delivery", "quarantine")
    ),
    "tickets.html": PageHelp(
        "Qui si chiede aiuto al fornitore e si segue ogni richiesta fino alla chiusura.",
        ("ticket (segnalazione)", "reparto", "giudizio"),
    ),
    "ticket.html": PageHelp("Una richiesta di aiuto, con tutto ciò che se n'è scritto.", ("ticket (segnalazione)", "giudizio")),
    "assistance.html": PageHelp(
        "Le segnalazioni di tutti gli enti: prima quelle senza contatto, per quanto tempo resta.",
        ("ticket (segnalazione)", "reparto", "minuti lavorativi"),
    ),
    "assistance_ticket.html": PageHelp(
        "Una richiesta di un ente: qui si prende, si risponde, si passa, si chiude.", ("reparto", "nota interna")
    ),
    "judgement.html": PageHelp("Un giudizio su una segnalazione chiusa, con un tocco.", ("giudizio",)),
    "people.html": PageHelp("Chi può entrare per l'ente, con quale ruolo, e i gettoni delle API."),
    "provider_people.html": PageHelp("Chi lavora per il fornitore e può vedere gli enti."),
    "password.html": PageHelp("Qui si sceglie la propria password."),
    "sign_in.html": PageHelp("Qui si entra nella scrivania dei debiti commerciali."),
    "api.html": PageHelp("Come un programma legge le tabelle dell'ente."),
    "sent_files.html": PageHelp(
        "I file da caricare su PCC: scriverli, scaricarli, dire che sono caricati, leggerne l'esito.",
        ("operazione", "segnalazione", "in flight"),
    ),
    "sent_file.html": PageHelp(
        "Che cosa è stato di ogni riga di un file per PCC.", ("operazione", "segnalazione", "in flight")
    ),
    "enti.html": PageHelp("Che cosa attende ogni ente, e da quando: prima chi ha più urgenza."),
    "ente.html": PageHelp("Il servizio di un ente: le sue date, le scadenze, le lettere."),
    "new_ente.html": PageHelp("Qui si aggiunge un ente al registro del fornitore."),
    "receipts.html": PageHelp("Le ricevute delle cancellazioni, senza il nome di chi è stato cancellato."),
}
