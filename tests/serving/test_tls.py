from __future__ import annotations

import logging
import os
import socket
import ssl

import httpx
import pytest
from small_packages import ROW

from certificates import Authority, trusting
from gleis.contracts.errors import ConfigError
from gleis.serving.tls import Certificate


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def serve_with(make_service):
    """Serve the rule over TLS."""

    def serve(certificate):
        service = make_service(certificate=certificate)
        return f"https://127.0.0.1:{service.port}", service

    return serve


def test_it_answers_over_tls_and_not_without(authority, serve_with):
    url, service = serve_with(Certificate(*authority.issue("server")))
    with httpx.Client(verify=trusting(authority)) as client:
        assert client.post(f"{url}/predict", json=ROW).json()["score"] == 0.625
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{url}/livez")
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://127.0.0.1:{service.port}/livez")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1")
@pytest.mark.parametrize(
    ("version", "spoken"), [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)]
)
def test_old_tls_is_refused(authority, serve_with, version, spoken):
    _, service = serve_with(Certificate(*authority.issue("server")))
    context = trusting(authority)
    context.set_ciphers("ALL:@SECLEVEL=0")  # else this side would refuse before
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
    with socket.create_connection(("127.0.0.1", service.port), timeout=5) as line:
        if spoken:
            with context.wrap_socket(line, server_hostname="localhost") as safe:
                assert safe.version() == version.replace("_", ".")
        else:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(line, server_hostname="localhost")


def test_only_clients_of_the_authority_are_let_in(authority, serve_with, tmp_path):
    url, _ = serve_with(Certificate(*authority.issue("server"), clients=authority.path))
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "stranger").issue("client")
    with httpx.Client(verify=trusting(authority, *authority.issue("client"))) as client:
        assert client.get(f"{url}/livez").status_code == 200
    for context in (trusting(authority), trusting(authority, *stranger)):
        with httpx.Client(verify=context) as client, pytest.raises(httpx.HTTPError):
            client.get(f"{url}/livez")


def test_a_renewed_certificate_is_taken_up_without_a_restart(authority, serve_with, caplog):
    cert, key = authority.issue("server")
    certificate = Certificate(cert, key)
    _, service = serve_with(certificate)
    assert serial(service.port, authority) == serial(service.port, authority)
    before = serial(service.port, authority)
    assert not certificate.renew(), "nothing new"
    other_cert, other_key = authority.issue("renewed")
    os.replace(other_cert, cert)
    with caplog.at_level(logging.WARNING):
        assert not certificate.renew(), "half of it is there: the old pair goes on"
    assert "not taken up" in caplog.text
    assert serial(service.port, authority) == before
    os.replace(other_key, key)
    assert certificate.renew()
    assert serial(service.port, authority) != before


def serial(port, authority):
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as line,
        trusting(authority).wrap_socket(line, server_hostname="localhost") as safe,
    ):
        return safe.getpeercert()["serialNumber"]


@pytest.mark.parametrize("case", ["no cert", "no key", "no pem", "of another", "clients"])
def test_files_that_cannot_be_used_are_said(authority, tmp_path, case):
    cert, key = authority.issue("server")
    clients = None
    if case in {"no cert", "no key"}:
        (cert if case == "no cert" else key).unlink()
    elif case == "no pem":
        cert.write_text("hello")
    elif case == "of another":
        _, key = authority.issue("another")
    else:
        clients = tmp_path / "gone.pem"
    with pytest.raises(ConfigError, match="cannot be used") as caught:
        Certificate(cert, key, clients)
    assert caught.value.field.startswith("serve.tls_")
    assert "PEM" in caught.value.remedy
