"""What goes wrong in a command ends in a sentence, never in a stack trace."""

from base64 import b64encode
from pathlib import Path

import pytest

from backend.cli import main
from backend.settings import Settings


def said(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """What a command that fails says at its end."""
    monkeypatch.setattr("sys.argv", ["saolou", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    assert isinstance(left.value.code, str)
    return left.value.code


@pytest.fixture
def served(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of an installation that runs elsewhere."""
    for name, value in {
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url or "",
        "REDIS_URL": settings.redis_url,
        "SAOLOU_SECRET_KEY": b64encode(settings.secret_key).decode(),
        "SAOLOU_DATA_DIR": str(settings.data_dir),
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("command", [("rebuild", "--check"), ("migrate",)])
def test_command_without_its_database_says_so(
    served: None, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        monkeypatch.setenv(name, "postgresql://nobody@/none?host=/nowhere")
    sentence = said(monkeypatch, *command)
    assert sentence.startswith("saolou: the database does not answer: ")
    assert "backend doctor" in sentence
    assert "\n" not in sentence


def test_command_with_a_path_that_cannot_be_says_which(
    served: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    assert said(monkeypatch, "backup", str(tmp_path / "file" / "b.tar")).endswith(f"({tmp_path / 'file'})")
