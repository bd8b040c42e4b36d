"""Accounts: who somebody is, how they prove it, and where they are signed in."""

from autostack.features.accounts.service.administration import (
    Person,
    create_user,
    people,
    reset_password,
    reset_totp,
    unlock,
)
from autostack.features.accounts.service.api_tokens import (
    PREFIX,
    make_token,
    reaches,
    revoke_token,
    token_stands,
    tokens_of,
    who_by_token,
)
from autostack.features.accounts.service.closing import close, purge
from autostack.features.accounts.service.email_change import (
    SEND_CONFIRMATION,
    SEND_NOTICE,
    begin_email_change,
    confirm_email,
    request_email_change,
    withdraw_email_link,
)
from autostack.features.accounts.service.password import (
    SEND_RESET,
    begin_reset,
    change_password,
    finish_reset,
    request_reset,
    withdraw_reset,
)
from autostack.features.accounts.service.proving import prove
from autostack.features.accounts.service.second_factor import (
    Enrolment,
    Factor,
    begin_totp,
    confirm_totp,
    factor_of,
    new_recovery_codes,
    remove_totp,
)
from autostack.features.accounts.service.sessions import (
    refresh,
    revoke,
    revoke_others,
    sessions_of,
    sign_out,
    stands,
    who,
)
from autostack.features.accounts.service.signing_in import register, sign_in
from autostack.features.accounts.service.values import Accounts, Origin, Policy, SignedIn

__all__ = [
    "PREFIX",
    "SEND_CONFIRMATION",
    "SEND_NOTICE",
    "SEND_RESET",
    "Accounts",
    "Enrolment",
    "Factor",
    "Origin",
    "Person",
    "Policy",
    "SignedIn",
    "begin_email_change",
    "begin_reset",
    "begin_totp",
    "change_password",
    "close",
    "confirm_email",
    "confirm_totp",
    "create_user",
    "factor_of",
    "finish_reset",
    "make_token",
    "new_recovery_codes",
    "people",
    "prove",
    "purge",
    "reaches",
    "refresh",
    "register",
    "remove_totp",
    "request_email_change",
    "request_reset",
    "reset_password",
    "reset_totp",
    "revoke",
    "revoke_others",
    "revoke_token",
    "sessions_of",
    "sign_in",
    "sign_out",
    "stands",
    "token_stands",
    "tokens_of",
    "unlock",
    "who",
    "who_by_token",
    "withdraw_email_link",
    "withdraw_reset",
]
