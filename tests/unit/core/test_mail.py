"""Where the mail server is, as the setting says it."""

import pytest

from autostack.core.mail import Server, parse
from autostack.core.settings import Settings


@pytest.mark.parametrize(
    ("url", "server"),
    [
        (
            "smtp://ada%40x.io:p%3Aw@mail.x.io",
            Server(
                host="mail.x.io", port=587, security="starttls", username="ada@x.io", password="p:w"
            ),
        ),
        ("smtps://mail.x.io:4650", Server(host="mail.x.io", port=4650, security="tls")),
        ("smtp+plain://127.0.0.1", Server(host="127.0.0.1", port=25, security="none")),
    ],
)
def test_a_mail_server_is_one_address(url: str, server: Server) -> None:
    assert parse(url) == server


@pytest.mark.parametrize(
    "url", ["http://x.io", "smtp://", "smtp://u:hidden@x.io/path", "smtp://u:hidden@x.io:99999"]
)
def test_what_is_wrong_with_it_is_said_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"must be|must begin|port") as error:
        parse(url)

    assert "hidden" not in str(error.value)


def test_no_setting_shows_the_mail_servers_password() -> None:
    settings = Settings(smtp_url="smtp://u:hidden@x.io", public_url="https://deploy.x.io")

    assert "hidden" not in repr(settings)
    assert settings.mail_sender == "autostack@deploy.x.io"
    assert settings.web_address == "https://deploy.x.io"
