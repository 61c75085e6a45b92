"""The installation's secret of embedded runs: made at the first start, readable by its owner only, never printed."""

import json
import os
import secrets
from base64 import b64decode, b64encode
from pathlib import Path

from backend.errors import ConfigurationError

FILE_NAME = "secrets.json"
PREVIOUS = "secrets.previous.json"


def read_or_make_secret(data_dir: Path) -> bytes:
    """The 32-byte secret key of ``data_dir``; made when there is none.

    Losing this file makes every sealed record unreadable: it is part of every backup.
    """
    path = data_dir / FILE_NAME
    try:
        return b64decode(json.loads(path.read_text(encoding="utf-8"))["secret_key"], validate=True)
    except FileNotFoundError:
        pass
    except (ValueError, KeyError) as error:
        raise ConfigurationError(f"{path} is damaged; put back the one from your last backup") from error
    key = secrets.token_bytes(32)
    write_secret(path, key)
    return key


def write_secret(path: Path, key: bytes) -> None:
    """Write the secret file whole or not at all, mode 0600.

    Another key that it held stays beside it: a restore that is killed may leave the data which only that one opens.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"secret_key": b64encode(key).decode()}, file)
        file.flush()
        os.fsync(file.fileno())
    if path.exists() and path.read_bytes() != draft.read_bytes():
        path.replace(path.with_name(PREVIOUS))
    draft.replace(path)
