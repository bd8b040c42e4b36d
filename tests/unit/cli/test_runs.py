import pytest
from typer.testing import CliRunner

from autostack.entrypoints.cli.errors import Usage
from autostack.entrypoints.cli.main import app
from autostack.entrypoints.cli.runs import as_sent, seconds


def test_a_command_line_quoted_as_a_whole_is_sent_as_one() -> None:
    assert as_sent(["python manage.py migrate"]) == "python manage.py migrate"
    assert as_sent(["python", "-c", "print(1)"]) == ["python", "-c", "print(1)"]
    assert as_sent(["ls"]) == ["ls"]


def test_no_command_is_told_with_an_example() -> None:
    with pytest.raises(Usage, match="no command") as raised:
        as_sent(None)

    assert raised.value.hint == "As in `autostack run -- python manage.py migrate`."


def test_without_a_command_the_exit_code_is_that_of_a_wrong_command_line() -> None:
    done = CliRunner().invoke(app, ["run", "--env", "staging"])

    assert done.exit_code == 2
    assert "autostack run -- python manage.py migrate" in done.stderr


@pytest.mark.parametrize(("text", "wanted"), [("90", 90), ("90s", 90), ("30m", 1800), ("2h", 7200)])
def test_a_time_is_a_number_and_its_unit(text: str, wanted: int) -> None:
    assert seconds(text) == wanted


@pytest.mark.parametrize("text", ["", "soon", "1d", "-5", "1.5h", "1234567"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Usage, match="is not a time"):
        seconds(text)
