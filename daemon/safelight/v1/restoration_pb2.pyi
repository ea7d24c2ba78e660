from safelight.v1 import settings_pb2 as _settings_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SampleType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SAMPLE_TYPE_UNSPECIFIED: _ClassVar[SampleType]
    SAMPLE_TYPE_U8: _ClassVar[SampleType]
    SAMPLE_TYPE_U16: _ClassVar[SampleType]
    SAMPLE_TYPE_F32: _ClassVar[SampleType]

class ResultKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESULT_KIND_UNSPECIFIED: _ClassVar[ResultKind]
    RESULT_KIND_COMPOSITED: _ClassVar[ResultKind]
    RESULT_KIND_LAYER: _ClassVar[ResultKind]

class JobClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JOB_CLASS_UNSPECIFIED: _ClassVar[JobClass]
    JOB_CLASS_INTERACTIVE: _ClassVar[JobClass]
    JOB_CLASS_BATCH: _ClassVar[JobClass]

class JobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JOB_STATE_UNSPECIFIED: _ClassVar[JobState]
    JOB_STATE_QUEUED: _ClassVar[JobState]
    JOB_STATE_RUNNING: _ClassVar[JobState]
    JOB_STATE_SUCCEEDED: _ClassVar[JobState]
    JOB_STATE_FAILED: _ClassVar[JobState]
    JOB_STATE_CANCELLED: _ClassVar[JobState]
SAMPLE_TYPE_UNSPECIFIED: SampleType
SAMPLE_TYPE_U8: SampleType
SAMPLE_TYPE_U16: SampleType
SAMPLE_TYPE_F32: SampleType
RESULT_KIND_UNSPECIFIED: ResultKind
RESULT_KIND_COMPOSITED: ResultKind
RESULT_KIND_LAYER: ResultKind
JOB_CLASS_UNSPECIFIED: JobClass
JOB_CLASS_INTERACTIVE: JobClass
JOB_CLASS_BATCH: JobClass
JOB_STATE_UNSPECIFIED: JobState
JOB_STATE_QUEUED: JobState
JOB_STATE_RUNNING: JobState
JOB_STATE_SUCCEEDED: JobState
JOB_STATE_FAILED: JobState
JOB_STATE_CANCELLED: JobState

class RestoreRequest(_message.Message):
    __slots__ = ("header", "pixels", "mask")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    header: RestoreHeader
    pixels: Band
    mask: Band
    def __init__(self, header: _Optional[_Union[RestoreHeader, _Mapping]] = ..., pixels: _Optional[_Union[Band, _Mapping]] = ..., mask: _Optional[_Union[Band, _Mapping]] = ...) -> None: ...

class RestoreHeader(_message.Message):
    __slots__ = ("document", "sent", "region", "format", "icc_profile", "masked", "settings", "result_kind", "job_class", "previews", "title", "keep_alive_s", "patch", "focus", "keep")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    ICC_PROFILE_FIELD_NUMBER: _ClassVar[int]
    MASKED_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    RESULT_KIND_FIELD_NUMBER: _ClassVar[int]
    JOB_CLASS_FIELD_NUMBER: _ClassVar[int]
    PREVIEWS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    KEEP_ALIVE_S_FIELD_NUMBER: _ClassVar[int]
    PATCH_FIELD_NUMBER: _ClassVar[int]
    FOCUS_FIELD_NUMBER: _ClassVar[int]
    KEEP_FIELD_NUMBER: _ClassVar[int]
    document: _settings_pb2.Size
    sent: _settings_pb2.Rect
    region: _settings_pb2.Rect
    format: PixelFormat
    icc_profile: bytes
    masked: bool
    settings: _settings_pb2.RestoreSettings
    result_kind: ResultKind
    job_class: JobClass
    previews: bool
    title: str
    keep_alive_s: float
    patch: _settings_pb2.Rect
    focus: _settings_pb2.Point
    keep: bool
    def __init__(self, document: _Optional[_Union[_settings_pb2.Size, _Mapping]] = ..., sent: _Optional[_Union[_settings_pb2.Rect, _Mapping]] = ..., region: _Optional[_Union[_settings_pb2.Rect, _Mapping]] = ..., format: _Optional[_Union[PixelFormat, _Mapping]] = ..., icc_profile: _Optional[bytes] = ..., masked: _Optional[bool] = ..., settings: _Optional[_Union[_settings_pb2.RestoreSettings, _Mapping]] = ..., result_kind: _Optional[_Union[ResultKind, str]] = ..., job_class: _Optional[_Union[JobClass, str]] = ..., previews: _Optional[bool] = ..., title: _Optional[str] = ..., keep_alive_s: _Optional[float] = ..., patch: _Optional[_Union[_settings_pb2.Rect, _Mapping]] = ..., focus: _Optional[_Union[_settings_pb2.Point, _Mapping]] = ..., keep: _Optional[bool] = ...) -> None: ...

class Band(_message.Message):
    __slots__ = ("start_row", "end_row", "data")
    START_ROW_FIELD_NUMBER: _ClassVar[int]
    END_ROW_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    start_row: int
    end_row: int
    data: bytes
    def __init__(self, start_row: _Optional[int] = ..., end_row: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class RestoreResponse(_message.Message):
    __slots__ = ("accepted", "progress", "preview", "result", "report")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    accepted: Accepted
    progress: Progress
    preview: Preview
    result: Band
    report: Report
    def __init__(self, accepted: _Optional[_Union[Accepted, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., preview: _Optional[_Union[Preview, _Mapping]] = ..., result: _Optional[_Union[Band, _Mapping]] = ..., report: _Optional[_Union[Report, _Mapping]] = ...) -> None: ...

class Accepted(_message.Message):
    __slots__ = ("job_id", "result_size")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_SIZE_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    result_size: _settings_pb2.Size
    def __init__(self, job_id: _Optional[str] = ..., result_size: _Optional[_Union[_settings_pb2.Size, _Mapping]] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("state", "stage", "tile_count_done", "tile_count", "step", "step_count", "fraction", "eta_s", "jobs_ahead")
    STATE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    TILE_COUNT_DONE_FIELD_NUMBER: _ClassVar[int]
    TILE_COUNT_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    ETA_S_FIELD_NUMBER: _ClassVar[int]
    JOBS_AHEAD_FIELD_NUMBER: _ClassVar[int]
    state: JobState
    stage: str
    tile_count_done: int
    tile_count: int
    step: int
    step_count: int
    fraction: float
    eta_s: float
    jobs_ahead: int
    def __init__(self, state: _Optional[_Union[JobState, str]] = ..., stage: _Optional[str] = ..., tile_count_done: _Optional[int] = ..., tile_count: _Optional[int] = ..., step: _Optional[int] = ..., step_count: _Optional[int] = ..., fraction: _Optional[float] = ..., eta_s: _Optional[float] = ..., jobs_ahead: _Optional[int] = ...) -> None: ...

class Preview(_message.Message):
    __slots__ = ("rect", "data")
    RECT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    rect: _settings_pb2.Rect
    data: bytes
    def __init__(self, rect: _Optional[_Union[_settings_pb2.Rect, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class Report(_message.Message):
    __slots__ = ("json", "prompt", "prompt_source")
    JSON_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    PROMPT_SOURCE_FIELD_NUMBER: _ClassVar[int]
    json: str
    prompt: str
    prompt_source: str
    def __init__(self, json: _Optional[str] = ..., prompt: _Optional[str] = ..., prompt_source: _Optional[str] = ...) -> None: ...

class PixelFormat(_message.Message):
    __slots__ = ("colour_channel_count", "alpha", "sample_type", "linear")
    COLOUR_CHANNEL_COUNT_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_TYPE_FIELD_NUMBER: _ClassVar[int]
    LINEAR_FIELD_NUMBER: _ClassVar[int]
    colour_channel_count: int
    alpha: bool
    sample_type: SampleType
    linear: bool
    def __init__(self, colour_channel_count: _Optional[int] = ..., alpha: _Optional[bool] = ..., sample_type: _Optional[_Union[SampleType, str]] = ..., linear: _Optional[bool] = ...) -> None: ...
