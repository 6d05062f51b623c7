"""Running a command in this process, as whoever typed it sees it."""

from click.testing import Result
from typer.testing import CliRunner

from energycore.cli.app import app

__all__ = ["refusal", "run", "words"]


def run(*arguments: object, code: int = 0) -> "Result":
    """Run a command; the terminal is 80 columns wide."""
    result = CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "80"})
    assert result.exit_code == code, result.output
    return result


def refusal(*arguments: object) -> str:
    """The single line that a command is refused with."""
    error = run(*arguments, code=1).stderr
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    return error


def words(text: str) -> str:
    """A text without the frame and the line breaks that a wrong use is told in."""
    return " ".join(text.replace("│", " ").split())
