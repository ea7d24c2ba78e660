"""Where the daemon listens: a Unix socket or loopback for this machine, TLS beyond it (door law)."""

from __future__ import annotations

import ipaddress
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from safelight import runtime
from safelight.errors import InvalidRequest, Unavailable

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
PORT_MOST = 65535


@dataclass(frozen=True)
class Tls:
    """PEM files for serving beyond this machine; clients must show a certificate of `client_ca`."""

    certificate: Path
    key: Path
    client_ca: Path


def bind(server: grpc.aio.Server, folder: Path, *, host: str, port: int, tls: Tls | None) -> str:
    """Binds, and returns the target for clients of this machine. With `tls` they have their own door beside it.

    Raises InvalidRequest for an address that may not be served, Unavailable for one that is taken.
    """
    if not 0 <= port <= PORT_MOST:
        raise InvalidRequest(f"there is no port {port}: give 1 to {PORT_MOST}, or 0 to choose one", "PORT")
    if tls is not None:
        if not host:
            raise InvalidRequest("certificates without --host serve nobody: give both", "TLS_WITHOUT_HOST")
        log.info("TLS clients are served on %s", _bind_tls(server, host, port, tls))
        host, port = "", 0
    if host:
        require_loopback(host)
        return _bind_tcp(server, host, port)
    if os.name != "posix":
        return _bind_tcp(server, LOOPBACK, 0)
    return _bind_socket(server, runtime.socket_path(folder))


def require_loopback(host: str) -> None:
    """Plain TCP with a token is for this machine only; raises InvalidRequest for any other address."""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise InvalidRequest(
            f"{host} is not an address of this machine alone: off this machine the daemon needs "
            "--tls-certificate, --tls-key and --tls-client-ca",
            "NOT_LOOPBACK",
        )


def _bind_socket(server: grpc.aio.Server, path: Path) -> str:
    """The folder keeps others out (mode 0700); the socket's own mode says the same."""
    target = runtime.socket_target(path)
    _add(server, target, None)
    path.chmod(0o600)
    return target


def _bind_tcp(server: grpc.aio.Server, host: str, port: int) -> str:
    bound = _add(server, _address(host, port), None)
    return _address(host, bound)


def _bind_tls(server: grpc.aio.Server, host: str, port: int, tls: Tls) -> str:
    try:
        key, certificate = tls.key.read_bytes(), tls.certificate.read_bytes()
        client_ca = tls.client_ca.read_bytes()
    except OSError as error:
        raise InvalidRequest(
            f"the file {error.filename} cannot be read ({error.strerror}): name PEM files", "TLS_FILE"
        ) from None
    credentials = grpc.ssl_server_credentials(
        [(key, certificate)], root_certificates=client_ca, require_client_auth=True
    )
    return _address(host, _add(server, _address(host, port), credentials))


def _add(server: grpc.aio.Server, address: str, credentials: Any) -> int:
    """The port. grpc says only that it failed."""
    try:
        if credentials is None:
            return int(server.add_insecure_port(address))
        return int(server.add_secure_port(address, credentials))
    except RuntimeError:
        pems = "" if credentials is None else ", or a PEM file is damaged"
        raise Unavailable(
            f"the daemon cannot listen on {address}: the address is taken or not this machine's{pems}; "
            "give another --host or --port",
            "CANNOT_LISTEN",
        ) from None


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
