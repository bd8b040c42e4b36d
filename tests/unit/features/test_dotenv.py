import pytest
from hypothesis import given
from hypothesis import strategies as st

from autostack.features.variables.dotenv import parse
from autostack.features.variables.errors import DotenvInvalid


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("\n\n# nothing\n", {}),
        ("A=1", {"A": "1"}),
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1", {"A": "1"}),
        ("export A=1", {"A": "1"}),
        ("  A = x y  ", {"A": "x y"}),
        ("A=", {"A": ""}),
        ("A=\nB=2", {"A": "", "B": "2"}),
        ("A=x # note", {"A": "x"}),
        ("A=x#y", {"A": "x#y"}),
        ("A='x # y'", {"A": "x # y"}),
        ("A='a\nb'", {"A": "a\nb"}),
        ('A="a\\nb\\"c" # note', {"A": 'a\nb"c'}),
        ('A="$HOME \\$X \\d"', {"A": "$HOME $X \\d"}),
        ("A='$HOME'", {"A": "$HOME"}),
        ("A=$HOME", {"A": "$HOME"}),
        ("URL=postgres://u:p@h/d?x=1&y=a=b", {"URL": "postgres://u:p@h/d?x=1&y=a=b"}),
        ("A=1\nA=2", {"A": "2"}),
    ],
)
def test_the_usual_forms_are_read(text: str, found: dict[str, str]) -> None:
    assert parse(text) == found


@pytest.mark.attack("S10")
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("just words", 1),
        ("A=1\nhunter2\n", 2),
        ("A=1\n\n# x\nB='hunter2", 4),
        ('A="hunter2" hunter3', 1),
        ("=hunter2", 1),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line_and_never_shown(text: str, line: int) -> None:
    with pytest.raises(DotenvInvalid, match=f"Line {line} ") as caught:
        parse(text)

    assert "hunter" not in str(caught.value) + caught.value.hint


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except DotenvInvalid:
        return

    assert all(name and "=" not in name for name in found)
