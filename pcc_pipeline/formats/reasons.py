"""Reasons that several readers give, in Italian: who delivered a file reads them (quarantine, the desk, notes).

A reason that one module alone gives stands there. Each says in few words what was found, what is expected, what to do.
"""

from __future__ import annotations

import errno

EMPTY_FILE = "il file è vuoto"
NOT_XML = "non contiene XML: né in chiaro, né firmato (.p7m), né in base64"
ASK = "chiedere un file corretto"
ASK_AGAIN = "chiedere di nuovo il file"
ONE_EACH = "consegnare ciascuno in un file a sé"
SAVE_AS_TABLE = "salvare in .xlsx o in CSV"
NO_PASSWORD = "consegnarlo senza password"


def unreadable(error: OSError) -> str:
    """The reason for a file that the machine cannot read."""
    return f"il file non si legge ({errno.errorcode.get(error.errno or 0, type(error).__name__)})"


def unreadable_workbook(error: Exception) -> str:
    """The reason for a workbook that its reader cannot open."""
    return f"la cartella di lavoro non si legge ({type(error).__name__}): {SAVE_AS_TABLE}"


def too_large(size: int, most: int) -> str:
    """The reason for a file of `size` bytes where `most` are accepted."""
    return f"{size} byte, più dei {most} ammessi"


def several(what: str) -> str:
    """The reason for an envelope that holds more than `what` (`una fattura`)."""
    return f"la busta contiene più di {what}: {ONE_EACH}"


def damaged(what: str) -> str:
    """The reason for a container that is broken or was cut short."""
    return f"{what} danneggiato o incompleto: {ASK_AGAIN}"


SET_ASIDE = "messo da parte, non viene riletto da solo: segnalarlo, poi rileggerlo dalla quarantena"
KILLED = "la lettura del file ha fatto cadere il programma ({0}): " + SET_ASIDE
OUT_OF_MEMORY = "la lettura del file ha superato la memoria ammessa: " + SET_ASIDE
OUT_OF_TIME = "la lettura del file ha superato il tempo ammesso: " + SET_ASIDE
RUN_DIED = "il programma è caduto {0} volte mentre leggeva il file: " + SET_ASIDE
