from safelight.v1 import restoration_pb2 as _restoration_pb2
from safelight.v1 import settings_pb2 as _settings_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DescribeRequest(_message.Message):
    __slots__ = ("header", "pixels")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    header: DescribeHeader
    pixels: _restoration_pb2.Band
    def __init__(self, header: _Optional[_Union[DescribeHeader, _Mapping]] = ..., pixels: _Optional[_Union[_restoration_pb2.Band, _Mapping]] = ...) -> None: ...

class DescribeHeader(_message.Message):
    __slots__ = ("picture", "format", "icc_profile", "source", "captioner", "seed")
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    ICC_PROFILE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CAPTIONER_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    picture: _settings_pb2.Size
    format: _restoration_pb2.PixelFormat
    icc_profile: bytes
    source: str
    captioner: str
    seed: int
    def __init__(self, picture: _Optional[_Union[_settings_pb2.Size, _Mapping]] = ..., format: _Optional[_Union[_restoration_pb2.PixelFormat, _Mapping]] = ..., icc_profile: _Optional[bytes] = ..., source: _Optional[str] = ..., captioner: _Optional[str] = ..., seed: _Optional[int] = ...) -> None: ...

class DescribeResponse(_message.Message):
    __slots__ = ("tags", "caption", "prompt", "read_with")
    TAGS_FIELD_NUMBER: _ClassVar[int]
    CAPTION_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    READ_WITH_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.RepeatedScalarFieldContainer[str]
    caption: str
    prompt: str
    read_with: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, tags: _Optional[_Iterable[str]] = ..., caption: _Optional[str] = ..., prompt: _Optional[str] = ..., read_with: _Optional[_Iterable[str]] = ...) -> None: ...
