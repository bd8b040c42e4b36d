"""Every call about accounts, below /auth."""

from autostack.features.accounts.endpoints import (
    api_tokens,
    oauth,
    passwords,
    second_factor,
    sessions,
)

ROUTERS = (
    sessions.router,
    passwords.router,
    second_factor.router,
    api_tokens.router,
    oauth.router,
)

__all__ = ["ROUTERS"]
