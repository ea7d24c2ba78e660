from safelight.v1 import restoration_pb2 as _restoration_pb2
from safelight.v1 import settings_pb2 as _settings_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AssessRequest(_message.Message):
    __slots__ = ("header", "input", "result")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    header: AssessHeader
    input: _restoration_pb2.Band
    result: _restoration_pb2.Band
    def __init__(self, header: _Optional[_Union[AssessHeader, _Mapping]] = ..., input: _Optional[_Union[_restoration_pb2.Band, _Mapping]] = ..., result: _Optional[_Union[_restoration_pb2.Band, _Mapping]] = ...) -> None: ...

class AssessHeader(_message.Message):
    __slots__ = ("input", "scale", "result_count", "format", "icc_profile")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    RESULT_COUNT_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    ICC_PROFILE_FIELD_NUMBER: _ClassVar[int]
    input: _settings_pb2.Size
    scale: int
    result_count: int
    format: _restoration_pb2.PixelFormat
    icc_profile: bytes
    def __init__(self, input: _Optional[_Union[_settings_pb2.Size, _Mapping]] = ..., scale: _Optional[int] = ..., result_count: _Optional[int] = ..., format: _Optional[_Union[_restoration_pb2.PixelFormat, _Mapping]] = ..., icc_profile: _Optional[bytes] = ...) -> None: ...

class AssessResponse(_message.Message):
    __slots__ = ("map", "assessed")
    MAP_FIELD_NUMBER: _ClassVar[int]
    ASSESSED_FIELD_NUMBER: _ClassVar[int]
    map: MapBand
    assessed: Assessed
    def __init__(self, map: _Optional[_Union[MapBand, _Mapping]] = ..., assessed: _Optional[_Union[Assessed, _Mapping]] = ...) -> None: ...

class MapBand(_message.Message):
    __slots__ = ("name", "rows", "full_scale")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    FULL_SCALE_FIELD_NUMBER: _ClassVar[int]
    name: str
    rows: _restoration_pb2.Band
    full_scale: float
    def __init__(self, name: _Optional[str] = ..., rows: _Optional[_Union[_restoration_pb2.Band, _Mapping]] = ..., full_scale: _Optional[float] = ...) -> None: ...

class Assessed(_message.Message):
    __slots__ = ("numbers",)
    class NumbersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    numbers: _containers.ScalarMap[str, float]
    def __init__(self, numbers: _Optional[_Mapping[str, float]] = ...) -> None: ...
