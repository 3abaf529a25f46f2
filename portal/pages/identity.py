"""Signing in through an identity provider: there and back again."""

from __future__ import annotations

import logging
from functools import partial

from anyio.to_thread import run_sync
from authlib.integrations.starlette_client import OAuthError
from fastapi import APIRouter, HTTPException, Request, Response
from joserfc.errors import JoseError

from portal import audit
from portal.identity import user_of
from portal.pages.access import sign_in_form, signed_in_response
from portal.web import address_of, engine_of

router = APIRouter()
log = logging.getLogger(__name__)


def _away(request: Request) -> Response:
    log.exception("The identity provider does not answer as it should")
    return sign_in_form(request, 503, "Il gestore dell'identità non risponde: riprovare più tardi, o entrare con la password")


@router.get("/accesso/identita")
async def leave(request: Request) -> Response:
    """Sends the person to the identity provider."""
    if request.app.state.oauth is None:
        raise HTTPException(404, "La richiesta non è leggibile")
    try:
        answer: Response = await request.app.state.oauth.identity.authorize_redirect(request, str(request.url_for("come_back")))
    except Exception:  # it cannot be reached, or what it says is no answer of an identity provider
        return _away(request)
    return answer


@router.get("/accesso/identita/ritorno", name="come_back")
async def come_back(request: Request) -> Response:
    """Takes the person back: opens a session where the provider vouches for someone who has an account."""
    if request.app.state.oauth is None:
        raise HTTPException(404, "La richiesta non è leggibile")
    engine, address = engine_of(request), address_of(request)
    try:
        token = await request.app.state.oauth.identity.authorize_access_token(request)
    except (OAuthError, JoseError) as error:  # refused by the provider, or a token that is not for us
        await run_sync(
            partial(audit.record, engine, "–", "sign_in_failed", detail=f"OpenID Connect: {error.error}", address=address)
        )
        return sign_in_form(request, 401, "Accesso non riuscito presso il gestore dell'identità")
    except Exception:  # it cannot be reached, or what it says is no answer of an identity provider
        return _away(request)
    claims = token.get("userinfo") or {}
    user = user_of(engine, claims)
    if user is None:
        audit.record(engine, str(claims.get("email") or "–"), "sign_in_failed", detail="OpenID Connect", address=address)
        return sign_in_form(request, 403, "Per questa identità non c'è un accesso")
    return signed_in_response(request, user, "OpenID Connect")
