"""`pcc user …`: accounts of the desk, from the provider's side."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from pcc_pipeline.commands.terminal import code, err, stop
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
) -> None:
    """Make a token of the API; it is shown this once."""
    import sqlalchemy as sa

    from pcc_pipeline.database.engine import engine
    from pcc_pipeline.database.schema import table
    from portal.accounts import User
    from portal.api import new_token

    connected = engine(Settings.from_environment())
    users = table("users")
    columns = [users.c[column] for column in User.__dataclass_fields__]
    with connected.connect() as connection:
        row = connection.execute(sa.select(*columns).where(users.c.email == by.lower(), users.c.active)).one_or_none()
    if row is None or not (user := User(**row._mapping)).manages or not user.may_see(ente):
        raise stop(f"{by} may not make tokens of {ente}")
    typer.echo(new_token(connected, ente, name, user.user_id))


def _ask() -> str:
    if not os.isatty(0):
        raise stop("Give a password: on a terminal, or in PCC_NEW_PASSWORD")
    given: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return given
