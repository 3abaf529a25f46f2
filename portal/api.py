"""The API: an ente's published tables as JSON, page by page; a token reads one ente and nothing else.

Numbers are text with two decimals, so that no reader turns money into a float; dates are ISO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

from pcc_pipeline.database.publish import current_in
from pcc_pipeline.database.schema import published, row_key, table
from pcc_pipeline.support.figures import live
from portal import audit
from portal.tokens import find_token
from portal.web import address_of, database_of, engine_of, now

router = APIRouter(prefix="/api/v1", tags=["dati"])
LARGEST_PAGE = 1000

_bearer = HTTPBearer(auto_error=False, description="Token di un ente")


class State(BaseModel):
    """What the published state of an ente stands for."""

    ente: str
    reference_date: date | None
    observed_at: date | None
    published_at: datetime | None


class TablePage(BaseModel):
    """A page of rows of a table; `next` is the page after it, null after the last."""

    table: str
    page: int
    next: int | None
    rows: list[dict[str, Any]]


class Described(BaseModel):
    """A table: its grain, and its columns with their meaning."""

    name: str
    grain: str
    columns: dict[str, str] = Field(description="Meaning by column")


def ente_of_token(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> str:
    """The ente that the request's token reads; 401 else."""
    if given is not None:
        found = find_token(engine_of(request), given.credentials, now())
        if found is not None:
            if request.app.state.seen.anew(found.token_hash, request.url.path, now()):
                audit.record(engine_of(request), f"token {found.name}", "view", ente=found.ente,
                             detail=request.url.path[:200], address=address_of(request))  # fmt: skip
            return found.ente
    raise HTTPException(401, "Token mancante o non valido", {"WWW-Authenticate": "Bearer"})


Ente = Annotated[str, Depends(ente_of_token)]


def _connection(request: Request, ente: Ente) -> Iterator[sa.Connection]:
    with database_of(request).tenant(ente) as connection:
        yield connection


@router.get("/stato", responses={401: {}})
def state(ente: Ente, connection: Annotated[sa.Connection, Depends(_connection)]) -> State:
    """The dates of the ente's published state."""
    found = current_in(connection, ente)
    return State(
        ente=ente,
        reference_date=found.reference_date if found else None,
        observed_at=found.observed_at if found else None,
        published_at=found.published_at if found else None,
    )


class Service(BaseModel):
    """The service's figures as they are at this moment: rows by origin (DESK, FEED, ALL) and channel."""

    period: str
    at: datetime
    tickets: list[dict[str, Any]]
    standing: list[dict[str, Any]]
    judgements: list[dict[str, Any]]
    availability: dict[str, Any] | None


@router.get("/servizio", responses={401: {}, 422: {}})
def service(
    ente: Ente,
    connection: Annotated[sa.Connection, Depends(_connection)],
    kind: Annotated[str, Query(alias="per", pattern="^(month|quarter)$")] = "month",
) -> Service:
    """Tickets, judgements and availability of the month or quarter that runs, counted now."""
    at = now()
    found = live(connection, ente, at, kind)
    rows = {name: [_exact(row) for row in getattr(found, name)] for name in ("tickets", "standing", "judgements")}
    available = None if found.availability is None else _exact(found.availability)
    return Service(period=found.period, at=at, availability=available, **rows)


@router.get("/tabelle", responses={401: {}})
def tables(ente: Ente) -> list[Described]:
    """The tables that can be read."""
    return described()


def described() -> list[Described]:
    """The published tables of an ente, by name."""
    return [
        Described(name=name, grain=found.grain, columns={c.name: c.meaning for c in found.columns})
        for name, found in sorted(published().items())
        if "ente" in found.column_names
    ]


@router.get("/tabelle/{name}", responses={401: {}, 404: {}, 422: {}})
def rows(
    name: str,
    ente: Ente,
    connection: Annotated[sa.Connection, Depends(_connection)],
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    size: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 100,
) -> TablePage:
    """A page of an ente's rows of a table, in the order of its key."""
    described = published().get(name)
    if described is None or "ente" not in described.column_names:
        raise HTTPException(404, "Questa tabella non c'è")
    t = table(name)
    order = [t.c[column] for column in dict.fromkeys([*row_key(described), *described.column_names])
             if described.column(column).type not in ("records", "texts")]  # fmt: skip
    query = sa.select(t).where(t.c.ente == ente).order_by(*order).limit(size + 1).offset((page - 1) * size)
    found = connection.execute(query).mappings().all()
    return TablePage(
        table=name,
        page=page,
        next=page + 1 if len(found) > size else None,
        rows=[_exact(row) for row in found[:size]],
    )


def _exact(row: Mapping[str, Any] | sa.RowMapping) -> dict[str, Any]:
    return {key: _plain(value) for key, value in row.items()}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
