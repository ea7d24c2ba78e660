"""Who gets in: folder, socket, token, addresses, certificates."""

import os
import socket
import subprocess
import time
from contextlib import closing

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from safelight import errors, runtime
from safelight.cli.main import main
from safelight.client import connection
from safelight.client.restoration import RestorationClient
from safelight.server.listen import Tls
from safelight.server.serve import SERVICES, serve
from safelight.v1 import daemon_pb2, restoration_pb2
from tests.fakes.daemon import config, registry, serving, short_folder
from tests.server.works import document, settings, whole

TOKEN = "0123456789abcdef" * 4


def refusal(folder, **changes):
    with pytest.raises(errors.SafelightError) as raised:
        serve(config(folder, **changes), registry())
    return raised.value


# -- folder and socket -----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o777, 0o755, 0o710, 0o701])
def test_a_folder_open_to_others_is_refused(folder, mode):
    folder.chmod(mode)
    error = refusal(folder)
    assert (type(error), error.reason) == (errors.InvalidRequest, "RUNTIME_DIR_UNSAFE")
    assert f"{mode:o}" in error.message
    assert list(folder.iterdir()) == []


def test_a_folder_of_somebody_else_is_refused(folder, monkeypatch):
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    assert f"belongs to user id {me}" in refusal(folder).message


def test_a_symlink_is_refused(folder):
    (folder / "real").mkdir(mode=0o700)
    (folder / "link").symlink_to(folder / "real")
    assert refusal(folder / "link").reason == "RUNTIME_DIR_UNSAFE"


def test_a_file_in_the_folders_place_is_refused(folder):
    (folder / "file").write_text("")
    assert refusal(folder / "file").reason == "RUNTIME_DIR_UNSAFE"


def test_a_client_does_not_trust_an_open_folder(folder):
    folder.chmod(0o777)
    with pytest.raises(errors.InvalidRequest) as raised:
        connection.connect(folder, start=False)
    assert raised.value.reason == "RUNTIME_DIR_UNSAFE"


def test_a_socket_path_of_more_than_107_bytes_is_refused(folder):
    fits = folder / ("x" * (107 - len(str(folder)) - len("//daemon.sock")))
    assert len(str(runtime.socket_path(fits))) == 107
    error = refusal(fits.with_name(fits.name + "x"))
    assert (type(error), error.reason) == (errors.InvalidRequest, "SOCKET_PATH_TOO_LONG")
    assert runtime.RUNTIME_DIR_VARIABLE in error.message


@pytest.mark.parametrize("name", ["with space", "jürgen", "50%41", "no#1", "who?"])
def test_any_folder_name_works(folder, name):
    with serving(folder / name) as client:
        assert client.pipelines()


def test_the_files_of_a_daemon_are_its_users_alone(folder):
    with serving(folder):
        modes = {
            name: (folder / name).stat().st_mode & 0o777 for name in ("token", "daemon.json", "daemon.sock")
        }
        assert modes == dict.fromkeys(modes, 0o600)
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not any((folder / name).exists() for name in modes)


# -- the token -------------------------------------------------------------------------------------


def every_rpc():
    services = {
        **restoration_pb2.DESCRIPTOR.services_by_name,
        **daemon_pb2.DESCRIPTOR.services_by_name,
        **health_pb2.DESCRIPTOR.services_by_name,
    }
    for service in services.values():
        for method in service.methods:
            yield f"/{service.full_name}/{method.name}", method


METHODS = {name: (name, m.client_streaming, m.server_streaming) for name, m in every_rpc()} | {
    "not there": ("/safelight.v1.Daemon/NotThere", False, False)
}


def called(channel, method, client_streams, server_streams, metadata, requests=(b"",)):
    """Calls with raw bytes; gives status code and reason."""
    kind = ("stream" if client_streams else "unary") + "_" + ("stream" if server_streams else "unary")
    call = getattr(channel, kind)(method)
    argument = iter(requests) if client_streams else b""

    def answers():
        answer = call(argument, metadata=metadata, timeout=10)
        return list(answer if server_streams else [answer])

    with pytest.raises(grpc.RpcError) as raised:
        answers()
    return raised.value.code(), dict(raised.value.trailing_metadata()).get("safelight-reason")


@pytest.fixture(scope="module")
def bare_channel(client, folder_of_client):
    """A channel that sends no token by itself."""
    with grpc.insecure_channel(runtime.read_info(folder_of_client).target) as channel:
        yield channel


@pytest.fixture(scope="module")
def folder_of_client(client):
    return runtime.Path(client.state().log_path).parent


WRONG = {
    "none": [],
    "wrong": [("authorization", f"Bearer {TOKEN}")],
    "empty": [("authorization", "")],
    "without Bearer": [("authorization", TOKEN)],
    "twice": [("authorization", f"Bearer {TOKEN}")] * 2,
}


@pytest.mark.parametrize("metadata", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_rpc_wants_the_token(bare_channel, method, metadata):
    assert called(bare_channel, *method, metadata) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "UNAUTHENTICATED",
    )


def test_the_right_token_twice_is_not_the_token(bare_channel, folder_of_client):
    right = ("authorization", f"Bearer {runtime.read_token(folder_of_client)}")
    for metadata in ([right, right], [right, ("authorization", "Bearer x")]):
        code, _ = called(bare_channel, *METHODS["/safelight.v1.Daemon/GetState"], metadata)
        assert code is grpc.StatusCode.UNAUTHENTICATED


def test_an_upload_without_token_is_refused_before_its_body_is_read(bare_channel):
    sent = []

    def upload():
        for _ in range(96):
            sent.append(1)
            yield bytes(1 << 20)

    code, _ = called(bare_channel, "/safelight.v1.Restoration/Restore", True, True, [], upload())
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert len(sent) <= 8


def test_the_token_of_an_earlier_start_is_refused(folder):
    with serving(folder):
        old = runtime.read_token(folder)
    with serving(folder), closing(connection.open_channel(runtime.read_info(folder).target, old)) as channel:
        assert runtime.read_token(folder) != old
        with pytest.raises(errors.Unauthenticated):
            connection.handshake(channel)


def test_the_token_is_in_its_file_and_nowhere_else(folder):
    with serving(folder) as client:
        token = runtime.read_token(folder)
        assert len(token) == 64
        client.restore(whole(document()), settings())
        with pytest.raises(errors.Unrestorable):
            client.restore(whole(document()), settings("broken"))
        with grpc.insecure_channel(runtime.read_info(folder).target) as bare:
            called(bare, *METHODS["/safelight.v1.Daemon/Stop"], [("authorization", f"Bearer {token}x")])
        found = [p.name for p in folder.iterdir() if p.is_file() and token in p.read_text()]
        assert found == ["token"]
    assert token not in "".join(p.read_text() for p in folder.iterdir())


def test_health_answers_who_has_the_token(client, folder_of_client):
    info = runtime.read_info(folder_of_client)
    with closing(connection.open_channel(info.target, runtime.read_token(folder_of_client))) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", *SERVICES):
            answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        watch = health.Watch(health_pb2.HealthCheckRequest(), timeout=10)
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()


# -- one daemon, and where it listens --------------------------------------------------------------


@pytest.fixture
def command_line(monkeypatch, capsys):
    """Runs `safelight` in this process; gives exit code and lines on stderr."""

    def run(folder, *arguments):
        monkeypatch.setenv(runtime.RUNTIME_DIR_VARIABLE, str(folder))
        code = main(arguments)
        return code, capsys.readouterr().err.splitlines()

    return run


def test_a_second_daemon_refuses_to_start(client, folder_of_client, command_line):
    code, lines = command_line(folder_of_client, "serve")
    assert code == 4
    assert len(lines) == 1
    assert f"process {os.getpid()}" in lines[0]
    assert client.pipelines()


PLACES = {
    "every address": (["--host", "0.0.0.0"], 2, "--tls-certificate"),
    "every address, six": (["--host", "::"], 2, "--tls-certificate"),
    "a name": (["--host", "example.org"], 2, "--tls-certificate"),
    "half of TLS": (["--host", "0.0.0.0", "--tls-key", "x"], 2, "--tls-client-ca"),
    "no port": (["--host", "127.0.0.1", "--port", "99999"], 2, "99999"),
    "no device": (["--device", "toaster"], 2, "toaster"),
    "no time": (["--keep-alive", "nan"], 2, "keep-alive"),
    "no idle time": (["--idle-exit", "nan"], 2, "idle time"),
}


@pytest.mark.parametrize(("arguments", "code", "says"), PLACES.values(), ids=PLACES)
def test_what_may_not_be_served_is_refused_in_one_sentence(folder, command_line, arguments, code, says):
    got, lines = command_line(folder, "serve", *arguments)
    assert (got, len(lines)) == (code, 1)
    assert says in lines[0]
    assert not (folder / "token").exists()


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback_with_a_port_the_system_chooses(folder, host):
    if host == "::1" and not has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    with serving(folder, host=host) as client:
        assert not runtime.read_info(folder).target.endswith(":0")
        pixels = document()
        assert np.array_equal(client.restore(whole(pixels), settings()).pixels, pixels)


def test_a_port_that_is_taken_is_not_shared(folder):
    with serving(folder / "one", host="127.0.0.1"):
        port = int(runtime.read_info(folder / "one").target.rpartition(":")[2])
        error = refusal(folder / "two", host="127.0.0.1", port=port)
    assert (type(error), error.reason) == (errors.Unavailable, "CANNOT_LISTEN")


REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


@pytest.mark.parametrize("wanted", [True, False])
def test_reflection_only_with_its_flag(folder, wanted):
    with serving(folder, reflection=wanted):
        metadata = [("authorization", f"Bearer {runtime.read_token(folder)}")]
        with grpc.insecure_channel(runtime.read_info(folder).target) as channel:
            call = channel.stream_stream(REFLECTION)(iter([b""]), metadata=metadata, timeout=10)
            if wanted:
                assert next(call)
                call.cancel()
            else:
                with pytest.raises(grpc.RpcError, match="UNIMPLEMENTED"):
                    next(call)


# -- beyond this machine ---------------------------------------------------------------------------


def openssl(*arguments, folder):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def certificate(folder, name, authority=None):
    """A key and a certificate for 127.0.0.1, signed by `authority` or by itself."""
    request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    request += ["-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}"]
    if authority:
        request += ["-CA", f"{authority}.pem", "-CAkey", f"{authority}.key"]
        request += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:false"]
    openssl(*request, folder=folder)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    try:
        openssl("version", folder=folder)
    except OSError:
        pytest.skip("openssl is not on PATH, nothing else here makes certificates")
    for name, authority in [
        ("ca", None), ("server", "ca"), ("client", "ca"), ("foreign-ca", None), ("foreign", "foreign-ca"),
    ]:  # fmt: skip
        certificate(folder, name, authority)
    return folder


@pytest.fixture(scope="module")
def beyond(certificates):
    """A daemon with a TLS door: its folder and that door's target."""
    tls = Tls(certificates / "server.pem", certificates / "server.key", certificates / "ca.pem")
    with short_folder() as folder, serving(folder, host="127.0.0.1", tls=tls):
        line = next(x for x in (folder / "daemon.log").read_text().splitlines() if "TLS clients" in x)
        yield folder, line.split()[-1]


def remote(certificates, target, token, *, name="client"):
    read = {end: (certificates / f"{name}.{end}").read_bytes() for end in ("key", "pem")}
    return connection.Remote(target, token, (certificates / "ca.pem").read_bytes(), read["key"], read["pem"])


def test_a_remote_client_needs_certificate_and_token(beyond, certificates):
    folder, target = beyond
    token = runtime.read_token(folder)
    with RestorationClient.remote(remote(certificates, target, token)) as client:
        pixels = document()
        assert np.array_equal(client.restore(whole(pixels), settings()).pixels, pixels)
    with pytest.raises(errors.Unauthenticated):
        connection.connect_remote(remote(certificates, target, TOKEN))


def test_a_foreign_certificate_is_refused_with_what_to_check(beyond, certificates):
    folder, target = beyond
    with pytest.raises(errors.Unavailable) as raised:
        connection.connect_remote(remote(certificates, target, runtime.read_token(folder), name="foreign"))
    assert "--tls-client-ca" in raised.value.message


def test_the_tls_door_takes_no_plain_client(beyond):
    folder, target = beyond
    started = time.monotonic()
    with pytest.raises(errors.Unavailable):
        connection.connect_remote(connection.Remote(target, runtime.read_token(folder)))
    assert time.monotonic() - started < connection.ANSWER_WAIT_S + 1


def test_local_clients_have_their_own_door_beside_tls(beyond):
    with RestorationClient.local(beyond[0], start=False) as client:
        assert client.pipelines()


def test_damaged_certificates_are_refused(folder, certificates):
    bad = folder / "bad.pem"
    bad.write_text("no certificate")
    error = refusal(folder / "run", host="127.0.0.1", tls=Tls(bad, certificates / "server.key", bad))
    assert (type(error), error.reason) == (errors.Unavailable, "CANNOT_LISTEN")
    missing = folder / "missing.pem"
    error = refusal(folder / "run", host="127.0.0.1", tls=Tls(missing, missing, missing))
    assert (type(error), error.reason) == (errors.InvalidRequest, "TLS_FILE")
