"""Signed files: contents taken out of every container, signatures judged. Certificates are made here."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from pcc_pipeline.formats import p7m
from pcc_pipeline.formats.fatturapa.open import open_document
from pcc_pipeline.formats.xml_open import RefusedFile

CONTENT = b"""<?xml version="1.0"?>
<FatturaElettronica versione="FPA12"><FatturaElettronicaBody/></FatturaElettronica>"""


def certificate(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ANNA PROVA")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256())


@pytest.fixture(scope="module")
def keys() -> dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey]:
    return {
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "pss": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ec": ec.generate_private_key(ec.SECP256R1()),
    }


def sign(key, content: bytes = CONTENT, options=(pkcs7.PKCS7Options.Binary,), scheme: str = "rsa") -> bytes:
    chosen = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if scheme == "pss" else None
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    builder = builder.add_signer(certificate(key), key, hashes.SHA256(), rsa_padding=chosen)
    return builder.sign(Encoding.DER, list(options))


def tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def in_chunks(der: bytes, content: bytes = CONTENT) -> bytes:
    """The same container in BER: the content in chunks inside an OCTET STRING of indefinite length."""
    primitive = tlv(0x04, content)
    at = der.index(primitive)
    chunks = b"".join(tlv(0x04, content[i : i + 50]) for i in range(0, len(content), 50))
    inner = b"\xa0\x80" + b"\x24\x80" + chunks + b"\0\0" + b"\0\0"
    data_oid = bytes.fromhex("06092a864886f70d010701")
    rest = der[at + len(primitive) :]
    head = der[der.index(bytes.fromhex("020101")) : der.index(b"\x30", der.index(data_oid) - 4)]
    encapsulated = b"\x30\x80" + data_oid + inner + b"\0\0"
    signed_oid = bytes.fromhex("06092a864886f70d010702")
    return b"\x30\x80" + signed_oid + b"\xa0\x80" + b"\x30\x80" + head + encapsulated + rest + b"\0\0" * 3


@pytest.mark.parametrize("scheme", ["rsa", "pss", "ec"])
def test_a_good_signature_is_valid(keys, scheme):
    signed = p7m.unwrap(sign(keys[scheme], scheme=scheme))
    assert (signed.content, signed.status, signed.signer) == (CONTENT, "VALIDA", "Common Name: ANNA PROVA")


def test_without_signed_attributes_the_content_itself_is_checked(keys):
    options = (pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoAttributes)
    assert p7m.unwrap(sign(keys["rsa"], options=options)).status == "VALIDA"


def test_a_changed_content_is_read_and_its_signature_said_invalid(keys):
    changed = sign(keys["rsa"]).replace(b"FPA12", b"FPR12")
    signed = p7m.unwrap(changed)
    assert b"FPR12" in signed.content
    assert signed.status == "NON_VALIDA"


def test_a_changed_signature_is_invalid(keys):
    der = bytearray(sign(keys["rsa"]))
    der[-1] ^= 1
    assert p7m.unwrap(bytes(der)).status == "NON_VALIDA"


def test_without_the_certificate_nothing_can_be_verified(keys):
    options = (pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoCerts)
    signed = p7m.unwrap(sign(keys["rsa"], options=options))
    assert (signed.content, signed.status, signed.signer) == (CONTENT, "NON_VERIFICABILE", None)


def test_content_in_chunks_of_indefinite_length(keys):
    signed = p7m.unwrap(in_chunks(sign(keys["rsa"])))
    assert (signed.content, signed.status) == (CONTENT, "VALIDA")


@pytest.mark.parametrize("cut", [1, 20, 700])
def test_a_cut_file_is_refused(keys, cut):
    with pytest.raises(p7m.NotSigned, match="danneggiato o incompleto"):
        p7m.unwrap(sign(keys["rsa"])[:-cut])


def test_a_detached_signature_is_refused(keys):
    options = (pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.DetachedSignature)
    with pytest.raises(p7m.NotSigned, match="separata"):
        p7m.unwrap(sign(keys["rsa"], options=options))


def test_other_containers_are_refused():
    with pytest.raises(p7m.NotSigned):
        p7m.unwrap(b"\x30\x82\x01\x00" + b"\xff" * 256)


def _pem(der: bytes) -> bytes:
    return b"-----BEGIN PKCS7-----\r\n" + base64.encodebytes(der).replace(b"\n", b"\r\n") + b"-----END PKCS7-----\r\n"


WRAPPINGS = {
    "der": lambda der: der,
    "base64": base64.b64encode,
    "base64 in lines": base64.encodebytes,
    "base64 in CRLF lines": lambda der: base64.encodebytes(der).replace(b"\n", b"\r\n"),
    "pem": _pem,
    "chunks": in_chunks,
    "base64 of chunks": lambda der: base64.encodebytes(in_chunks(der)),
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_every_wrapping_opens(keys, wrapping, tmp_path):
    path = tmp_path / "IT1_1.xml.p7m"
    path.write_bytes(WRAPPINGS[wrapping](sign(keys["ec"])))
    document = open_document(path)
    assert document.root.get("versione") == "FPA12"
    assert (document.firma, document.firmatario) == ("VALIDA", "Common Name: ANNA PROVA")


def test_signed_twice_names_both_and_the_worse_verdict(keys, tmp_path):
    inner = sign(keys["rsa"]).replace(b"FPA12", b"FPR12")
    path = tmp_path / "IT1_1.xml.p7m"
    path.write_bytes(sign(keys["ec"], content=inner))
    document = open_document(path)
    assert document.firma == "NON_VALIDA"
    assert document.firmatario == "Common Name: ANNA PROVA; Common Name: ANNA PROVA"


def test_base64_of_plain_xml_bears_no_signature(tmp_path):
    path = tmp_path / "IT1_1.xml"
    path.write_bytes(base64.encodebytes(CONTENT))
    assert open_document(path).firma is None


def test_a_signed_text_is_refused(keys, tmp_path):
    path = tmp_path / "letter.txt.p7m"
    path.write_bytes(sign(keys["rsa"], content=b"Good morning, this is a letter."))
    with pytest.raises(RefusedFile, match="non contiene XML"):
        open_document(path)
