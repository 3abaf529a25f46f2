"""Where each ente stands in the life of the service (docs/rules.md#rule-10), from the provider's register of enti.

One row of the register and a day give the state, the deadlines, what is missing and from whom, and whether the
ente is processed. The days themselves are data (`rules/data/service_deadlines.csv`). The overview of all enti is
the only query over several of them, and it is the provider's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from pcc_pipeline import italian
from pcc_pipeline.calculator.holidays import working_days_after
from pcc_pipeline.rules import rule_rows

ORDERED, CHARGED, OPEN, ACTIVE = "ordered", "taken_in_charge", "prerequisites_open", "active"
DEACTIVATING, ERASED, UNDATED = "deactivating", "erased", "undated"

#: Deliveries by kind that are prerequisites, and their names in Italian.
LISTS = {
    "open_list": "elenco delle fatture che devono restare aperte",
    "special_cases": "elenco dei casi particolari",
}


@dataclass(frozen=True)
class ServiceDeadline:
    """A deadline of the rule book: so many days (working days) after its start, and what it is for."""

    days: int
    working: bool
    meaning: str

    def after(self, start: date | None, patron_saint: str | None = None) -> date | None:
        """The day it ends, None without a start."""
        if start is None:
            return None
        if self.working:
            return working_days_after(start, self.days, patron_saint)
        return start + timedelta(days=self.days)


def deadline(name: str, on: date) -> ServiceDeadline:
    """The deadline of that name as in force on a day. Raises KeyError."""
    for row in rule_rows("service_deadlines"):
        until = row["valid_to"]
        if row["name"] == name and row["valid_from"] <= on.isoformat() and (not until or until >= on.isoformat()):
            return ServiceDeadline(int(row["days"]), row["working"] == "true", row["meaning"])
    raise KeyError(name)


@dataclass(frozen=True)
class Life:
    """An ente's place in the life of the service on a day; columns as `service_life` describes them.

    `refusal` says why it is not processed and what would change that; None: it is processed.
    """

    state: str
    refusal: str | None = None
    missing: tuple[str, ...] = ()
    due: Mapping[str, date | None] = field(default_factory=dict)
    next_deadline: str | None = None
    next_due_on: date | None = None
    at_risk: bool = False
    why: str | None = None


def version(text: str | None) -> tuple[int, ...]:
    """A release number as numbers, for comparing."""
    return tuple(int(part) if part.isdigit() else 0 for part in (text or "0").split("."))


def latest_release(gestionale: str | None, on: date) -> str | None:
    """The latest release of an accounting system known on a day; None where the rule book has none."""
    found = [
        row["versione"]
        for row in rule_rows("erp_releases")
        if row["gestionale"] == gestionale and row["valid_from"] <= on.isoformat()
    ]
    return max(found, key=version, default=None)


def missing(row: Mapping[str, Any], delivered: set[str], on: date) -> tuple[str, ...]:
    """The prerequisites that do not hold, each in Italian with who must act."""
    found = []
    if row["autorizzazione_remota"] is not True:
        found.append('autorizzazione all\'accesso remoto non firmata: la firma l\'ente (modello "Autorizzazione '
                     'all\'accesso remoto per l\'erogazione di servizi")')  # fmt: skip
    if row["credenziali"] is not True:
        found.append("credenziali di accesso non consegnate: le fornisce l'ente")
    latest = latest_release(row["gestionale"], on)
    if not row["versione_gestionale"]:
        found.append("versione del gestionale non comunicata: la comunica l'ente")
    elif latest and version(row["versione_gestionale"]) < version(latest):
        found.append(
            f"gestionale {row['gestionale']} alla versione {row['versione_gestionale']} invece di {latest}: lo aggiorna l'ente"
        )
    for kind, name in LISTS.items():
        if kind not in delivered:
            due = deadline("lists", on).after(row["ordine_il"])
            until = f" entro il {italian.day(due)}" if due else ""
            found.append(f"{name} non consegnato: lo consegna l'ente{until} (tipo {kind})")
    return tuple(found)


def life(row: Mapping[str, Any], on: date, delivered: set[str] = frozenset()) -> Life:  # type: ignore[assignment]
    """The life of the ente whose register row is given, on a day; `delivered` are the kinds it delivered so far."""
    feast, order, pec = row.get("santo_patrono"), row["ordine_il"], row["pec_disattivazione_il"]
    charged, active = row["presa_in_carico_il"], row["attivato_il"]
    due: dict[str, date | None] = {
        "charge_due_on": deadline("take_in_charge", on).after(order),
        "guaranteed_from": deadline("guaranteed", on).after(order),
        "lists_due_on": deadline("lists", on).after(order),
        "dismissal_due_on": deadline("dismissal", on).after(pec, feast),
        "erase_from": deadline("erase", on).after(pec, feast),
    }
    if pec is not None and pec <= on:
        erase = due["erase_from"]
        late = erase is not None and on > erase
        return Life(
            DEACTIVATING,
            f"deactivated: the PEC was sent on {pec}; nothing of this ente is processed any more. "
            f"Its data are to be erased from {erase} (pcc erase)",
            (),
            due,
            "cancellazione dei dati (pcc erase)",
            erase,
            late,
            f"i dati andavano cancellati dal {erase}" if late else "disattivato: non si elabora più nulla",
        )
    if active is not None and active <= on:
        lacks = missing(row, delivered, on)
        return Life(ACTIVE, None, lacks, due, at_risk=bool(lacks), why="; ".join(lacks) or None)
    if order is None and charged is None and active is None:
        return Life(
            UNDATED,
            None,
            missing(row, delivered, on),
            due,
            why="il registro non porta date: si elabora con avviso",
        )
    return _before_activation(row, on, delivered, due)


def _before_activation(row: Mapping[str, Any], on: date, delivered: set[str], due: dict[str, date | None]) -> Life:
    lacks = missing(row, delivered, on)
    if row["presa_in_carico_il"] is None or row["presa_in_carico_il"] > on:
        state, name, day = ORDERED, "presa in carico dell'ordine: la fa il fornitore", due["charge_due_on"]
    elif lacks:
        lists_due = due["lists_due_on"]
        lists_missing = any(kind not in delivered for kind in LISTS)
        early = lists_missing and lists_due is not None and (due["guaranteed_from"] or lists_due) > lists_due
        state = OPEN
        name = "consegna degli elenchi: la fa l'ente" if early else "prerequisiti dell'ente"
        day = lists_due if early else due["guaranteed_from"]
    else:
        state, name, day = CHARGED, "avvio del servizio: lo fa il fornitore", due["guaranteed_from"]
    if row["attivato_il"] is not None:
        refusal = f"not active before {row['attivato_il']}"
    else:
        refusal = f"not active ({state.replace('_', ' ')})"
    todo = f"missing: {'; '.join(lacks)}" if lacks else "nothing is missing: activate it in the register"
    words = f"{refusal}; {todo}"
    warned = day is not None and on >= day - timedelta(days=deadline("warning", on).days)
    late = day is not None and on > day
    risk = late or (warned and (bool(lacks) or state == ORDERED))
    why = f"{name}: {'scaduta il' if late else 'scade il'} {italian.day(day)}" if risk and day else None
    return Life(state, f"{words}. Its files stay in the inbox until it is active", lacks, due, name, day, risk, why)
