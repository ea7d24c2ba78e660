"""What the plug-in's requests do: thin calls of the client library, answered in plain JSON."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import grpc
import numpy as np

from safelight.client.assessment import AssessmentClient
from safelight.client.bridge import Call, Command, cancelled
from safelight.client.bridge_documents import Document, Documents, Result, rect, size
from safelight.client.bridge_estimate import Rates, memory_bytes, network_pixels, working_scale
from safelight.client.bridge_listing import as_plain, listing
from safelight.client.checkpoints import CheckpointsClient, PullProgress
from safelight.client.record import operation_of
from safelight.client.remote import open_chosen
from safelight.client.restoration import RestorationClient, Restored, Work, sent_rect
from safelight.errors import InvalidRequest, Unavailable
from safelight.imaging.feather import edge_weights
from safelight.imaging.pixels import MaskArray
from safelight.imaging.record import source_type_after, with_operation
from safelight.imaging.xmp import XmpDamaged
from safelight.settings import RestoreSettings, default_settings, preset_values, unknown_name
from safelight.spec import PipelineSpec
from safelight.v1 import restoration_pb2 as rpb

ROWS_BYTES = 4 << 20  # of one frame on the way back: shown soon, and few


class Commands:
    """One session's commands. The daemon is found or started with the first one that needs it, and again when it
    is gone."""

    def __init__(self, rates: Rates, open_channel: Callable[..., grpc.Channel] = open_chosen) -> None:
        self._documents = Documents()
        self._rates = rates
        self._open_channel = open_channel
        self._connecting = threading.Lock()
        self._channel: grpc.Channel | None = None
        self._specs: dict[str, PipelineSpec] = {}
        self._device = ""

    @property
    def inline(self) -> Mapping[str, Command]:
        """Quick ones, in the order in which they come."""
        return {
            "document": self._documents.begin,
            "rows": self._documents.take,
            "forget": self._documents.forget,
            "record": self._record,
        }

    @property
    def aside(self) -> Mapping[str, Command]:
        """Those that wait for the daemon."""
        commands: dict[str, Command] = {
            "pipelines": self._pipelines,
            "plan": self._plan,
            "preload": self._preload,
            "restore": self._restore,
            "assess": self._assess,
            "checkpoints": self._checkpoints,
            "pull": self._pull,
        }
        return {name: self._reconnecting(command) for name, command in commands.items()}

    def _reconnecting(self, command: Command) -> Command:
        def run(call: Call) -> Mapping[str, Any] | None:
            try:
                return command(call)
            except Unavailable:
                self._disconnect()  # the next request finds or starts another daemon
                raise

        return run

    def _disconnect(self) -> None:
        with self._connecting:
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def _connected(self, call: Call) -> grpc.Channel:
        with self._connecting:
            if self._channel is None:
                self._channel = self._open_channel(on_start=lambda: call.tell("starting"))
            return self._channel

    def _client(self, call: Call) -> RestorationClient:
        return RestorationClient(self._connected(call))

    # -- what there is ---------------------------------------------------------------------------------

    def _pipelines(self, call: Call) -> Mapping[str, Any]:
        client = self._client(call)
        found = client.pipelines()
        self._specs = {p.spec.id: p.spec for p in found}
        self._device = client.state().device_title
        checkpoints = CheckpointsClient(self._connected(call)).checkpoints()
        return listing(found, checkpoints, client.default_pipeline(), self._device)

    def _spec(self, call: Call) -> PipelineSpec:
        name = call.text("pipeline")
        if name not in self._specs:
            self._specs = {p.spec.id: p.spec for p in self._client(call).pipelines()}
        if name not in self._specs:
            raise unknown_name("pipeline", name, list(self._specs))
        return self._specs[name]

    def _plan(self, call: Call) -> Mapping[str, Any]:
        spec, document, region = self._spec(call), size(call.fields, "document"), rect(call.fields, "region")
        settings = settings_of(call.fields, spec)
        pixels = network_pixels(spec, settings, region.size, document)
        return {
            "sent": list(sent_rect(spec, region, document, settings.working_scale)),
            "seconds": self._rates.seconds(self._known_device(call), spec, pixels),
            "memory_bytes": memory_bytes(spec, settings, region.size, document),
            "working_scale": working_scale(spec, settings, region.size, document),
            "settings": settings.as_values(),
        }

    def _known_device(self, call: Call) -> str:
        """The worker finds it after the daemon has answered for the first time."""
        if not self._device:
            self._device = self._client(call).state().device_title
        return self._device

    def _preload(self, call: Call) -> Mapping[str, Any]:
        resident = self._client(call).load(call.text("pipeline"))
        return {"device": resident.device, "weights_bytes": resident.weights_bytes}

    def _checkpoints(self, call: Call) -> Mapping[str, Any]:
        name = call.text("pipeline")
        found = CheckpointsClient(self._connected(call)).checkpoints()
        return {"checkpoints": [as_plain(c) for c in found if name in c.pipelines]}

    def _pull(self, call: Call) -> Mapping[str, Any]:
        def show(progress: PullProgress) -> None:
            if call.cancelling.is_set():
                raise cancelled()
            call.tell(
                "progress",
                stage=progress.stage,
                done_bytes=progress.done_bytes,
                total_bytes=progress.total_bytes,
                file=progress.file,
            )

        client = CheckpointsClient(self._connected(call))
        licence = str(call.fields.get("licence_sha256", ""))
        return {"checkpoint": as_plain(client.pull(call.text("checkpoint"), licence, on_progress=show))}

    # -- the work --------------------------------------------------------------------------------------

    def _restore(self, call: Call) -> Mapping[str, Any]:
        document = self._documents[call.text("document")]
        spec = self._spec(call)
        settings = settings_of(call.fields, spec)
        layer = call.fields.get("result") == "layer"
        preview = rect(call.fields, "patch") if call.fields.get("patch") else None
        # painting a layer's mask reveals more, so a layer shows all that was sent
        patch = preview or (document.sent if layer else None)
        work = document.work(layer=layer, title=str(call.fields.get("title", ""))[:200])
        restored = self._client(call).restore(
            work,
            settings,
            on_accepted=lambda job: call.tell("accepted", job=job),
            on_progress=lambda p: call.tell("progress", **_progress(p)),
            cancelling=call.cancelling,
            patch=patch,
        )
        self._rates.learn(self._known_device(call), spec, restored.report)
        if preview is None:
            self._documents.remember(call.text("document"), Result(patch or work.region, restored.pixels))
        place = (patch or work.region).times(settings.output_scale)
        _tell_rows(call, "pixels", restored.pixels)
        masked = layer and preview is None and _tell_mask(call, document, settings)
        return {
            "rect": list(place),
            "size": [restored.pixels.shape[1], restored.pixels.shape[0]],
            "masked": masked,
            "title": spec.title,
            "generative": spec.generative,
            "settings": settings.as_values(),
            "report": restored.report,
            "operation": None if preview else _operation(work, document.mask, settings, restored),
        }

    def _assess(self, call: Call) -> Mapping[str, Any]:
        key = call.text("document")
        document, result = self._documents[key], self._documents.result(key)
        place = result.part.shifted(-document.sent.x, -document.sent.y)
        assessed = AssessmentClient(self._connected(call)).assess(
            document.pixels[place.slices],
            [result.pixels],
            icc=document.icc,
            linear=document.format.linear,
            cancelling=call.cancelling,
        )
        for name in assessed.planes:
            _tell_rows(call, name, assessed.overlay(name))
        scale = assessed.result_size.width // result.part.width
        return {
            "rect": list(result.part.times(scale)),
            "size": list(assessed.result_size),
            "numbers": assessed.numbers,
            "maps": list(assessed.planes),
        }

    def _record(self, call: Call) -> Mapping[str, Any]:
        operation = call.fields.get("operation")
        if not isinstance(operation, Mapping):
            raise InvalidRequest("the request has no operation: give it", "REQUEST_INCOMPLETE")
        generative = bool(call.fields.get("generative"))
        try:
            record = with_operation(call.fields.get("record"), operation, generative)
            return {
                "record": record,
                "source_type": source_type_after(call.fields.get("source_type"), record),
            }
        except XmpDamaged as damage:
            raise InvalidRequest(
                f"the image's record of earlier restorations is damaged ({damage}), so this one was not added",
                "RECORD_DAMAGED",
            ) from None


def settings_of(fields: Mapping[str, Any], spec: PipelineSpec) -> RestoreSettings:
    """Defaults, then the preset, then `values`; raises InvalidRequest for the first bad one."""
    settings = default_settings(spec, in_place=bool(fields.get("in_place", True)))
    given = fields.get("values", {})
    if not isinstance(given, Mapping):
        raise InvalidRequest(
            "the request's values are no object: give names and values", "REQUEST_INCOMPLETE"
        )
    preset = preset_values(spec, str(fields["preset"])) if fields.get("preset") else {}
    return settings.with_values(spec, {**preset, **given})


def _progress(progress: rpb.Progress) -> dict[str, Any]:
    return {
        "stage": progress.stage,
        "fraction": progress.fraction,
        "eta_s": progress.eta_s,
        "tiles_done": progress.tile_count_done,
        "tiles": progress.tile_count,
        "step": progress.step,
        "steps": progress.step_count,
        "jobs_ahead": progress.jobs_ahead,
    }


def _tell_rows(call: Call, plane: str, array: np.ndarray[Any, Any]) -> None:
    row_bytes = array[:1].nbytes
    rows = max(1, ROWS_BYTES // row_bytes)
    for start in range(0, len(array), rows):
        band = np.ascontiguousarray(array[start : start + rows])
        view = band.reshape(-1).view(np.uint8).data
        call.tell("rows", payload=view, plane=plane, start_row=start, end_row=start + len(band))


def _tell_mask(call: Call, document: Document, settings: RestoreSettings) -> bool:
    """The selection with its soft edge, 8 bit, for an editor's layer mask; False: all of the layer is to be seen."""
    weights = edge_weights(
        document.mask, document.region, document.size, feather=settings.feather, output_scale=1
    )
    if weights is None and document.mask is None and document.region == document.sent:
        return False
    height, width = document.region.height, document.region.width
    shown = np.full((height, width), 255, np.uint8)
    if weights is not None:
        rows = max(1, ROWS_BYTES // width)
        for start in range(0, height, rows):
            end = min(height, start + rows)
            shown[start:end] = np.rint(weights.rows(start, end) * 255)
    _tell_rows(call, "mask", shown)
    return True


def _operation(
    work: Work, mask: MaskArray | None, settings: RestoreSettings, restored: Restored
) -> dict[str, object]:
    """For the record. The editor keeps the rest of the document to itself, so the hashes are of what was sent and of
    what came back; a layer's mask is blended by the editor, but belongs to what was done."""
    entry = operation_of(work.pixels, restored.pixels, replace(work, mask=mask), settings, restored)
    returned = "the same rectangle" if work.layer else "the region"
    return {
        **entry,
        "hashed": f"input: the rectangle sent; output: {returned}",
        "result": "layer" if work.layer else "composited",
    }
