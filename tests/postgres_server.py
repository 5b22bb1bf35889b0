"""A real PostgreSQL server of the tests' own, on a free port of 127.0.0.1 and a socket."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

PASSWORD = "not a secret"


def find_binaries() -> Path | None:
    """Return the folder of ``initdb`` and ``postgres``: pgserver's, or the system's."""
    folders = []
    package = importlib.util.find_spec("pgserver")  # its binaries only
    if package is not None and package.origin is not None:
        folders.append(Path(package.origin).parent / "pginstall" / "bin")
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        folders.append(Path(found).resolve().parent)
    return next((one for one in folders if (one / "postgres").exists()), None)


class PostgresServer:
    """A server that is our child: ended by its process id, whatever becomes of its clients.

    Started as root it runs as nobody, because PostgreSQL refuses to be root. Through the socket
    everybody comes in, through the port only with the password.
    """

    def __init__(self, binaries: Path, **settings: str) -> None:
        self.binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="gleis-pg-"))
        self.settings = settings
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, object] = {}
        if os.geteuid() == 0:
            self._as = {"user": 65534, "group": 65534, "extra_groups": []}
            os.chown(self.folder, 65534, 65534)
            if not _open_to_all(binaries):
                self.binaries = _copy(binaries, self.folder / "installed")
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._run(
            "initdb", "--pgdata=data", "--no-sync", "--username=gleis", f"--pwfile={password}",
            "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C",
        )  # fmt: skip
        self.start()

    def url(self, name: str = "postgres") -> str:
        """Return the URL of a database through the socket."""
        return f"postgresql://gleis@/{name}?host={self.folder}&port={self.port}"

    def tcp(self, name: str = "postgres", user: str = "gleis", password: str = PASSWORD) -> str:
        """Return the URL of a database through the port."""
        secret = f":{password.replace(' ', '%20')}" if password else ""
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{name}"

    def fresh(self) -> str:
        """Make an empty database; return its URL."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def execute(self, sql: str, url: str | None = None) -> list[tuple[object, ...]]:
        """Run a statement as the superuser."""
        with psycopg.connect(url or self.url(), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = (self.folder / "log").open("ab")
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            **self.settings,
        }
        flags = [f"--{key}={value}" for key, value in settings.items()]
        self.process = subprocess.Popen(
            [str(self.binaries / "postgres"), "-D", "data", *flags],
            cwd=self.folder, stdout=log, stderr=log, **self._as,
        )  # fmt: skip
        log.close()
        deadline = time.monotonic() + 60
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError((self.folder / "log").read_text()) from None
                time.sleep(0.05)
            else:
                return

    def stop(self, how: int = signal.SIGINT) -> None:
        """Stop it: SIGINT is pg_ctl's "fast", SIGQUIT its "immediate"."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def restart(self, how: int = signal.SIGQUIT) -> None:
        """Stop it at once, as a crash would, and start it again."""
        self.stop(how)
        self.start()

    def remove(self) -> None:
        """Stop it and remove its folder."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.binaries / program), *arguments],
            cwd=self.folder, capture_output=True, text=True, check=False, **self._as,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def start_server(**settings: str) -> PostgresServer:
    """Start a server, or skip the test where PostgreSQL is not installed."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed: pip install pgserver, or apt install postgresql")
    return PostgresServer(binaries, **settings)


def _open_to_all(folder: Path) -> bool:
    """Say whether nobody, too, gets to a folder: the home of root is closed to him."""
    return all(one.stat().st_mode & 0o001 for one in (folder, *folder.parents))


def _copy(binaries: Path, target: Path) -> Path:
    """Copy an installation with the libraries that pgserver has beside itself."""
    installed = binaries.parent
    libraries = installed.parents[1] / "pgserver.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, target / "pgserver.libs")
    copied = target / "pgserver" / "pginstall"
    shutil.copytree(installed, copied)
    return copied / binaries.name


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
