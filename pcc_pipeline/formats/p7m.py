"""Signed files (CAdES .p7m): the content they carry and what their signature is worth.

The content is always taken out; the signature is checked against the certificate that came with it and
reported, never required. Trust is not checked here: no chain, no revocation, no validity period. What the
content is (an invoice or not) is told by those who call.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from asn1crypto import cms, core, x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from pcc_pipeline.formats.reasons import damaged

VALID, INVALID, UNVERIFIABLE = "VALIDA", "NON_VALIDA", "NON_VERIFICABILE"

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


class NotSigned(ValueError):
    """The bytes are no CMS signed data, or are cut short; the message says which, for a person."""


@dataclass(frozen=True)
class SignedFile:
    """What a signed file holds: the content, the worth of its signature, the signer's subject."""

    content: bytes
    status: str
    signer: str | None


def looks_signed(data: bytes) -> bool:
    """Whether the bytes open as a DER or BER sequence, as CMS does and XML or base64 text does not."""
    return len(data) > 2 and data[0] == 0x30 and data[1] >= 0x80


def unwrap(data: bytes) -> SignedFile:
    """The content of a CMS signed data in DER or BER (also of indefinite length, content in chunks).

    Several signers: VALIDA if every signature holds, NON_VALIDA if any fails, else NON_VERIFICABILE.
    Raises NotSigned.
    """
    try:
        info = cms.ContentInfo.load(data)
        kind = info["content_type"].native
        if kind != "signed_data":
            raise NotSigned(f"contenitore CMS di tipo {kind}, non dati firmati: consegnare la fattura stessa")
        signed = info["content"]
        inner = signed["encap_content_info"]["content"]
        content = b"" if inner is None or isinstance(inner, core.Void) else bytes(inner.native or b"")
        if not content:
            raise NotSigned("firma separata, senza la fattura: consegnare il file con il contenuto")
        choices = [choice.chosen for choice in signed["certificates"] or ()]
        certificates = [chosen for chosen in choices if isinstance(chosen, x509.Certificate)]
        signers = list(signed["signer_infos"])
    except NotSigned:
        raise
    except Exception as error:  # asn1crypto raises errors of many kinds on broken input
        raise NotSigned(damaged("contenitore .p7m")) from error
    outcomes: list[str] = []
    subjects: list[str] = []
    for signer in signers:
        try:
            certificate = _certificate_of(signer, certificates)
            if certificate is not None:
                subjects.append(_subject(certificate.subject.dump()))
            outcomes.append(UNVERIFIABLE if certificate is None else _check(signer, certificate, content))
        except (ValueError, TypeError, KeyError, OverflowError, UnsupportedAlgorithm):
            outcomes.append(UNVERIFIABLE)
    if INVALID in outcomes:
        status = INVALID
    elif not outcomes or UNVERIFIABLE in outcomes:
        status = UNVERIFIABLE
    else:
        status = VALID
    return SignedFile(content, status, "; ".join(dict.fromkeys(subjects)) or None)


def _certificate_of(signer: cms.SignerInfo, certificates: list[x509.Certificate]) -> x509.Certificate | None:
    sid = signer["sid"].chosen
    for certificate in certificates:
        if isinstance(sid, cms.IssuerAndSerialNumber):
            ours, theirs = certificate.issuer, sid["issuer"]
            same = certificate.serial_number == sid["serial_number"].native
            if same and (ours.dump() == theirs.dump() or ours == theirs):
                return certificate
        elif certificate.key_identifier == sid.native:
            return certificate
    return None


def _check(signer: cms.SignerInfo, certificate: x509.Certificate, content: bytes) -> str:
    """The verdict on one signature: the digest of the content, then the signature over the attributes."""
    digest_name = signer["digest_algorithm"]["algorithm"].native
    if digest_name not in _HASHES:
        return UNVERIFIABLE
    attributes = signer["signed_attrs"]
    if attributes is None or isinstance(attributes, core.Void) or len(attributes) == 0:
        messages: Iterable[bytes] = [content]
    else:
        found = [a["values"][0].native for a in attributes if a["type"].native == "message_digest"]
        if found != [hashlib.new(digest_name, content).digest()]:
            return INVALID
        # RFC 5652 5.4: the signature covers the attributes as a SET OF in DER, not with their implicit tag.
        # Usually they are sent so already; where they are not, they are put in order.
        messages = _attributes(attributes)
    key = _key(certificate.public_key.dump())
    algorithm = signer["signature_algorithm"]
    signature = signer["signature"].native
    scheme = algorithm.signature_algo
    for message in messages:
        try:
            if isinstance(key, rsa.RSAPublicKey) and scheme == "rsassa_pkcs1v15":
                key.verify(signature, message, padding.PKCS1v15(), _HASHES[_hash_of(algorithm, digest_name)])
            elif isinstance(key, rsa.RSAPublicKey) and scheme == "rsassa_pss":
                parameters = algorithm["parameters"]
                outer = parameters["hash_algorithm"]["algorithm"].native
                mask = parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native
                pss = padding.PSS(padding.MGF1(_HASHES[mask]), parameters["salt_length"].native)
                key.verify(signature, message, pss, _HASHES[outer])
            elif isinstance(key, ec.EllipticCurvePublicKey) and scheme == "ecdsa":
                key.verify(signature, message, ec.ECDSA(_HASHES[_hash_of(algorithm, digest_name)]))
            else:
                return UNVERIFIABLE
            return VALID
        except InvalidSignature:
            continue
    return INVALID


def _attributes(attributes: cms.CMSAttributes) -> Iterator[bytes]:
    yield b"\x31" + attributes.dump()[1:]
    yield cms.CMSAttributes(list(attributes)).dump(force=True)


@lru_cache(maxsize=256)
def _key(der: bytes) -> PublicKeyTypes:
    return serialization.load_der_public_key(der)


@lru_cache(maxsize=256)
def _subject(der: bytes) -> str:
    """A subject as text: one signer signs many files."""
    subject: str = x509.Name.load(der).human_friendly
    return subject


def _hash_of(algorithm: cms.SignedDigestAlgorithm, digest_name: str) -> str:
    """The hash of the signature: as its algorithm names it (sha256_rsa), else the digest's (rsa)."""
    name: str = algorithm["algorithm"].native
    for known in _HASHES:
        if name.startswith(f"{known}_"):
            return known
    return digest_name
