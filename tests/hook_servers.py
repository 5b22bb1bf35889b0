"""HTTP and SMTP servers that take alarms, or do not, as a test tells them."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Hook:
    """A server on a free port; ``answers`` are given in turn, the last one for ever.

    An answer is a status, ``(status, headers)``, ``(status, headers, body)``, or a function of the
    handler for what no server should do.
    """

    def __init__(self, *answers, tls=None):
        self.answers = list(answers or (200,))
        self.posts = []
        self.taken = []
        """Bodies that were answered with 200."""
        self._lock = threading.Lock()
        self._open = set()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                hook._open.add(self.connection)

            def finish(self):
                hook._open.discard(self.connection)
                super().finish()

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with hook._lock:
                    hook.posts.append((dict(self.headers), body))
                    answer = hook.answers.pop(0) if len(hook.answers) > 1 else hook.answers[0]
                if callable(answer):
                    answer(self)
                    return
                status, headers, text = (*((answer,) if isinstance(answer, int) else answer),
                                         {}, b"")[:3]  # fmt: skip
                if status == 200:
                    hook.taken.append(body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/hook/T0K3N-of-it"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def bodies(self):
        """What was posted, decoded."""
        with self._lock:
            return [json.loads(body) for _, body in self.posts]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Stop, and end what still waits for an answer: no thread of a sender outlives its test."""
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def close_at_once(handler):
    """Close without a word."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def close_in_the_answer(handler):
    """Promise more than comes."""
    handler.wfile.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nwait a")
    handler.wfile.flush()
    close_at_once(handler)


def hang(seconds=30.0):
    """Take the message and say nothing."""

    def answer(handler):
        handler.close_connection = True
        handler.connection.settimeout(seconds)
        with contextlib.suppress(OSError):
            handler.connection.recv(1)

    return answer


def drip(handler):
    """Answer a byte at a time, for ever."""
    with contextlib.suppress(OSError):
        for byte in b"HTTP/1.1 200 " + b"O" * 10_000:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(0.05)


class Post:
    """A mail server: STARTTLS with a certificate, AUTH if it has users, ``refuse`` to taste."""

    def __init__(self, tls=None, users=None, refuse=None):
        self.mails = []
        self.refuse = refuse

        def authenticate(server, session, envelope, mechanism, data):
            known = (users or {}).get(data.login.decode()) == data.password.decode()
            return AuthResult(success=known, handled=False)

        context = None
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=free_port(),
            tls_context=context,
            require_starttls=tls is not None,
            authenticator=authenticate if users else None,
            auth_required=bool(users),
        )

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 taken"

    @property
    def port(self):
        """Where it listens."""
        return self._controller.port

    def __enter__(self):
        self._controller.start()
        return self

    def __exit__(self, *_):
        self._controller.stop()


def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
