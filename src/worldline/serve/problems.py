"""Errors as problem details (RFC 9457): one clear sentence, never a traceback."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

__all__ = ["PROBLEM_TYPE", "Problem", "add_handlers", "problem", "problems"]

PROBLEM_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong (problem details of RFC 9457)."""

    title: str = Field(description="The status in words.", examples=["Not Found"])
    status: int = Field(description="HTTP status code.", examples=[404])
    detail: str = Field(
        description="One sentence that says what is wrong and what to do.",
        examples=["no video has the id 0123456789abcdef; GET /v1/videos lists them"],
    )


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that says what went wrong."""
    body = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    content = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(content, status, dict(headers or {}), media_type=PROBLEM_TYPE)


_WHEN = {
    400: "The request cannot be read.",
    401: "A token is needed.",
    403: "This is not open to clients.",
    404: "There is no such thing.",
    408: "The body did not come in time.",
    409: "The library cannot be used, or does not exist yet.",
    413: "The body is too large.",
    415: "The body is of another type.",
    416: "The file has no such part.",
    422: "What is asked for cannot be answered.",
    503: "Busy, or it took too long; try again later.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Documentation of the errors of a route."""
    return {status: {"model": Problem, "description": _WHEN[status]} for status in statuses}


_SAID = {
    404: "nothing is at this address; /openapi.json lists what there is",
    405: "this address does not take that method; /openapi.json lists what it takes",
}
"""What is said where the framework says no more than the status."""


def add_handlers(app: FastAPI) -> None:
    """Let every error of an app become a problem."""

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        known = error.detail != HTTPStatus(error.status_code).phrase
        said = error.detail if known else _SAID.get(error.status_code, error.detail)
        headers = dict(error.headers or {})
        if error.status_code == 405:
            # The framework names the methods of the first route at this address alone.
            headers["Allow"] = ", ".join(_methods(app, request.url.path))
        return problem(error.status_code, str(said), headers)

    @app.exception_handler(RequestValidationError)
    async def on_validation(_: Request, error: RequestValidationError) -> Response:
        return problem(422, _first_reason(error.errors()))

    @app.exception_handler(Exception)
    async def on_bug(_: Request, error: Exception) -> Response:
        return problem(500, f"unexpected {type(error).__name__}; please report this")


def _methods(app: FastAPI, path: str) -> list[str]:
    """What the documented addresses that a path fits take; GET for all others."""
    found: set[str] = set()
    for template, item in app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            found |= {method.upper() for method in item}
    return sorted(found) or ["GET"]


def _first_reason(errors: Sequence[Any]) -> str:
    """What is wrong with the first field that is wrong."""
    error = errors[0]
    if error["type"] == "json_invalid":
        return f"the body is not JSON: {error['ctx']['error']}"
    where = [str(part) for part in error["loc"][1:]]  # the first says only which part of a request
    reason = str(error["msg"]).removeprefix("Value error, ")
    reason = reason[:1].lower() + reason[1:]
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{'.'.join(where) or 'the body'}: {reason}{more}"
