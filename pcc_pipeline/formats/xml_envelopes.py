"""Envelopes around what SDI hands over: SOAP, and the elements of its web services (`fileSdIConMetadati`) with files in
base64. Telling them and taking the file out; nothing inside is read."""

from __future__ import annotations

import re
from collections.abc import Collection

from lxml import etree

from pcc_pipeline.formats.reasons import several
from pcc_pipeline.formats.xml_open import RefusedFile, from_base64
from pcc_pipeline.formats.xml_parse import line_of, local

ENVELOPE = "estratto dalla busta in cui lo consegna il servizio web di SDI"

_HEAD = 2048
_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+<(?:[\w.-]+:)?(?:Envelope|file(?:SdI|InvioAllaPA)\w*)[\s>/]", re.S | re.I
)


def is_envelope(text: bytes) -> bool:
    """Whether the document's root is such an envelope."""
    return bool(_ROOT.match(text[:_HEAD]))


def content(root: etree._Element, names: Collection[str]) -> bytes:
    """The file that an envelope holds in base64, in an element of one of these names, the first that is there. Raises
    RefusedFile."""
    for name in names:
        files = [element for element in root.iter("{*}*") if local(element).lower() == name.lower()]
        if len(files) > 1:
            raise RefusedFile(several(f"un {name}"), line_of(files[1]))
        for element in files:
            if len(element):
                reason = f"il {name} non è nella busta ma allegato al messaggio che la portava: consegnare il file stesso"
                raise RefusedFile(reason, line_of(element))
            return from_base64((element.text or "").encode())
    raise RefusedFile(f"la busta ({local(root)[:80]}) non contiene {' né '.join(names)}", line_of(root))
