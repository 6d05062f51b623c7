"""Running a command in this process, as whoever typed it sees it."""

from typer.testing import CliRunner, Result

from energycore.cli.app import app

__all__ = ["refusal", "run", "words"]


def run(*arguments: object, code: int = 0, columns: int = 80) -> Result:
    """Run a command to its end, which its exit status tells."""
    given = [str(argument) for argument in arguments]
    result = CliRunner().invoke(app, given, env={"COLUMNS": str(columns)})
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
