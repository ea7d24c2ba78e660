"""The committed stubs are what the protos say, and every element of the protos is explained."""

import importlib
from pathlib import Path

import grpc_tools
import pytest
from google.protobuf import descriptor_pb2
from grpc_tools import protoc

PROTOS = Path(__file__).parents[2] / "protos"
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"
FILES = sorted(p.relative_to(PROTOS).as_posix() for p in PROTOS.rglob("*.proto"))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    out = tmp_path_factory.mktemp("protos") / "set.bin"
    arguments = [
        "protoc",
        f"-I{PROTOS}",
        f"-I{WELL_KNOWN}",
        "--include_source_info",
        f"--descriptor_set_out={out}",
        *FILES,
    ]
    assert protoc.main(arguments) == 0
    found = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    return {file.name: file for file in found.file}


@pytest.mark.parametrize("name", FILES)
def test_committed_stub_equals_proto(name, compiled):
    module = importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
    committed = descriptor_pb2.FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(committed)
    wanted = descriptor_pb2.FileDescriptorProto()
    wanted.CopyFrom(compiled[name])
    wanted.ClearField("source_code_info")
    for file in (committed, wanted):
        file.ClearField("syntax")
        for message in file.message_type:
            clear_json_names(message)
    assert committed == wanted


def clear_json_names(message):
    """protoc fills them in, the Python runtime does not."""
    for field in message.field:
        field.ClearField("json_name")
    for nested in message.nested_type:
        clear_json_names(nested)


def commentable_paths(file):
    """Source paths of every service, rpc, message, field, oneof, enum and value, with a name to show."""
    for i, service in enumerate(file.service):
        yield (6, i), service.name
        for j, method in enumerate(service.method):
            yield (6, i, 2, j), f"{service.name}.{method.name}"
    for i, message in enumerate(file.message_type):
        yield (4, i), message.name
        for j, field in enumerate(message.field):
            yield (4, i, 2, j), f"{message.name}.{field.name}"
        synthetic = {f.oneof_index for f in message.field if f.proto3_optional}
        for j, oneof in enumerate(message.oneof_decl):
            if j not in synthetic:
                yield (4, i, 8, j), f"{message.name}.{oneof.name}"
    for i, enum in enumerate(file.enum_type):
        yield (5, i), enum.name
        for j, value in enumerate(enum.value):
            yield (5, i, 2, j), f"{enum.name}.{value.name}"


@pytest.mark.parametrize("name", FILES)
def test_every_element_has_a_comment(name, compiled):
    file = compiled[name]
    commented = {
        tuple(location.path) for location in file.source_code_info.location if location.leading_comments
    }
    missing = [shown for path, shown in commentable_paths(file) if path not in commented]
    assert missing == []


@pytest.mark.parametrize("name", FILES)
def test_counts_and_codes_are_signed_and_enums_begin_unspecified(name, compiled):
    unsigned = {4, 6, 7, 13}  # TYPE_UINT64, FIXED64, FIXED32, UINT32
    for message in compiled[name].message_type:
        assert not [f.name for f in message.field if f.type in unsigned]
    for enum in compiled[name].enum_type:
        assert enum.value[0].number == 0
        assert enum.value[0].name.endswith("_UNSPECIFIED")
