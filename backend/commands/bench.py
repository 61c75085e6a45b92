"""``bench``: the speeds that the design promises, measured on servers of its own."""

import os
import subprocess
import sys
from pathlib import Path

import click

from backend.settings import PROJECT, VARIABLES

#: What may stay of our variables: where programs are. Everything else would lead to somebody's database.
PROGRAMS = ("SAOLOU_POSTGRES_BIN", "SAOLOU_VALKEY_BIN", "SAOLOU_VENV")


@click.command()
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the figures as JSON.")
@click.option("--quick", is_flag=True, help="Tiny sizes: shows that everything runs, its figures mean nothing.")
def bench(json_file: Path | None, quick: bool) -> None:
    """Measure pushing, compiling, pulling and papers, side by side with plain SQL; takes some minutes.

    Works on embedded servers in a temporary folder, whatever the environment names: it writes millions of rows.
    """
    arguments = [sys.executable, "-m", "tests.bench"]
    if json_file:
        arguments += ["--json", str(json_file.absolute())]
    if quick:
        arguments.append("--quick")
    environment = {k: v for k, v in os.environ.items() if k not in VARIABLES or k in PROGRAMS}
    sys.exit(subprocess.call(arguments, cwd=PROJECT, env=environment))
