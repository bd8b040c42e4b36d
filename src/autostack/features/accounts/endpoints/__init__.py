"""Every call about accounts: one's own below /auth, those of others below /admin."""

from autostack.features.accounts.endpoints import (
    administration,
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
    administration.router,
)

__all__ = ["ROUTERS"]
