"""Every call about accounts, below /auth."""

from fastapi import APIRouter

from autostack.features.accounts.endpoints import api_tokens, passwords, second_factor, sessions

router = APIRouter(prefix="/auth", tags=["accounts"])
router.include_router(sessions.router)
router.include_router(passwords.router)
router.include_router(second_factor.router)
router.include_router(api_tokens.router)

__all__ = ["router"]
