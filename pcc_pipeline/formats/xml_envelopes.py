"""Envelopes around what SDI hands over: SOAP, and the elements of its web services (`fileSdIConMetadati`) with files in
base64. Telling them and taking the file out; nothing inside is read."""

from __future__ import annotations

import re
from collections.abc import Collection

from lxml import etree

from pcc_pipeline.formats.xml_open import RefusedFile, from_base64
from pcc_pipeline.formats.xml_parse import line_of, local

ENVELOPE = "taken out of the envelope in which SDI's web service hands it over"

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
            raise RefusedFile(f"The envelope holds more than one {name}: deliver each in a file of its own", line_of(files[1]))
        for element in files:
            if len(element):
                reason = f"The envelope's {name} is not in it but attached to the message it came in: deliver the file itself"
                raise RefusedFile(reason, line_of(element))
            return from_base64((element.text or "").encode())
    raise RefusedFile(f"The envelope ({local(root)[:80]}) holds no {' or '.join(names)}", line_of(root))
