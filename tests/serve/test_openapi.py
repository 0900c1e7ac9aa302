"""The API keeps to what its OpenAPI document says, whatever is sent."""

from __future__ import annotations

from dataclasses import replace

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.python import asgi

from worldline.serve import ServeConfig, create_app

DOCUMENT = create_app(ServeConfig("library")).openapi()
CASES = [
    (method, path, mode)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    for mode in GenerationMode
    # Where nothing is taken, nothing wrong can be sent.
    if mode is GenerationMode.POSITIVE or {"parameters", "requestBody"} & set(operation)
]

BRIEF = settings(
    max_examples=10,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def schema(config):
    """The document of an app that runs for all tests of this module."""
    app = create_app(replace(config, hosts=(asgi.HOST,)))
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    # Which words can be read, and which plans and paths make sense, no schema can say.
    schema.config.checks.positive_data_acceptance.expected_statuses += ["422"]
    yield schema
    asgi.shutdown_lifespans()


@pytest.mark.parametrize(("method", "path", "mode"), CASES)
def test_answers_are_as_described(schema, method, path, mode):
    operation = schema[path][method]

    @BRIEF
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case):
        case.call_and_validate()

    call()


def test_every_field_and_parameter_is_described():
    for name, model in DOCUMENT["components"]["schemas"].items():
        assert model.get("description") or name.startswith(("Body_", "JobStatus")), name
        for field, facts in model.get("properties", {}).items():
            assert facts.get("description"), f"{name}.{field}"
    for path, item in DOCUMENT["paths"].items():
        for operation in item.values():
            assert operation["description"]
            assert operation["tags"]
            for parameter in operation.get("parameters", ()):
                assert parameter["description"], f"{path}: {parameter['name']}"
            for status, response in operation["responses"].items():
                if status >= "400":
                    assert list(response["content"]) == ["application/problem+json"], path
