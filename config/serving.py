"""Serving on this machine with granian, until told to stop."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Self

from django.conf import settings

STOPPING_TAKES_AT_MOST = 10  # seconds; then it is killed
STARTING_TAKES_AT_MOST = 60
RESTARTING_TAKES = 2.0  # between a worker's death and the next, so that a broken one does not spin


class ServerError(Exception):
    """The server ended by itself, or never answered."""


def free_port(host: str, wanted: int) -> int:
    """`wanted`, or the first free port after it. Raises OSError where there is none."""
    for port in range(wanted, min(wanted + 100, 65536)):
        if not _is_taken(host, port):
            return port
    raise OSError(f"No free port from {wanted} to {wanted + 99}. Name another with --port.")


def _is_taken(host: str, port: int) -> bool:
    # Asked both ways: some systems let two programs bind one port, and one that is bound need
    # not answer.
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((host, port)) == 0:
            return True
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


class Child:
    """A process over the database of this one; `with` stops it, whatever happens."""

    def __init__(self, *command: str, address: str) -> None:
        self.address, self.command = address, command
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.development",
            "DEBUG": "0",
            "ENVIRONMENT": os.environ.get("ENVIRONMENT", "Demo"),
            # Started by this process, which also stops it: the child is not to hold it too.
            "DATABASE_URL": settings.DATABASE_URL,
            # Errors and refusals show on the terminal; each request does if LOG_LEVEL says so.
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
            "SITE_URL": os.environ.get("SITE_URL", address),
            # Nobody has a mail server for a demo.
            "EMAIL_URL": os.environ.get("EMAIL_URL", "dummymail://"),
        }
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches this process alone, which stops the child in order.
        return subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, *self.command],
            cwd=settings.BASE_DIR,
            env=self.environment,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOPPING_TAKES_AT_MOST)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Worker(Child):
    """What works on background tasks beside the server; if it dies, another takes its place.

    What it is stopped in is begun anew.
    """

    def __init__(self, address: str) -> None:
        super().__init__("manage.py", "worker", "--verbosity", "0", address=address)
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._keep_alive, daemon=True)
        self._watch.start()

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._watch.join()
        super().__exit__()

    def _keep_alive(self) -> None:
        while not self._stopping.wait(RESTARTING_TAKES):
            if self.process.poll() is not None:
                self.process = self._start()


class Server(Child):
    """One granian process."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        super().__init__(
            *("-m", "granian", "config.wsgi:application"),
            *("--interface", "wsgi", "--host", host, "--port", str(port)),
            *("--workers", "1", "--blocking-threads", "4", "--log-level", "warning"),
            address=f"http://{host}:{port}/",
        )

    def wait_until_up(self) -> None:
        """Return once it accepts connections. Raises ServerError if it ends or never does."""
        patience = time.monotonic() + STARTING_TAKES_AT_MOST
        while time.monotonic() < patience:
            if self.process.poll() is not None:
                break
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex((self.host, self.port)) == 0:
                    return
            time.sleep(0.1)
        raise ServerError(f"The server did not start at {self.address}; its own words are above.")

    def wait_until_down(self) -> None:
        """Return never by itself: raises ServerError when the server ends, unasked."""
        code = self.process.wait()
        raise ServerError(f"The server ended unasked with code {code}; its own words are above.")
