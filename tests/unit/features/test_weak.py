"""Which passwords are refused, and why."""

import pytest

from autostack.features.accounts import weak


@pytest.mark.attack("A20")
@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("Password123", "most people"),
        (" 1234567890 ", "most people"),
        ("xyxyxyxyxyxyxy", "different characters"),
        ("ghijklmnopqr", "follow each other"),
        ("ada@example.com", "your address"),
        ("AUTOSTACK2!", "product"),
    ],
)
def test_a_password_anybody_would_guess_is_refused_with_a_reason(
    password: str, reason: str
) -> None:
    found = weak.why(password, email="ada@example.com")

    assert found is not None
    assert reason in found
    assert password.strip() not in found


@pytest.mark.parametrize(
    "password", ["testpassword123", "three blue bicycles", "ada likes 7 boats", "ünïcödé-wörds"]
)
def test_an_ordinary_one_is_fine(password: str) -> None:
    assert weak.why(password, email="ada@example.com") is None


def test_an_address_without_letters_before_the_at_refuses_nothing_else() -> None:
    assert weak.why("three blue bicycles", email="@example.com") is None
