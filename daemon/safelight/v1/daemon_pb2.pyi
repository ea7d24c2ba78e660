import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from safelight.v1 import restoration_pb2 as _restoration_pb2
from safelight.v1 import settings_pb2 as _settings_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HandshakeRequest(_message.Message):
    __slots__ = ("protocol_version", "client_version")
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    CLIENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    protocol_version: int
    client_version: str
    def __init__(self, protocol_version: _Optional[int] = ..., client_version: _Optional[str] = ...) -> None: ...

class HandshakeResponse(_message.Message):
    __slots__ = ("protocol_version", "daemon_version", "capabilities", "pixel_count_limit", "default_pipeline")
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    DAEMON_VERSION_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    PIXEL_COUNT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_PIPELINE_FIELD_NUMBER: _ClassVar[int]
    protocol_version: int
    daemon_version: str
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    pixel_count_limit: int
    default_pipeline: str
    def __init__(self, protocol_version: _Optional[int] = ..., daemon_version: _Optional[str] = ..., capabilities: _Optional[_Iterable[str]] = ..., pixel_count_limit: _Optional[int] = ..., default_pipeline: _Optional[str] = ...) -> None: ...

class ListPipelinesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPipelinesResponse(_message.Message):
    __slots__ = ("pipelines",)
    PIPELINES_FIELD_NUMBER: _ClassVar[int]
    pipelines: _containers.RepeatedCompositeFieldContainer[PipelineInfo]
    def __init__(self, pipelines: _Optional[_Iterable[_Union[PipelineInfo, _Mapping]]] = ...) -> None: ...

class PipelineInfo(_message.Message):
    __slots__ = ("spec", "installed", "install_hint", "resident")
    SPEC_FIELD_NUMBER: _ClassVar[int]
    INSTALLED_FIELD_NUMBER: _ClassVar[int]
    INSTALL_HINT_FIELD_NUMBER: _ClassVar[int]
    RESIDENT_FIELD_NUMBER: _ClassVar[int]
    spec: _settings_pb2.PipelineSpec
    installed: bool
    install_hint: str
    resident: bool
    def __init__(self, spec: _Optional[_Union[_settings_pb2.PipelineSpec, _Mapping]] = ..., installed: _Optional[bool] = ..., install_hint: _Optional[str] = ..., resident: _Optional[bool] = ...) -> None: ...

class LoadPipelineRequest(_message.Message):
    __slots__ = ("pipeline", "keep_alive_s")
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    KEEP_ALIVE_S_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    keep_alive_s: float
    def __init__(self, pipeline: _Optional[str] = ..., keep_alive_s: _Optional[float] = ...) -> None: ...

class LoadPipelineResponse(_message.Message):
    __slots__ = ("resident",)
    RESIDENT_FIELD_NUMBER: _ClassVar[int]
    resident: Resident
    def __init__(self, resident: _Optional[_Union[Resident, _Mapping]] = ...) -> None: ...

class UnloadPipelineRequest(_message.Message):
    __slots__ = ("pipeline",)
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    def __init__(self, pipeline: _Optional[str] = ...) -> None: ...

class UnloadPipelineResponse(_message.Message):
    __slots__ = ("freed_bytes",)
    FREED_BYTES_FIELD_NUMBER: _ClassVar[int]
    freed_bytes: int
    def __init__(self, freed_bytes: _Optional[int] = ...) -> None: ...

class ListJobsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListJobsResponse(_message.Message):
    __slots__ = ("jobs",)
    JOBS_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[JobInfo]
    def __init__(self, jobs: _Optional[_Iterable[_Union[JobInfo, _Mapping]]] = ...) -> None: ...

class JobInfo(_message.Message):
    __slots__ = ("job_id", "title", "pipeline", "job_class", "progress", "create_time", "error")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    JOB_CLASS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    title: str
    pipeline: str
    job_class: _restoration_pb2.JobClass
    progress: _restoration_pb2.Progress
    create_time: _timestamp_pb2.Timestamp
    error: str
    def __init__(self, job_id: _Optional[str] = ..., title: _Optional[str] = ..., pipeline: _Optional[str] = ..., job_class: _Optional[_Union[_restoration_pb2.JobClass, str]] = ..., progress: _Optional[_Union[_restoration_pb2.Progress, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[str] = ...) -> None: ...

class CancelJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class CancelJobResponse(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: _restoration_pb2.JobState
    def __init__(self, state: _Optional[_Union[_restoration_pb2.JobState, str]] = ...) -> None: ...

class GetStateRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStateResponse(_message.Message):
    __slots__ = ("residents", "device", "device_title", "free_memory_bytes", "memory_bytes", "process_memory_bytes", "start_time", "queued_job_count", "running_job_count", "process_id", "log_path", "kept_result_count", "kept_bytes", "kept_bytes_limit", "parts")
    RESIDENTS_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_TITLE_FIELD_NUMBER: _ClassVar[int]
    FREE_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    PROCESS_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    QUEUED_JOB_COUNT_FIELD_NUMBER: _ClassVar[int]
    RUNNING_JOB_COUNT_FIELD_NUMBER: _ClassVar[int]
    PROCESS_ID_FIELD_NUMBER: _ClassVar[int]
    LOG_PATH_FIELD_NUMBER: _ClassVar[int]
    KEPT_RESULT_COUNT_FIELD_NUMBER: _ClassVar[int]
    KEPT_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEPT_BYTES_LIMIT_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    residents: _containers.RepeatedCompositeFieldContainer[Resident]
    device: str
    device_title: str
    free_memory_bytes: int
    memory_bytes: int
    process_memory_bytes: int
    start_time: _timestamp_pb2.Timestamp
    queued_job_count: int
    running_job_count: int
    process_id: int
    log_path: str
    kept_result_count: int
    kept_bytes: int
    kept_bytes_limit: int
    parts: _containers.RepeatedCompositeFieldContainer[ResidentPart]
    def __init__(self, residents: _Optional[_Iterable[_Union[Resident, _Mapping]]] = ..., device: _Optional[str] = ..., device_title: _Optional[str] = ..., free_memory_bytes: _Optional[int] = ..., memory_bytes: _Optional[int] = ..., process_memory_bytes: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., queued_job_count: _Optional[int] = ..., running_job_count: _Optional[int] = ..., process_id: _Optional[int] = ..., log_path: _Optional[str] = ..., kept_result_count: _Optional[int] = ..., kept_bytes: _Optional[int] = ..., kept_bytes_limit: _Optional[int] = ..., parts: _Optional[_Iterable[_Union[ResidentPart, _Mapping]]] = ...) -> None: ...

class Resident(_message.Message):
    __slots__ = ("pipeline", "device", "weights_bytes", "precision", "expire_time", "reference_count")
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_BYTES_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    device: str
    weights_bytes: int
    precision: str
    expire_time: _timestamp_pb2.Timestamp
    reference_count: int
    def __init__(self, pipeline: _Optional[str] = ..., device: _Optional[str] = ..., weights_bytes: _Optional[int] = ..., precision: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reference_count: _Optional[int] = ...) -> None: ...

class ForgetKeptRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ForgetKeptResponse(_message.Message):
    __slots__ = ("freed_bytes",)
    FREED_BYTES_FIELD_NUMBER: _ClassVar[int]
    freed_bytes: int
    def __init__(self, freed_bytes: _Optional[int] = ...) -> None: ...

class ResidentPart(_message.Message):
    __slots__ = ("title", "device", "weights_bytes", "precision", "used_by", "reference_count")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_BYTES_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    USED_BY_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    title: str
    device: str
    weights_bytes: int
    precision: str
    used_by: _containers.RepeatedScalarFieldContainer[str]
    reference_count: int
    def __init__(self, title: _Optional[str] = ..., device: _Optional[str] = ..., weights_bytes: _Optional[int] = ..., precision: _Optional[str] = ..., used_by: _Optional[_Iterable[str]] = ..., reference_count: _Optional[int] = ...) -> None: ...

class StopRequest(_message.Message):
    __slots__ = ("grace_s",)
    GRACE_S_FIELD_NUMBER: _ClassVar[int]
    grace_s: float
    def __init__(self, grace_s: _Optional[float] = ...) -> None: ...

class StopResponse(_message.Message):
    __slots__ = ("running_job_count",)
    RUNNING_JOB_COUNT_FIELD_NUMBER: _ClassVar[int]
    running_job_count: int
    def __init__(self, running_job_count: _Optional[int] = ...) -> None: ...
