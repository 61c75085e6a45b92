"""``test``: the whole test suite on embedded servers of its own, nothing installed beforehand."""

import subprocess
import sys

import click

from backend.settings import PROJECT


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--all", "everything", is_flag=True, help="Also the long ones: chaos, many seeds (up to an hour).")
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
def test(everything: bool, pytest_args: tuple[str, ...]) -> None:
    """Run the tests, in parallel; further arguments go to pytest."""
    arguments = list(pytest_args)
    if not any(argument.startswith(("-n", "--numprocesses")) for argument in arguments):
        arguments += ["-n", "2", "--dist", "loadfile"]
    if not everything:
        arguments += ["-m", "not long"]
    sys.exit(subprocess.call([sys.executable, "-m", "pytest", *arguments], cwd=PROJECT))
