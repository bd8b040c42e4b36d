from datetime import timedelta

from autostack.core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Locked,
    NotFound,
    Unauthorized,
    Unavailable,
)


class NotSignedIn(Unauthorized):
    hint = "Sign in, or send a valid access token."

    def __init__(self) -> None:
        super().__init__("You are not signed in.")


class CredentialsInvalid(Unauthorized):
    hint = "Check the e-mail address and the password."

    def __init__(self) -> None:
        super().__init__("Invalid credentials")


class SessionEnded(Unauthorized):
    hint = "Sign in again."

    def __init__(self) -> None:
        super().__init__("This session has ended.")


class SecondFactorNeeded(Unauthorized):
    hint = "Send `code` too: what your authenticator shows, or a recovery code."

    def __init__(self) -> None:
        super().__init__("This account asks for a second factor.")


class SecondFactorInvalid(Unauthorized):
    hint = (
        "Wait for the authenticator's next code; each is good once. Check the clock of your phone."
    )

    def __init__(self) -> None:
        super().__init__("The code of the second factor is not valid.")


class AccountLocked(Locked):
    hint = (
        "Wait as long as Retry-After says, sign in from a device you used before, or set a new "
        "password by mail."
    )

    def __init__(self, wait: timedelta) -> None:
        super().__init__("Too many failed sign-ins: this account is locked for a while.")
        self.retry_after = wait


class EmailTaken(Conflict):
    hint = "Sign in, or use another address."

    def __init__(self) -> None:
        super().__init__("There is already an account with this e-mail address.")


class RegistrationClosed(Forbidden):
    hint = "Ask the administrator of this platform."

    def __init__(self) -> None:
        super().__init__("This platform takes no new accounts.")


class SetupCodeNeeded(Forbidden):
    hint = "Send the setup_code that `autostack up` printed on this server's console."

    def __init__(self) -> None:
        super().__init__("The first account of this platform needs its setup code.")


class CrossSiteRefused(Forbidden):
    hint = "Use the dashboard, or an access token instead of the cookie."

    def __init__(self) -> None:
        super().__init__("A change with the session cookie must come from this site.")


class SessionNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such session.")


class SignInsBusy(Unavailable):
    hint = "Wait as long as Retry-After says, then try again."

    def __init__(self, wait: timedelta) -> None:
        super().__init__("Too many people sign in at this moment.")
        self.retry_after = wait


class PasswordTooCommon(Invalid):
    hint = "Take a longer one that nobody else has; a few unrelated words are good."

    def __init__(self, why: str) -> None:
        super().__init__(f"This password cannot be used: {why}.")


class PasswordWrong(Forbidden):
    hint = "Type the password you sign in with."

    def __init__(self) -> None:
        super().__init__("This is not your password.")


class CodeWrong(Forbidden):
    hint = "Type what your authenticator shows now, or a recovery code; each is good once."

    def __init__(self) -> None:
        super().__init__("The code of the second factor is not valid.")


class SecondFactorOn(Conflict):
    hint = "Turn it off first; that needs the password and a code."

    def __init__(self) -> None:
        super().__init__("This account already has a second factor.")


class SecondFactorOff(Conflict):
    hint = "Begin with POST /auth/totp."

    def __init__(self) -> None:
        super().__init__("This account has no second factor, and none is being set up.")


class TokenForbids(Forbidden):
    hint = "Make one with a wider scope, or for this project: `autostack tokens create`."

    def __init__(self, why: str) -> None:
        super().__init__(f"This token may not do that: {why}.")


class TokenNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such token.")


class ProjectUnknown(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such project.")


class TooManyTokens(Conflict):
    hint = "Revoke one that is not used any more."

    def __init__(self, most: int) -> None:
        super().__init__(f"An account has {most} tokens at most.")


class LinkInvalid(Invalid):
    hint = "Ask for a new one: a link is good once, for an hour."

    def __init__(self) -> None:
        super().__init__("This link is not valid, or not any more.")


class MailNotConfigured(Unavailable):
    hint = "The administrator can set AUTOSTACK_SMTP_URL, or use `autostack admin reset-password`."

    def __init__(self) -> None:
        super().__init__("This platform sends no mail.")


class LastAdministrator(Conflict):
    hint = "Make another administrator first: `autostack admin create-user --admin`."

    def __init__(self) -> None:
        super().__init__("You are the only administrator of this platform.")


class UserNotFound(NotFound):
    hint = "`autostack admin list` shows every account."

    def __init__(self) -> None:
        super().__init__("There is no account with this address.")


class AccountNotFound(NotFound):
    hint = "GET /admin/users lists every account."

    def __init__(self) -> None:
        super().__init__("There is no such account.")


class NotAdministrator(Forbidden):
    hint = "Ask one of them."

    def __init__(self) -> None:
        super().__init__("This is for the administrators of the platform.")


class OwnSecondFactor(Forbidden):
    hint = "Turn it off among your own settings, with your password and a code."

    def __init__(self) -> None:
        super().__init__("You cannot reset your own second factor here.")


class EmailInvalid(Invalid):
    def __init__(self) -> None:
        super().__init__("This is not an e-mail address.")


class ProviderUnknown(NotFound):
    hint = "GET /auth/oauth lists those that can be used."

    def __init__(self) -> None:
        super().__init__("This platform offers no such sign-in.")


class ProviderAway(Unavailable):
    hint = "Try again later, or sign in with your password."

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"The sign-in with {name} does not work now: {why}.")


class ProviderRefused(Unauthorized):
    hint = "Begin the sign-in again."

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} did not sign you in: {why}.")


class SignInNotBegun(Invalid):
    hint = "Begin the sign-in again: it is good once, for ten minutes, in the same browser."

    def __init__(self) -> None:
        super().__init__("This sign-in was not begun here, took too long, or was used already.")


class AccountExists(Conflict):
    def __init__(self, name: str) -> None:
        super().__init__("There is already an account with this e-mail address.")
        self.hint = f"Sign in to it as you did before, then link {name} in its settings."


class EmailMissing(Invalid):
    hint = "Confirm an e-mail address there, or make an account with a password and link it."

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} names no confirmed e-mail address of yours.")


class IdentityTaken(Conflict):
    hint = "Sign in with it, and remove it from that account first."

    def __init__(self, name: str) -> None:
        super().__init__(f"This account at {name} is linked to another account here.")


class IdentityNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such linked account.")


class LastWayIn(Conflict):
    hint = "Set a password first, by the link for a forgotten one."

    def __init__(self) -> None:
        super().__init__("Without it you could not sign in any more.")
