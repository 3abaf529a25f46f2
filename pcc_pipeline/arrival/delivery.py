"""Delivering a file to the inbox, as the portal and `pcc submit` do: written as `.part`, then renamed.

Nothing is read or judged here but names: what arrives is kept by `landing` and judged by `staging`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import uuid4

from pcc_pipeline.arrival import draining
from pcc_pipeline.arrival.landing import MISPLACED, PROVIDER_KINDS, PROVIDER_ONLY, unknown_kind
from pcc_pipeline.arrival.spans import DAY_OF, NOTHING, Said, marked
from pcc_pipeline.codes import PROVIDER, NoEnteCode, ente_code
from pcc_pipeline.tables import FEEDS


class DeliveryError(ValueError):
    """A file that cannot be delivered as asked; its text says why and what would do."""


def deliver(inbox: Path, ente: str, kind: str, file: Path, said: Said = NOTHING) -> Path:
    """Copies a file to `<inbox>/<ente>/<kind>/`; returns where it is. A name already there gets a number.

    `said` is what its sender says of it (whole for a span, or an increment): its name in the inbox bears it.

    Raises DeliveryError for an ente or kind that cannot be, or a name that readers of the inbox would ignore.
    """
    try:
        ente_code(ente, provider=True)
    except NoEnteCode as error:  # no client's doing: the desk has its user's ente
        raise DeliveryError(str(error)) from None
    if ente != PROVIDER and kind in PROVIDER_ONLY:
        raise DeliveryError(MISPLACED.format(kind=kind))
    kinds = PROVIDER_KINDS if ente == PROVIDER else tuple(name for name in FEEDS if name not in PROVIDER_ONLY)
    if kind not in kinds:
        raise DeliveryError(f"{kind}: {unknown_kind(kinds)}")
    if file.name.startswith(".") or file.name.endswith(".part"):
        raise DeliveryError(f"{file.name}: i nomi che cominciano con un punto o finiscono in .part non vengono letti")
    if said.whole is not None and kind not in DAY_OF:
        raise DeliveryError(f"{kind} non ha un periodo: possono essere completi solo {', '.join(DAY_OF)}")
    folder = inbox / ente / kind
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{uuid4().hex}{draining.UNFINISHED}"
    try:
        shutil.copyfile(file, temporary)
        number = 1
        target = folder / marked(file.name, said)
        while True:
            try:
                target.hardlink_to(temporary)  # never over a file that another delivery has just put there
                return target
            except FileExistsError:
                number += 1
                target = folder / marked(f"{file.stem}-{number}{file.suffix}", said)
    finally:
        temporary.unlink(missing_ok=True)
