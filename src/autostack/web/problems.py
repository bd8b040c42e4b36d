"""Errors as `application/problem+json` (RFC 9457): what happened, and what to do."""

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from autostack.core.errors import AutostackError, Invalid, TooLarge

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_SHOWN = 10


class Problem(BaseModel):
    """RFC 9457 problem details."""

    title: str
    status: int
    detail: str
    code: str
    hint: str = ""


class RequestInvalid(Invalid):
    """The request makes no sense; which part, but never the rejected value."""

    hint = "The reference at /docs describes each call."

    def __init__(self, what: str) -> None:
        super().__init__(what)


class BodyTooLarge(TooLarge):
    def __init__(self, limit: int) -> None:
        super().__init__(f"The request body is larger than {limit} bytes.")


def problems(*errors: type[AutostackError]) -> dict[int | str, dict[str, Any]]:
    """Declare on a route the errors it may answer with."""
    names: dict[int, list[str]] = {}
    for error in errors:
        names.setdefault(error.status, []).append(error.__name__)
    return {
        status: {
            "description": " or ".join(found),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, found in names.items()
    }


def problem_of(error: AutostackError) -> Problem:
    return Problem(
        title=type(error).__name__,
        status=error.status,
        detail=str(error),
        code=error.code,
        hint=error.hint,
    )


def respond(problem: Problem, *, headers: Mapping[str, str] | None = None) -> Response:
    # A lone surrogate in a message cannot be encoded; it is shown as an escape instead.
    body = problem.model_dump_json() if _encodes(problem) else _escaped(problem).model_dump_json()
    return Response(body, problem.status, headers, media_type=MEDIA_TYPE)


def respond_error(error: AutostackError) -> Response:
    headers = dict(error.headers)
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after.total_seconds())))
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return respond(problem_of(error), headers=headers)


def describe(errors: RequestValidationError) -> str:
    """Where a request is wrong and why, without what was sent."""
    found = [f"{_place(error['loc'])}: {error['msg']}" for error in errors.errors()]
    return "; ".join(found[:_SHOWN]) or "The request makes no sense."


def install(app: FastAPI) -> None:
    app.add_exception_handler(AutostackError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _plain)


async def _known(_request: Request, error: Exception) -> Response:
    assert isinstance(error, AutostackError)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s: %s", error.code, error)
    return respond_error(error)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return respond_error(RequestInvalid(describe(error)))


async def _plain(request: Request, error: Exception) -> Response:
    """Unknown paths, wrong methods, bodies that are no JSON."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = {
        HTTPStatus.NOT_FOUND: "There is nothing at this address.",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} is not possible here.",
    }.get(status, str(error.detail))
    problem = Problem(
        title=status.phrase.replace(" ", ""),
        status=status,
        detail=detail,
        code=status.phrase.lower().replace(" ", "_").replace("-", "_"),
        hint=RequestInvalid.hint,
    )
    return respond(problem, headers=error.headers)


def respond_unexpected() -> Response:
    """The log has the error; the client learns nothing about our insides."""
    return respond(
        Problem(
            title="InternalError",
            status=500,
            detail="Something went wrong on our side.",
            code="internal_error",
            hint="Try again; the platform's log has the details.",
        )
    )


def _place(location: tuple[int | str, ...]) -> str:
    """`body.name`; keys a client made up are cut."""
    return ".".join(str(part)[:40] for part in location[:6])


def _encodes(problem: Problem) -> bool:
    try:
        (problem.detail + problem.hint).encode()
    except UnicodeEncodeError:
        return False
    return True


def _escaped(problem: Problem) -> Problem:
    def clean(text: str) -> str:
        return text.encode(errors="backslashreplace").decode()

    return problem.model_copy(update={"detail": clean(problem.detail), "hint": clean(problem.hint)})
