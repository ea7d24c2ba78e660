from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Size(_message.Message):
    __slots__ = ("width_px", "height_px")
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    width_px: int
    height_px: int
    def __init__(self, width_px: _Optional[int] = ..., height_px: _Optional[int] = ...) -> None: ...

class Rect(_message.Message):
    __slots__ = ("x_px", "y_px", "width_px", "height_px")
    X_PX_FIELD_NUMBER: _ClassVar[int]
    Y_PX_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    x_px: int
    y_px: int
    width_px: int
    height_px: int
    def __init__(self, x_px: _Optional[int] = ..., y_px: _Optional[int] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ...) -> None: ...

class Point(_message.Message):
    __slots__ = ("x_px", "y_px")
    X_PX_FIELD_NUMBER: _ClassVar[int]
    Y_PX_FIELD_NUMBER: _ClassVar[int]
    x_px: int
    y_px: int
    def __init__(self, x_px: _Optional[int] = ..., y_px: _Optional[int] = ...) -> None: ...

class RestoreSettings(_message.Message):
    __slots__ = ("pipeline", "output_scale", "seed", "values")
    class ValuesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: SettingValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[SettingValue, _Mapping]] = ...) -> None: ...
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_SCALE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    output_scale: int
    seed: int
    values: _containers.MessageMap[str, SettingValue]
    def __init__(self, pipeline: _Optional[str] = ..., output_scale: _Optional[int] = ..., seed: _Optional[int] = ..., values: _Optional[_Mapping[str, SettingValue]] = ...) -> None: ...

class SettingValue(_message.Message):
    __slots__ = ("bool_value", "int_value", "float_value", "text_value")
    BOOL_VALUE_FIELD_NUMBER: _ClassVar[int]
    INT_VALUE_FIELD_NUMBER: _ClassVar[int]
    FLOAT_VALUE_FIELD_NUMBER: _ClassVar[int]
    TEXT_VALUE_FIELD_NUMBER: _ClassVar[int]
    bool_value: bool
    int_value: int
    float_value: float
    text_value: str
    def __init__(self, bool_value: _Optional[bool] = ..., int_value: _Optional[int] = ..., float_value: _Optional[float] = ..., text_value: _Optional[str] = ...) -> None: ...

class SettingSpec(_message.Message):
    __slots__ = ("name", "title", "type", "default_value", "help", "minimum", "maximum", "choices", "unit", "advanced")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VALUE_FIELD_NUMBER: _ClassVar[int]
    HELP_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ADVANCED_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    type: str
    default_value: SettingValue
    help: str
    minimum: float
    maximum: float
    choices: _containers.RepeatedScalarFieldContainer[str]
    unit: str
    advanced: bool
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., type: _Optional[str] = ..., default_value: _Optional[_Union[SettingValue, _Mapping]] = ..., help: _Optional[str] = ..., minimum: _Optional[float] = ..., maximum: _Optional[float] = ..., choices: _Optional[_Iterable[str]] = ..., unit: _Optional[str] = ..., advanced: _Optional[bool] = ...) -> None: ...

class StageTiling(_message.Message):
    __slots__ = ("stage", "tile", "overlap", "multiple", "batch", "least_tile", "even", "most_tile")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    TILE_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    MULTIPLE_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    LEAST_TILE_FIELD_NUMBER: _ClassVar[int]
    EVEN_FIELD_NUMBER: _ClassVar[int]
    MOST_TILE_FIELD_NUMBER: _ClassVar[int]
    stage: str
    tile: int
    overlap: int
    multiple: int
    batch: int
    least_tile: int
    even: bool
    most_tile: int
    def __init__(self, stage: _Optional[str] = ..., tile: _Optional[int] = ..., overlap: _Optional[int] = ..., multiple: _Optional[int] = ..., batch: _Optional[int] = ..., least_tile: _Optional[int] = ..., even: _Optional[bool] = ..., most_tile: _Optional[int] = ...) -> None: ...

class Preset(_message.Message):
    __slots__ = ("name", "values")
    class ValuesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: SettingValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[SettingValue, _Mapping]] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    name: str
    values: _containers.MessageMap[str, SettingValue]
    def __init__(self, name: _Optional[str] = ..., values: _Optional[_Mapping[str, SettingValue]] = ...) -> None: ...

class PipelineSpec(_message.Message):
    __slots__ = ("id", "title", "summary", "licence", "licence_url", "generative", "settings", "common_settings", "presets", "output_scales", "magnifications", "latent_px", "auto_short_side_px", "context_fraction", "context_least_px", "step_count", "low_band_from_document", "stages", "weights_bytes", "bytes_per_tile_px", "colour_fix")
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    LICENCE_URL_FIELD_NUMBER: _ClassVar[int]
    GENERATIVE_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    COMMON_SETTINGS_FIELD_NUMBER: _ClassVar[int]
    PRESETS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_SCALES_FIELD_NUMBER: _ClassVar[int]
    MAGNIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    LATENT_PX_FIELD_NUMBER: _ClassVar[int]
    AUTO_SHORT_SIDE_PX_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FRACTION_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_LEAST_PX_FIELD_NUMBER: _ClassVar[int]
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    LOW_BAND_FROM_DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_BYTES_FIELD_NUMBER: _ClassVar[int]
    BYTES_PER_TILE_PX_FIELD_NUMBER: _ClassVar[int]
    COLOUR_FIX_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    summary: str
    licence: str
    licence_url: str
    generative: bool
    settings: _containers.RepeatedCompositeFieldContainer[SettingSpec]
    common_settings: _containers.RepeatedCompositeFieldContainer[SettingSpec]
    presets: _containers.RepeatedCompositeFieldContainer[Preset]
    output_scales: _containers.RepeatedScalarFieldContainer[int]
    magnifications: _containers.RepeatedScalarFieldContainer[int]
    latent_px: int
    auto_short_side_px: int
    context_fraction: float
    context_least_px: int
    step_count: int
    low_band_from_document: bool
    stages: _containers.RepeatedCompositeFieldContainer[StageTiling]
    weights_bytes: int
    bytes_per_tile_px: int
    colour_fix: str
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., summary: _Optional[str] = ..., licence: _Optional[str] = ..., licence_url: _Optional[str] = ..., generative: _Optional[bool] = ..., settings: _Optional[_Iterable[_Union[SettingSpec, _Mapping]]] = ..., common_settings: _Optional[_Iterable[_Union[SettingSpec, _Mapping]]] = ..., presets: _Optional[_Iterable[_Union[Preset, _Mapping]]] = ..., output_scales: _Optional[_Iterable[int]] = ..., magnifications: _Optional[_Iterable[int]] = ..., latent_px: _Optional[int] = ..., auto_short_side_px: _Optional[int] = ..., context_fraction: _Optional[float] = ..., context_least_px: _Optional[int] = ..., step_count: _Optional[int] = ..., low_band_from_document: _Optional[bool] = ..., stages: _Optional[_Iterable[_Union[StageTiling, _Mapping]]] = ..., weights_bytes: _Optional[int] = ..., bytes_per_tile_px: _Optional[int] = ..., colour_fix: _Optional[str] = ...) -> None: ...
