"""Writes the contract's description of the API: ``python -m backend.commands.openapi``. Needs no database."""

from pathlib import Path

from backend.app import create_app
from backend.http.openapi import render
from backend.settings import PROJECT, Settings

CONTRACT = PROJECT / "mobile_contract" / "openapi.json"


def described() -> str:
    """The description of the application as it is now. Nothing is connected to, and nothing is kept secret here."""
    unused = Settings(
        database_url="postgresql://nobody@/none",
        redis_url="redis://localhost",
        secret_key=bytes(32),
        data_dir=Path("unused"),
    )
    return render(create_app(unused))


def main() -> None:
    """Write the contract and say where."""
    CONTRACT.write_text(described(), encoding="utf-8")
    print(f"wrote {CONTRACT}")


if __name__ == "__main__":
    main()
