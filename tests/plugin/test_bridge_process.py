"""The plug-in's side of the bridge against the real command and a daemon of fakes."""

import os
import queue
import sys

import numpy as np
import pytest
from bridge_process import BridgeProcess
from errors import SafelightError

from tests.fakes.daemon import ended, process_environment, serving, short_folder, started
from tests.fakes.waiting import until

BRIDGE = [sys.executable, "-m", "safelight.cli.main", "bridge"]


class Pump:
    """The thread that may touch GIMP, as far as tests have one: this one, when it asks for an outcome."""

    def __init__(self):
        self.waiting = queue.Queue()

    def deliver(self, call):
        self.waiting.put(call)

    def until(self, condition, within_s=60):
        while not condition():
            self.waiting.get(timeout=within_s)()


class Asked:
    """A request's answers."""

    def __init__(self):
        self.result, self.error, self.events, self.request = None, None, [], None

    @property
    def over(self):
        return self.result is not None or self.error is not None


class Plugin:
    """A bridge process and the pump that its answers come through."""

    def __init__(self, command, environ):
        self.pump = Pump()
        self.bridge = BridgeProcess(command, environ, self.pump.deliver)

    def ask(self, command, fields=None, payload=b"", until_event=None):
        """Waits for the outcome, or for an event."""
        asked = self.begin(command, fields, payload)
        self.pump.until(lambda: asked.over or until_event in [e[0] for e in asked.events])
        return asked

    def begin(self, command, fields=None, payload=b""):
        asked = Asked()
        asked.request = self.bridge.request(
            command,
            fields,
            payload,
            on_result=lambda fields: setattr(asked, "result", fields),
            on_error=lambda error: setattr(asked, "error", error),
            on_event=lambda *event: asked.events.append(event),
        )
        return asked

    def send(self, pixels, region=None, mask=None, key="a"):
        """A document of which all is sent."""
        height, width, channels = pixels.shape
        announced = {
            "key": key, "document": [width, height], "sent": [0, 0, width, height],
            "region": region or [0, 0, width, height], "channels": 3 if channels > 2 else 1,
            "alpha": channels in (2, 4), "sample": {1: "u8", 2: "u16", 4: "f32"}[pixels.itemsize],
            "masked": mask is not None,
        }  # fmt: skip
        asked = self.begin("document", announced)
        for row in pixels:
            self.bridge.send_rows(asked.request, "pixels", row.tobytes())
        if mask is not None:
            self.bridge.send_rows(asked.request, "mask", mask.tobytes())
        self.pump.until(lambda: asked.over)
        return asked

    def restore(self, pipeline="brighten", **fields):
        values = {"colour": 1.0, **fields.pop("values", {})}
        return self.ask("restore", {"document": "a", "pipeline": pipeline, "values": values, **fields})


@pytest.fixture(scope="module")
def daemon():
    """A client of a daemon of fakes, and the environment in which the bridge finds it."""
    with short_folder() as folder, serving(folder) as client:
        yield client, process_environment(folder) | {"XDG_CACHE_HOME": str(folder / "cache")}


@pytest.fixture
def plugin(daemon):
    made = Plugin(BRIDGE, daemon[1])
    yield made
    made.bridge.close()


def plane(asked, name, dtype=np.uint8):
    rows = b"".join(payload for event, fields, payload in asked.events if fields.get("plane") == name)
    return np.frombuffer(rows, dtype)


def picture(height=70, width=90, dtype=np.uint8):
    top = 200 if dtype == np.uint8 else 50_000
    return np.random.default_rng(0).integers(0, top, (height, width, 3), dtype)


def test_pipelines_come_with_everything_a_dialog_needs(plugin):
    found = plugin.ask("pipelines").result
    names = [p["id"] for p in found["pipelines"]]
    assert found["default"] in names
    absent = found["pipelines"][names.index("absent")]
    assert (absent["installed"], absent["install_hint"] != "") == (False, True)
    osediff = found["pipelines"][names.index("osediff")]
    assert [c["id"] for c in osediff["checkpoints"]] == ["sd21-base", "osediff"]
    assert {s["name"] for s in found["common"]} >= {"strength", "detail", "colour", "working_scale"}
    brighten = found["pipelines"][names.index("brighten")]
    assert [s["name"] for s in brighten["settings"]] == ["amount"]
    assert brighten["defaults"]["in_place"]["output_scale"] == 1
    assert brighten["defaults"]["enlarged"]["output_scale"] == 2
    assert brighten["presets"]["faithful"]["strength"] == 0.8


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_restored_layer_comes_back(plugin, dtype):
    pixels = picture(dtype=dtype)
    assert plugin.send(pixels).error is None
    asked = plugin.restore(result="layer", values={"amount": 0.05})
    assert asked.error is None
    restored = plane(asked, "pixels", dtype).reshape(pixels.shape)
    white = np.iinfo(dtype).max
    assert np.allclose(restored / white, pixels / white + 0.05, atol=1.5 / 255)
    assert asked.result["settings"]["amount"] == 0.05
    assert asked.result["operation"]["region"] == [0, 0, 90, 70]
    assert not asked.result["masked"]


def test_a_layers_mask_is_the_selection_with_its_soft_edge(plugin):
    mask = np.zeros((40, 50), np.uint8)
    mask[5:35, 5:45] = 255
    plugin.send(picture(), region=[10, 20, 50, 40], mask=mask)
    soft = plane(plugin.restore(result="layer", values={"feather": 8.0}), "mask").reshape(mask.shape)
    hard = plane(plugin.restore(result="layer", values={"feather": 0.0}), "mask").reshape(mask.shape)
    assert np.array_equal(hard, mask)
    assert not soft[mask == 0].any()
    assert soft[20, 25] == 255
    assert 0 < soft[20, 6] < 128


def test_outside_the_mask_a_composited_result_has_the_documents_samples(plugin):
    mask = np.zeros((40, 50), np.uint8)
    mask[5:35, 5:45] = 255
    pixels = picture()
    plugin.send(pixels, region=[10, 20, 50, 40], mask=mask)
    restored = plane(plugin.restore(result="composited"), "pixels").reshape(40, 50, 3)
    own = pixels[20:60, 10:60]
    assert np.array_equal(restored[mask == 0], own[mask == 0])
    assert not np.array_equal(restored, own)


def test_progress_is_told_while_it_runs(plugin):
    plugin.send(picture(200, 200))
    asked = plugin.restore("tortoise", values={"pause": 0.01})
    shares = [fields["fraction"] for event, fields, _ in asked.events if event == "progress"]
    assert shares == sorted(shares)
    assert len(shares) > 3


def test_cancel_ends_the_job_and_the_bridge_stays(plugin, daemon):
    plugin.send(picture(400, 400))
    asked = plugin.begin("restore", {"document": "a", "pipeline": "tortoise", "values": {"pause": 0.2}})
    plugin.pump.until(lambda: any(e[1].get("tiles_done") for e in asked.events))
    plugin.bridge.cancel(asked.request)
    plugin.pump.until(lambda: asked.over)
    assert asked.error.reason == "CANCELLED"
    assert plugin.restore().error is None
    until(lambda: daemon[0].state().running_job_count == 0)


def test_two_jobs_at_once_do_not_mix(plugin):
    plugin.send(picture())
    jobs = [
        plugin.begin(
            "restore", {"document": "a", "pipeline": "brighten", "values": {"amount": amount, "colour": 1}}
        )
        for amount in (0.0, 0.05)
    ]
    plugin.pump.until(lambda: all(job.over for job in jobs))
    plain, brighter = (plane(job, "pixels") for job in jobs)
    assert np.array_equal(plain, picture().ravel())
    assert (brighter > plain).all()


@pytest.mark.parametrize("end", ["close", "kill"])
def test_whoever_ends_takes_the_job_along(daemon, end):
    plugin = Plugin(BRIDGE, daemon[1])
    plugin.send(picture(400, 400))
    asked = plugin.begin("restore", {"document": "a", "pipeline": "tortoise", "values": {"pause": 0.5}})
    plugin.pump.until(lambda: any(e[1].get("tiles_done") for e in asked.events))
    assert daemon[0].state().running_job_count == 1
    if end == "kill":
        plugin.bridge._process.kill()
    else:
        plugin.bridge.close()
    until(lambda: daemon[0].state().running_job_count == 0, within_s=5)
    assert plugin.bridge._process.wait(5) is not None
    plugin.bridge.close()


ERRORS = {
    "unknown pipeline": ({"pipeline": "nothing"}, "UNKNOWN_PIPELINE"),
    "not installed": ({"pipeline": "absent"}, "CHECKPOINT_MISSING"),
    "unknown setting": ({"values": {"amont": 0.1}}, "UNKNOWN_SETTING"),
    "setting out of range": ({"values": {"strength": 2}}, "SETTING_OUT_OF_RANGE"),
    "refused by every check": ({"pipeline": "broken"}, "OUTPUT_REFUSED"),
    "unknown preset": ({"preset": "nothing"}, "UNKNOWN_PRESET"),
}


@pytest.mark.parametrize(("fields", "reason"), ERRORS.values(), ids=ERRORS)
def test_errors_come_with_reason_and_sentence(plugin, fields, reason):
    plugin.send(picture())
    error = plugin.restore(**fields).error
    assert isinstance(error, SafelightError)
    assert error.reason == reason
    assert len(error.message) > 20


def test_a_document_that_was_not_sent_is_an_error(plugin):
    assert plugin.ask("restore", {"document": "b", "pipeline": "identity"}).error.reason == "NO_DOCUMENT"


def test_a_region_outside_is_an_error(plugin):
    assert plugin.send(picture(), region=[80, 0, 20, 20]).error.reason == "REGION_OUTSIDE"


def test_a_killed_daemon_is_an_error_and_the_next_request_finds_another(tmp_path):
    with short_folder() as folder:
        plugin = Plugin(BRIDGE, process_environment(folder) | {"XDG_CACHE_HOME": str(tmp_path)})
        try:
            started(folder)
            plugin.send(picture(400, 400))
            asked = plugin.begin(
                "restore", {"document": "a", "pipeline": "tortoise", "values": {"pause": 0.5}}
            )
            plugin.pump.until(lambda: any(e[1].get("tiles_done") for e in asked.events))
            ended(folder)
            plugin.pump.until(lambda: asked.over)
            assert asked.error.reason == "DAEMON_GONE"
            started(folder)
            assert plugin.restore().error is None
        finally:
            plugin.bridge.close()
            ended(folder)


def test_a_program_that_is_no_bridge_is_an_error():
    plugin = Plugin(
        [sys.executable, "-c", "import sys; sys.stderr.write('went wrong'); print('hello')"], dict(os.environ)
    )
    asked = plugin.ask("pipelines")
    assert asked.error.reason == "BRIDGE_GONE"
    assert "went wrong" in asked.error.details["log"]
    plugin.bridge.close()


def test_a_program_that_is_not_there_is_an_error():
    with pytest.raises(SafelightError) as raised:
        BridgeProcess(["/not/there"], {}, lambda call: None)
    assert raised.value.reason == "BRIDGE_NOT_STARTED"


def test_an_older_plug_in_is_told_to_be_renewed(daemon, monkeypatch):
    monkeypatch.setattr("bridge_process.PROTOCOL", 0)
    plugin = Plugin(BRIDGE, daemon[1])
    error = plugin.ask("pipelines").error
    assert error.reason == "PROTOCOL_MISMATCH"
    assert "safelight gimp install" in error.message
    plugin.bridge.close()


def test_a_newer_plug_in_asks_for_a_newer_safelight(daemon, monkeypatch):
    monkeypatch.setattr("bridge_process.PROTOCOL", 99)
    plugin = Plugin(BRIDGE, daemon[1])
    assert "upgrade Safelight" in plugin.ask("pipelines").error.message
    plugin.bridge.close()
