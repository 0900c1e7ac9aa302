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


_FAULTS: Mapping[str, str] = {
    "missing": "is missing; give it",
    "extra_forbidden": "is no field of this request; leave it out, or see /openapi.json for those "
    "that there are",
    "int_parsing": "is no whole number; give one, such as 10",
    "int_type": "is no whole number; give one, such as 10",
    "int_from_float": "is no whole number; give one, such as 10",
    "int_parsing_size": "is too large; give a smaller whole number",
    "float_parsing": "is no number; give one, such as 1.5",
    "float_type": "is no number; give one, such as 1.5",
    "finite_number": "is no finite number; give one, such as 10",
    "greater_than_equal": "is less than {ge}; give {ge} or more",
    "greater_than": "is {gt} or less; give more than {gt}",
    "less_than_equal": "is more than {le}; give {le} or less",
    "less_than": "is {lt} or more; give less than {lt}",
    "string_type": "is no text; give text in quotes",
    "string_too_long": "is too long; give at most {max_length} characters",
    "string_too_short": "is empty; give some text",
    "string_pattern_mismatch": "is no id; give one of 16 digits and letters a to f",
    "string_unicode": "holds text that is not valid Unicode; write it anew",
    "list_type": 'is no list; give one in brackets, such as ["clips"]',
    "too_short": "holds too little; give at least {min_length}",
    "too_long": "holds too much; give at most {max_length}",
    "dict_type": "is no JSON object; give one in braces",
    "model_attributes_type": "is no JSON object; give one in braces",
    "model_type": "is no JSON object; give one in braces",
}
"""Kind of fault, as the framework calls it, to what is said of a field."""


def _first_reason(errors: Sequence[Any]) -> str:
    """What is wrong with the first field that is wrong, and what to do."""
    error = errors[0]
    if error["type"] == "json_invalid":
        return f"the body is not JSON: {error['ctx']['error']}"
    where = ".".join(str(part) for part in error["loc"][1:])  # the first says which part it is
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    is_nan = str(error.get("input")).lower() == "nan"  # which no limit holds
    if (fault := _FAULTS.get("finite_number" if is_nan else error["type"])) is not None:
        facts = error.get("ctx", {}).items()
        limits = {name: f"{x:.12g}" if isinstance(x, float) else x for name, x in facts}
        return f"{where or 'the body'} {fault.format_map(limits)}{more}"
    reason = str(error["msg"]).removeprefix("Value error, ")
    if "UploadFile" in reason:
        return f"{where} is no file; send one, as `curl -F {where}=@FILE` does{more}"
    return f"{where or 'the body'}: {reason[:1].lower()}{reason[1:]}{more}"
