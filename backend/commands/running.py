"""``serve``: the API and the worker, with embedded servers unless the environment names others."""

from pathlib import Path

import click

from backend.commands.installation import Installation, open_installation
from backend.commands.serving import base_url, services
from backend.embedded import Supervisor, check_port


@click.command()
@click.option("--data", "data_dir", type=click.Path(path_type=Path), help="Data folder of embedded servers.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the API (default 8000).")
def serve(data_dir: Path | None, port: int | None) -> None:
    """Start PostgreSQL, Valkey, the API and a worker; Ctrl-C stops everything."""
    with open_installation(data_dir, port=port, progress=say, alone=True) as installation:
        check_port(installation.settings.host, installation.settings.port)
        with supervise(installation) as supervisor:
            supervisor.start()
            say(f"serving at {base_url(installation.settings)} (Ctrl-C stops everything)")
            supervisor.wait()


def supervise(installation: Installation) -> Supervisor:
    """A supervisor of everything this installation serves with."""
    logs = installation.settings.data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    servers = installation.servers.units if installation.servers else ()
    return Supervisor([*servers, *services(installation, logs)], progress=say)


def say(text: str) -> None:
    """Progress for a person, on stderr: stdout is for results."""
    click.echo(f"· {text}", err=True)
