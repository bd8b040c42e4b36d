"""The two cookies of a browser: its session, and that it is known."""

from datetime import timedelta

from fastapi import Request, Response

from autostack.features.accounts.deps import cookie_name, device_cookie_name
from autostack.features.accounts.tokens import DEVICE_LIFE, SESSION_LIFE
from autostack.web.client import is_https


def set_session(request: Request, response: Response, token: str) -> None:
    _set(request, response, cookie_name(request), token, life=SESSION_LIFE)


def set_device(request: Request, response: Response, token: str) -> None:
    _set(request, response, device_cookie_name(request), token, life=DEVICE_LIFE)


def forget_session(request: Request, response: Response) -> None:
    """The browser stays a known one."""
    response.delete_cookie(
        cookie_name(request),
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="strict",
    )


def _set(request: Request, response: Response, name: str, value: str, *, life: timedelta) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(life.total_seconds()),
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="strict",
    )
