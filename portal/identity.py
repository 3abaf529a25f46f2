"""Sign-in through an identity provider by OpenID Connect: SPID and CIE through their aggregators, a company login.

Who the person is, is the provider's word (a verified e-mail); what
the person may do is the account's here: nobody gets in without one. Authlib speaks the protocol (code flow,
PKCE, nonce, signed tokens).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from authlib.integrations.starlette_client import OAuth

from pcc_pipeline.database.schema import table
from portal.accounts import User


@dataclass(frozen=True)
class Provider:
    """An identity provider: its issuer address, this desk's name and secret there, the words on the button."""

    issuer: str
    client_id: str
    client_secret: str
    label: str = "Entra con SPID o CIE"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Provider | None:
        """Reads PCC_OIDC_ISSUER, PCC_OIDC_CLIENT_ID, PCC_OIDC_CLIENT_SECRET, PCC_OIDC_LABEL; None without issuer.

        Raises ValueError where the issuer is given and the client is not.
        """
        values = os.environ if environment is None else environment
        issuer = values.get("PCC_OIDC_ISSUER", "").rstrip("/")
        if not issuer:
            return None
        client, secret = values.get("PCC_OIDC_CLIENT_ID", ""), values.get("PCC_OIDC_CLIENT_SECRET", "")
        if not client or not secret:
            raise ValueError("PCC_OIDC_ISSUER needs PCC_OIDC_CLIENT_ID and PCC_OIDC_CLIENT_SECRET")
        return cls(issuer, client, secret, values.get("PCC_OIDC_LABEL") or cls.label)


def client(provider: Provider) -> OAuth:
    """Authlib's client of the provider, named `identity`."""
    oauth = OAuth()
    oauth.register(
        "identity",
        server_metadata_url=f"{provider.issuer}/.well-known/openid-configuration",
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256"},
    )
    return oauth


def user_of(engine: sa.Engine, claims: Mapping[str, object]) -> User | None:
    """The account of the person whom the provider vouches for; None without a verified e-mail that has one."""
    email = str(claims.get("email") or "").strip().lower()
    if not email or claims.get("email_verified") is not True:
        return None
    users = table("users")
    query = sa.select(*(users.c[name] for name in User.__dataclass_fields__)).where(users.c.email == email, users.c.active)
    with engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else User(**row._mapping)
