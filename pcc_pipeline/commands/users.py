"""`pcc user …`: accounts of the desk, from the provider's side."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table

from pcc_pipeline.commands.terminal import code, err, out, stop
from pcc_pipeline.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Accounts of the clients' desk")

Password = Annotated[
    str | None, typer.Option(envvar="PCC_NEW_PASSWORD", help="Asked for when it is not given", show_envvar=True)
]


@app.command("add")
def add(
    email: str,
    role: Annotated[str, typer.Option(help="ente_user, ente_manager, operator, administrator")],
    ente: Annotated[str | None, typer.Option(help="For an ente's users", callback=code)] = None,
    name: str = "",
    password: Password = None,
) -> None:
    """Make an account."""
    from pcc_pipeline.database.engine import engine
    from portal.accounts import AccountError, add_user

    password = password or _ask()
    try:
        user = add_user(engine(Settings.from_environment()), email, name, role, ente, password)
    except AccountError as error:
        raise stop(str(error)) from None
    err.print(f"{user.email}: {user.role}{f' of {user.ente}' if user.ente else ''}", highlight=False)


@app.command("password")
def password(email: str, password: Password = None) -> None:
    """Give an account a new password; its sessions end."""
    from pcc_pipeline.database.engine import engine
    from portal.accounts import AccountError, set_password

    try:
        set_password(engine(Settings.from_environment()), email, password or _ask())
    except AccountError as error:
        raise stop(str(error)) from None


@app.command("token")
def token(
    ente: Annotated[str, typer.Option(help="The one ente that it reads", callback=code)],
    name: Annotated[str, typer.Option(help="What it is for")],
    by: Annotated[str, typer.Option(help="E-mail of the administrator or manager who answers for it")],
    days: Annotated[int, typer.Option(min=1, max=365, help="How long it reads")] = 365,
) -> None:
    """Make a token of the API; it is shown this once. It ends with its day, its maker's new password or closed account."""
    import sqlalchemy as sa

    from pcc_pipeline.database.engine import engine
    from pcc_pipeline.database.schema import table
    from portal.accounts import User
    from portal.tokens import new_token

    connected = engine(Settings.from_environment())
    users = table("users")
    columns = [users.c[column] for column in User.__dataclass_fields__]
    with connected.connect() as connection:
        row = connection.execute(sa.select(*columns).where(users.c.email == by.lower(), users.c.active)).one_or_none()
    if row is None or not (user := User(**row._mapping)).manages or not user.may_see(ente):
        raise stop(f"{by} may not make tokens of {ente}")
    typer.echo(new_token(connected, ente, name, user.user_id, datetime.now(UTC), timedelta(days=days)))


@app.command("tokens")
def tokens(
    ente: Annotated[str | None, typer.Option(help="Of this ente only", callback=code)] = None,
) -> None:
    """List the tokens of the API, with the beginning of each one's hash, by which it is revoked."""
    from pcc_pipeline.database.engine import engine
    from portal.tokens import tokens_of

    shown = Table("hash", "ente", "for", "made by", "made", "until", "")
    for row in tokens_of(engine(Settings.from_environment()), ente):
        state = "reads" if row["reads"] else "revoked" if row["revoked_at"] else "ended"
        days = (f"{row[name]:%Y-%m-%d}" for name in ("created_at", "expires_at"))
        shown.add_row(row["token_hash"][:12], row["ente"], row["name"], row["email"] or "", *days, state)
    out.print(shown)


@app.command("revoke")
def revoke_(token: Annotated[str, typer.Argument(help="The beginning of its hash, 12 characters at least")]) -> None:
    """Take a token of the API back."""
    from pcc_pipeline.database.engine import engine
    from portal.tokens import revoke

    if len(token) < 12 or not revoke(engine(Settings.from_environment()), token, datetime.now(UTC)):
        raise stop(f"No token {token} that still reads: pcc user tokens lists them")
    err.print("Revoked", highlight=False)


def _ask() -> str:
    if not os.isatty(0):
        raise stop("Give a password: on a terminal, or in PCC_NEW_PASSWORD")
    given: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return given
