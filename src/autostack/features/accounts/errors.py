from datetime import timedelta

from autostack.core.errors import Conflict, Forbidden, Locked, NotFound, Unauthorized


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


class AccountLocked(Locked):
    hint = "Wait as long as Retry-After says, then try again."

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
