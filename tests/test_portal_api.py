"""The API's OpenAPI document, tried out by schemathesis: no request makes a server error."""

from __future__ import annotations

import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as effort
from schemathesis import openapi

from pcc_pipeline.database.engine import engine
from pcc_pipeline.settings import Settings
from portal.api import new_token
from portal.app import create_app


def test_no_request_makes_a_server_error(settings: Settings) -> None:
    app = create_app(settings)
    tried = 0
    with TestClient(app):
        headers = {"Authorization": f"Bearer {new_token(engine(settings), 'alfa', 'prova', 1)}"}
        schema = openapi.from_asgi("/api/openapi.json", app)
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
    assert tried == 3
