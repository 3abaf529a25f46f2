"""Links in mails by which a client judges a closed ticket without signing in: signed, for one closing, for two months."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path

from itsdangerous import BadData, URLSafeTimedSerializer

from pcc_pipeline.installation import kept_secret
from pcc_pipeline.settings import Settings

GOOD_FOR = timedelta(days=60)


@dataclass(frozen=True)
class Judged:
    """What a link is about: a closing of an ente's ticket."""

    ente: str
    number: int
    closing: datetime


def judge_token(settings: Settings, ente: str, number: int, closing: datetime) -> str:
    """The token of a link to judge a closing."""
    return _serializer(settings.home).dumps([ente, number, closing.isoformat()])


def read_token(settings: Settings, token: str) -> Judged | None:
    """What a token is about; None where it is none of ours, or too old."""
    try:
        ente, number, closing = _serializer(settings.home).loads(token, max_age=int(GOOD_FOR.total_seconds()))
        return Judged(str(ente), int(number), datetime.fromisoformat(closing))
    except (BadData, ValueError, TypeError):
        return None


@cache
def _serializer(home: Path) -> URLSafeTimedSerializer:
    """Signs with the installation's key, made at first use, readable by its owner alone."""
    key = kept_secret(home / "keys" / "links.key", partial(secrets.token_bytes, 32))
    return URLSafeTimedSerializer(key, salt="judgement")
