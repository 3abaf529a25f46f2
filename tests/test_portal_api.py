"""The API's OpenAPI document, tried out by schemathesis: no request makes a server error."""

from __future__ import annotations

from datetime import UTC, datetime

import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as effort
from schemathesis import openapi

from pcc_pipeline.database.engine import engine
from pcc_pipeline.settings import Settings
from portal.accounts import add_user
from portal.app import create_app
from portal.tokens import new_token


def test_no_request_makes_a_server_error(settings: Settings) -> None:
    app = create_app(settings)
    tried = 0
    with TestClient(app):
        maker = add_user(engine(settings), "chi@alfa.it", "Chi", "ente_manager", "alfa", "una lunga parola d'ordine")
        token = new_token(engine(settings), "alfa", "prova", maker.user_id, datetime.now(UTC))
        headers = {"Authorization": f"Bearer {token}"}
        schema = openapi.from_dict(app.openapi())
        schema.app = app
        for operation in schema.get_all_operations():
            found = operation.ok()

            @effort(
                max_examples=25, deadline=None, phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck), derandomize=True,
            )  # fmt: skip
            @given(case=found.as_strategy())
            def call(case: schemathesis.Case) -> None:
                for bearing in (headers, {}):
                    case.call_and_validate(headers=bearing)

            call()
            tried += 1
    assert tried == 4
