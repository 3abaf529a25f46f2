"""Receipts of erasures: signed records of what was erased, how much and when, with nothing of the data.

A receipt must not name the ente it is about, or a trace would stay; yet who knows the code must be able to prove
which receipt is theirs, and a register that names an erased ente again must be noticed. So it holds a SHA-256 of a
random salt and the code: it can be checked against a code, but not turned back into one, and no table of hashes
made beforehand helps. Whoever holds the receipt and a list of all tenant codes could still try them one by one;
the codes are not secret, and the receipt's holder knows its client.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pcc_pipeline.installation import kept_secret
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import RECEIPTS, Store


def subject(ente: str, salt: str) -> str:
    """The hash by which a receipt stands for an ente."""
    return hashlib.sha256(f"{salt}/{ente}".encode()).hexdigest()


def new_subject(ente: str) -> dict[str, str]:
    """A fresh salt and the ente's hash under it."""
    salt = secrets.token_hex(16)
    return {"salt": salt, "subject_sha256": subject(ente, salt)}


def receipts(store: Store) -> list[dict[str, Any]]:
    """Every receipt, oldest first."""
    found = []
    for name in store.list(RECEIPTS):
        with store.open(name) as file:
            found.append(json.load(file))
    return sorted(found, key=lambda receipt: str(receipt["erased_at"]))


def erased_receipt(store: Store, ente: str) -> dict[str, Any] | None:
    """The receipt of an ente's erasure, None where it was not erased."""
    for receipt in receipts(store):
        if subject(ente, receipt["salt"]) == receipt["subject_sha256"]:
            return receipt
    return None


def _new_key() -> bytes:
    made = Ed25519PrivateKey.generate()
    return made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """The installation's key, under PCC_HOME/keys; made at first use, readable by its owner alone."""
    pem = kept_secret(settings.home / "keys" / "receipts.pem", _new_key)
    loaded = serialization.load_pem_private_key(pem, None)
    assert isinstance(loaded, Ed25519PrivateKey)
    return loaded


def _body(receipt: Mapping[str, Any]) -> bytes:
    plain = {name: value for name, value in receipt.items() if name not in ("signature", "public_key")}
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()


def sign(settings: Settings, receipt: Mapping[str, Any]) -> dict[str, Any]:
    """The receipt with the public key and the Ed25519 signature of all else in it (sorted JSON), base64."""
    key = signing_key(settings)
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    signed = base64.b64encode(key.sign(_body(receipt))).decode()
    return {**receipt, "public_key": base64.b64encode(public).decode(), "signature": signed}


def verified(receipt: Mapping[str, Any]) -> bool:
    """Whether the receipt is as it was signed by the key that it names."""
    from cryptography.exceptions import InvalidSignature

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(receipt["public_key"]))
        key.verify(base64.b64decode(receipt["signature"]), _body(receipt))
    except (InvalidSignature, KeyError, ValueError):
        return False
    return True


def keep(store: Store, receipt: Mapping[str, Any]) -> str:
    """Writes a signed receipt; returns its name in the store."""
    name = f"{RECEIPTS}/{receipt['receipt']}.json"
    store.write_bytes(name, json.dumps(receipt, indent=1, sort_keys=True).encode() + b"\n")
    return name
