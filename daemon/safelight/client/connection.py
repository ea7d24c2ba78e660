"""Finds the daemon of this user, starts one when there is none, and opens a channel to it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

import safelight
from safelight import runtime, wire
from safelight.client.status import from_status
from safelight.errors import Unauthenticated, Unavailable
from safelight.v1 import daemon_pb2 as dpb
from safelight.v1 import daemon_pb2_grpc as dpb_grpc

START_DEADLINE_S = 60.0  # importing torch from a cold disk on a loaded laptop took 20 s
STOP_DEADLINE_S = 30.0
ANSWER_WAIT_S = 10.0  # a live daemon answers the handshake in milliseconds, also under load
POLL_S = 0.05
AUTO_IDLE_EXIT_S = 3600.0  # an auto-started daemon ends after an hour without a call
LOG_LINES_SHOWN = 3
DYING_S = 1.0  # from a killed process' sockets to its lock; it has memory to give back
CONNECT_TRIES = 3  # the daemon that was found may end before it is reached

CHANNEL_OPTIONS: list[tuple[str, int]] = [
    ("grpc.max_receive_message_length", wire.MESSAGE_BYTES),
    ("grpc.max_send_message_length", wire.MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 4_000),  # keepalive_timeout has no effect in grpcio 1.85 (measured)
    ("grpc.enable_http_proxy", 0),  # a proxy variable must not catch loopback traffic
]


@dataclass(frozen=True)
class Remote:
    """A daemon that the user named: it is never started or replaced."""

    target: str
    token: str
    root_certificate: bytes | None = None
    client_key: bytes | None = None
    client_certificate: bytes | None = None


def open_channel(target: str, token: str, remote: Remote | None = None) -> grpc.Channel:
    """A sync channel that sends the token with every call; TLS when `remote` brings certificates."""
    if remote is not None and remote.root_certificate is not None:
        credentials = grpc.ssl_channel_credentials(
            remote.root_certificate, remote.client_key, remote.client_certificate
        )
        channel = grpc.secure_channel(target, credentials, CHANNEL_OPTIONS)
    else:
        channel = grpc.insecure_channel(target, CHANNEL_OPTIONS)
    return grpc.intercept_channel(channel, _TokenSender(token))


def connect(
    folder: Path | None = None,
    *,
    start: bool = True,
    command: list[str] | None = None,
    on_start: Callable[[], None] = lambda: None,
) -> grpc.Channel:
    """A channel to this user's daemon, handshake done; starts one when none is running and `start`.

    `command` starts a daemon (tests give their own). Raises Unavailable with the reason from the log when it
    does not come up, NotReady when it speaks another protocol and is busy.
    """
    folder = folder or runtime.runtime_dir()
    runtime.check_runtime_dir(folder)
    for tries_left in reversed(range(CONNECT_TRIES)):
        info = _found(folder)
        if info is None:
            if not start:
                raise Unavailable("no daemon is running: start one with safelight serve", "NOT_RUNNING")
            on_start()
            info = start_daemon(folder, command or auto_command())
        try:
            return _entered(info.target, runtime.read_token(folder))
        except (Unavailable, Unauthenticated):
            if tries_left == 0 or not _gone(folder, info):
                raise
    raise AssertionError("the last try returns or raises")


def _gone(folder: Path, info: runtime.DaemonInfo) -> bool:
    """Whether this daemon ended meanwhile: a killed one's socket is dead an instant before its lock is free."""
    deadline = time.monotonic() + DYING_S
    while time.monotonic() < deadline:
        if not runtime.daemon_alive(folder) or runtime.read_info(folder) != info:
            return True
        time.sleep(POLL_S)
    return False


def _found(folder: Path) -> runtime.DaemonInfo | None:
    """A daemon to use; another build's is replaced when it is idle."""
    info = running(folder)
    if info is not None and _of_another_build(info) and _replace(folder, info):
        return None
    return info


def _entered(target: str, token: str, remote: Remote | None = None) -> grpc.Channel:
    """An open channel, handshake done."""
    channel = open_channel(target, token, remote)
    try:
        handshake(channel)
    except BaseException:
        channel.close()
        raise
    return channel


def connect_remote(remote: Remote) -> grpc.Channel:
    """A channel to a daemon elsewhere, handshake done."""
    try:
        return _entered(remote.target, remote.token, remote)
    except Unavailable as error:
        raise Unavailable(
            f"nobody answers at {remote.target}, or the certificates do not fit: check the address, that the "
            "client's certificate is of the daemon's --tls-client-ca, and that the daemon's is of ours",
            "REMOTE_NOT_ANSWERING",
            details={"target": remote.target, **error.details},
        ) from None


def handshake(channel: grpc.Channel, timeout_s: float = ANSWER_WAIT_S) -> dpb.HandshakeResponse:
    """Raises NotReady for another protocol version, Unavailable when nobody answers."""
    request = dpb.HandshakeRequest(
        protocol_version=wire.PROTOCOL_VERSION, client_version=safelight.__version__
    )
    try:
        answer: dpb.HandshakeResponse = dpb_grpc.DaemonStub(channel).Handshake(request, timeout=timeout_s)
        return answer
    except grpc.RpcError as error:
        if error.code() in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE):
            raise Unavailable(
                "the daemon does not answer: end it with safelight stop --force and run the command again",
                "NOT_ANSWERING",
                details={"transport": str(error.details())[:300]},
            ) from None
        raise from_status(error) from None


def running(folder: Path) -> runtime.DaemonInfo | None:
    """How to reach the daemon that holds the lock; waits for one that is just starting."""
    deadline = time.monotonic() + START_DEADLINE_S
    while runtime.daemon_alive(folder):
        info = _reachable(folder)
        if info is not None:
            return info
        if time.monotonic() > deadline:
            raise Unavailable(
                f"a daemon holds {folder} but does not come up: end it with safelight stop --force",
                "NOT_ANSWERING",
            )
        time.sleep(POLL_S)
    return None


def _reachable(folder: Path) -> runtime.DaemonInfo | None:
    """What the daemon that holds the lock has written; not what a killed one left behind."""
    info = runtime.read_info(folder)
    if info is not None and runtime.daemon_alive(folder) and info.process_id == runtime.lock_holder(folder):
        return info
    return None


def auto_command() -> list[str]:
    """The daemon of this very installation, ending by itself when idle."""
    return [sys.executable, "-m", "safelight.cli.main", "serve", "--idle-exit", f"{AUTO_IDLE_EXIT_S:.0f}"]


def start_daemon(
    folder: Path, command: list[str], deadline_s: float = START_DEADLINE_S
) -> runtime.DaemonInfo:
    """Starts `command` detached and waits until a daemon is reachable, ours or one that was quicker."""
    runtime.prepare_runtime_dir(folder)
    chatter = folder / "daemon.out"
    environment = dict(os.environ)
    if folder != runtime.runtime_dir():
        environment[runtime.RUNTIME_DIR_VARIABLE] = str(folder)
    with chatter.open("ab") as out:  # another client may be starting one at the same time
        out.truncate(0)
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            env=environment,
            cwd=folder,
        )
    threading.Thread(target=process.wait, daemon=True).start()  # else it stays a zombie when it ends first
    deadline = time.monotonic() + deadline_s
    while time.monotonic() < deadline:
        ended = process.returncode is not None  # looked at first: what a quicker one has written stays
        info = _reachable(folder)
        if info is not None:
            return info
        if ended and not runtime.daemon_alive(folder):
            raise Unavailable(
                f"the daemon ended while starting (exit code {process.returncode}): {_last_words(chatter)}",
                "START_FAILED",
            )
        time.sleep(POLL_S)
    process.kill()
    raise Unavailable(
        f"the daemon did not come up within {deadline_s:.0f} s: {_last_words(chatter)}", "START_TIMEOUT"
    )


def _last_words(chatter: Path) -> str:
    lines = [line for line in chatter.read_text(errors="replace").splitlines() if line.strip()]
    return " | ".join(line.strip()[:200] for line in lines[-LOG_LINES_SHOWN:]) or "it said nothing"


def _of_another_build(info: runtime.DaemonInfo) -> bool:
    return (info.version, info.install_path, info.protocol_version) != (
        safelight.__version__,
        str(Path(safelight.__file__).parent),
        wire.PROTOCOL_VERSION,
    )


def _replace(folder: Path, info: runtime.DaemonInfo) -> bool:
    """Ends another build's daemon when it is idle; True when it is gone. A busy one is used."""
    with open_channel(info.target, runtime.read_token(folder)) as channel:
        stub = dpb_grpc.DaemonStub(channel)
        try:
            state = stub.GetState(dpb.GetStateRequest(), timeout=ANSWER_WAIT_S)
            if state.queued_job_count + state.running_job_count > 0:
                return False
            stub.Stop(dpb.StopRequest(grace_s=0.0), timeout=ANSWER_WAIT_S)
        except grpc.RpcError:
            return False
    return wait_until_gone(folder, STOP_DEADLINE_S)


def wait_until_gone(folder: Path, deadline_s: float) -> bool:
    """True when no daemon holds the lock any more."""
    deadline = time.monotonic() + deadline_s
    while runtime.daemon_alive(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


class _TokenSender(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[misc]
    grpc.UnaryStreamClientInterceptor,  # type: ignore[misc]
    grpc.StreamUnaryClientInterceptor,  # type: ignore[misc]
    grpc.StreamStreamClientInterceptor,  # type: ignore[misc]
):
    """Adds the token to every call."""

    def __init__(self, token: str) -> None:
        self._metadata = ("authorization", f"Bearer {token}")

    def _send(self, continuation: Any, details: Any, request_or_iterator: Any) -> Any:
        return continuation(self._with_token(details), request_or_iterator)

    intercept_unary_unary = intercept_unary_stream = _send
    intercept_stream_unary = intercept_stream_stream = _send

    def _with_token(self, details: Any) -> Any:
        return _CallDetails(
            details.method,
            details.timeout,
            [*(details.metadata or ()), self._metadata],
            details.credentials,
            details.wait_for_ready,
            details.compression,
        )


@dataclass(frozen=True)
class _CallDetails(grpc.ClientCallDetails):  # type: ignore[misc]
    method: str
    timeout: float | None
    metadata: list[tuple[str, str]]
    credentials: Any
    wait_for_ready: bool | None
    compression: Any
