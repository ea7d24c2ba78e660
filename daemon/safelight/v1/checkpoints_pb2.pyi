import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListCheckpointsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListCheckpointsResponse(_message.Message):
    __slots__ = ("checkpoints", "folder", "free_bytes")
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    checkpoints: _containers.RepeatedCompositeFieldContainer[Checkpoint]
    folder: str
    free_bytes: int
    def __init__(self, checkpoints: _Optional[_Iterable[_Union[Checkpoint, _Mapping]]] = ..., folder: _Optional[str] = ..., free_bytes: _Optional[int] = ...) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("id", "title", "licence", "pipelines", "base", "download_bytes", "sources", "pullable", "ready", "installed")
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    PIPELINES_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    DOWNLOAD_BYTES_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    PULLABLE_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    INSTALLED_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    licence: Licence
    pipelines: _containers.RepeatedScalarFieldContainer[str]
    base: str
    download_bytes: int
    sources: _containers.RepeatedScalarFieldContainer[str]
    pullable: bool
    ready: bool
    installed: InstalledCheckpoint
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., licence: _Optional[_Union[Licence, _Mapping]] = ..., pipelines: _Optional[_Iterable[str]] = ..., base: _Optional[str] = ..., download_bytes: _Optional[int] = ..., sources: _Optional[_Iterable[str]] = ..., pullable: _Optional[bool] = ..., ready: _Optional[bool] = ..., installed: _Optional[_Union[InstalledCheckpoint, _Mapping]] = ...) -> None: ...

class Licence(_message.Message):
    __slots__ = ("title", "url", "note", "sha256", "accepted")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    title: str
    url: str
    note: str
    sha256: str
    accepted: bool
    def __init__(self, title: _Optional[str] = ..., url: _Optional[str] = ..., note: _Optional[str] = ..., sha256: _Optional[str] = ..., accepted: _Optional[bool] = ...) -> None: ...

class InstalledCheckpoint(_message.Message):
    __slots__ = ("size_bytes", "source", "original_sha256", "official", "install_time")
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_SHA256_FIELD_NUMBER: _ClassVar[int]
    OFFICIAL_FIELD_NUMBER: _ClassVar[int]
    INSTALL_TIME_FIELD_NUMBER: _ClassVar[int]
    size_bytes: int
    source: str
    original_sha256: str
    official: str
    install_time: _timestamp_pb2.Timestamp
    def __init__(self, size_bytes: _Optional[int] = ..., source: _Optional[str] = ..., original_sha256: _Optional[str] = ..., official: _Optional[str] = ..., install_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PullCheckpointRequest(_message.Message):
    __slots__ = ("id", "licence_sha256")
    ID_FIELD_NUMBER: _ClassVar[int]
    LICENCE_SHA256_FIELD_NUMBER: _ClassVar[int]
    id: str
    licence_sha256: str
    def __init__(self, id: _Optional[str] = ..., licence_sha256: _Optional[str] = ...) -> None: ...

class PullCheckpointResponse(_message.Message):
    __slots__ = ("progress", "installed")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    INSTALLED_FIELD_NUMBER: _ClassVar[int]
    progress: PullProgress
    installed: Checkpoint
    def __init__(self, progress: _Optional[_Union[PullProgress, _Mapping]] = ..., installed: _Optional[_Union[Checkpoint, _Mapping]] = ...) -> None: ...

class PullProgress(_message.Message):
    __slots__ = ("stage", "done_bytes", "total_bytes", "file", "source")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    DONE_BYTES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    stage: str
    done_bytes: int
    total_bytes: int
    file: str
    source: str
    def __init__(self, stage: _Optional[str] = ..., done_bytes: _Optional[int] = ..., total_bytes: _Optional[int] = ..., file: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class RemoveCheckpointRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class RemoveCheckpointResponse(_message.Message):
    __slots__ = ("freed_bytes",)
    FREED_BYTES_FIELD_NUMBER: _ClassVar[int]
    freed_bytes: int
    def __init__(self, freed_bytes: _Optional[int] = ...) -> None: ...

class RescanCheckpointsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RescanCheckpointsResponse(_message.Message):
    __slots__ = ("installed",)
    INSTALLED_FIELD_NUMBER: _ClassVar[int]
    installed: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, installed: _Optional[_Iterable[str]] = ...) -> None: ...
