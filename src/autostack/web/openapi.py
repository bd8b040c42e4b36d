"""The OpenAPI document: stable operation ids, and our problems instead of FastAPI's own error."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from autostack.web.problems import MEDIA_TYPE, Problem

_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def operation_id(route: APIRoute) -> str:
    """The function's name: clients are generated from it, so it stays."""
    return route.name


def install(app: FastAPI) -> None:
    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for ours in ("HTTPValidationError", "ValidationError"):
        schemas.pop(ours, None)
    schemas["Problem"] = Problem.model_json_schema()
    for methods in document["paths"].values():
        for operation in methods.values():
            _use_problems(operation["responses"])
    return document


def _use_problems(responses: dict[str, Any]) -> None:
    invalid = responses.get("422")
    if invalid is not None:
        described = invalid.get("description", "").replace("Validation Error", "RequestInvalid")
        responses["422"] = {"description": described, "content": _PROBLEM}
    responses["default"] = {"description": "Any other problem.", "content": _PROBLEM}
