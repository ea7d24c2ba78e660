"""A person before the screen: the dialog by keys and mouse, progress, cancelling, undo."""

import json
import threading
from contextlib import suppress
from functools import partial

import numpy as np
import psutil
import pytest
from PIL import Image
from skimage import data

from safelight.v1 import restoration_pb2
from tests.fakes.daemon import daemon_process, short_folder
from tests.fakes.hub import hub
from tests.fakes.waiting import until
from tests.gimp import shop
from tests.gimp.found import missing_for_screen
from tests.gimp.screen import REDO, RESTORE, START_S, UPSCALE, copied, open_gimp, screen

pytestmark = [pytest.mark.gimp, pytest.mark.display]

TITLE = r"^Restore Region \(Safelight\)"
TITLES = r"\(Safelight\)$"
PROGRESS = "^Safelight$"
REMEMBERED = "safelight.json"
RECIPE = "safelight-recipe"
eventually = partial(until, within_s=START_S)
CALM, LOOKS = 6, 200  # screenshots: so many alike, among at most so many


def missing_programs(gimp):
    if missing := missing_for_screen(gimp):
        pytest.skip(f"no virtual screen: {', '.join(missing)} not found")


@pytest.fixture(scope="module")
def served():
    """A hub with what a pipeline needs."""
    with hub({shop.FILE: shop.GOODS}) as found:
        yield found


@pytest.fixture(scope="module")
def daemon(served):
    """With that pipeline."""
    with short_folder() as folder, daemon_process(folder, shop.command(served, folder)) as process:
        yield process


@pytest.fixture(scope="module")
def desk(real_gimp, home, daemon, tmp_path_factory):
    """A screen, an open GIMP that also answers questions, its window."""
    missing_programs(real_gimp)
    own = copied(home, tmp_path_factory.mktemp("desk") / "home")
    picture = own / "cup.png"
    Image.fromarray(data.coffee()).save(picture)
    variables = {"SAFELIGHT_RUNTIME_DIR": str(daemon.folder)}
    with screen(real_gimp, own) as shown, open_gimp(shown, picture, **variables) as (gimp, window):
        yield Desk(shown, gimp, window, daemon, own, picture)


def kept(state):
    """Without what GIMP itself does not repeat: which layer is chosen, and that its mask is not."""
    layers = {number: {**layer, "editing_mask": None} for number, layer in state["layers"].items()}
    return {**state, "layers": layers, "selected": None}


def commands_below(process):
    """Command lines of what it has started and still runs."""
    found = []
    for below in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it may end while we look
            if below.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(below.cmdline()))
    return found


class Desk:
    def __init__(self, shown, gimp, window, daemon, home, picture):
        self.screen, self.gimp, self.window, self.picture = shown, gimp, window, picture
        self.client = daemon.client
        self.settings = home / ".config/GIMP" / shown.gimp.series
        self.display = None

    def clear(self):
        """One image with an ellipse selected, no dialogs, nothing remembered."""
        eventually(lambda: not self._escape())
        (self.settings / REMEMBERED).unlink(missing_ok=True)
        image = self.gimp("load", path=str(self.picture))
        display = self.gimp("show", image=image)
        if self.display is not None:
            self.gimp("close", display=self.display)
        self.display = display
        self.gimp("select", image=image, shape="ellipse", box=[200, 80, 220, 180])
        return image

    def _escape(self):
        """Leaves one window; whether there was one."""
        open_windows = self.screen.windows(f"{TITLES}|{PROGRESS}|GIMP Message")
        if open_windows:
            self.screen.activate(open_windows[-1])
            self.screen.keys("Escape")
        return bool(open_windows)

    def remember(self, pipeline, *, preview=True, **values):
        told = {
            "pipeline": pipeline,
            "values": {pipeline: values},
            "output": "layer",
            "source": "layer",
            "preview": preview,
        }
        (self.settings / REMEMBERED).write_text(json.dumps(told))

    def dialog(self, entry=RESTORE, title=TITLE, filled=True):
        """Opens it and waits until it is filled: then it asks for a preview."""
        before = self.jobs()
        self.screen.activate(self.window)
        self.screen.keys(*entry)
        window = self.screen.wait(title)
        if filled:
            eventually(lambda: self.jobs() - before)
        self.screen.activate(window)
        return window

    def choose(self, pipeline):
        """Another pipeline, by keys."""
        found = [p.spec.id for p in self.client.pipelines()]
        self.screen.keys("alt+i", *["Down"] * found.index(pipeline))

    def confirm(self):
        """Presses Restore and waits for the end of the run."""
        self.screen.keys("alt+r")
        self.screen.wait_gone(TITLES)
        self.over()

    def over(self):
        """Waits until no plug-in of ours runs."""
        gimp = psutil.Process(self.gimp.process.pid)
        eventually(lambda: not any("safelight-gimp.py" in command for command in commands_below(gimp)))

    def calm(self, window):
        """What a window shows when it has stopped changing; H W 3."""
        path = self.picture.with_name("shot.png")
        last, count = None, 0
        for _ in range(LOOKS):
            with Image.open(self.screen.shot(path, window)) as shot:
                now = np.asarray(shot.convert("RGB"))
            same = last is not None and now.shape == last.shape and np.array_equal(now, last)
            count = count + 1 if same else 0
            if count == CALM:
                return now
            last = now
        raise AssertionError("the window keeps changing")

    def installed(self, pipeline):
        return next(p.installed for p in self.client.pipelines() if p.spec.id == pipeline)

    def computing(self):
        running = restoration_pb2.JOB_STATE_RUNNING
        return [
            job
            for job in self.client.jobs()
            if job.progress.state == running and job.progress.tile_count_done
        ]

    def jobs(self):
        return {job.job_id for job in self.client.jobs()}

    def layers(self, image, count):
        """Waits until a run is over and the image has so many layers; gives the top one."""
        found = eventually(lambda: (now := self.gimp("layers", image=image)) and len(now) == count and now)
        self.over()
        return found[0]

    def recipe(self, layer):
        return json.loads(self.gimp("layer", item=layer)["parasites"][RECIPE])


@pytest.fixture
def image(desk):
    return desk.clear()


def test_by_keys_alone(desk, image):
    desk.dialog()
    desk.choose("brighten")
    desk.screen.keys("alt+s", "ctrl+a")
    desk.screen.write("0.5")
    desk.screen.keys("Return")
    desk.screen.wait_gone(TITLE)
    settings = desk.recipe(desk.layers(image, 2))["settings"]
    assert settings["pipeline"] == "brighten"
    assert settings["strength"] == 0.5


def test_escape_changes_nothing(desk, image):
    before = desk.gimp("state", image=image)
    desk.dialog()
    desk.choose("brighten")
    desk.screen.keys("Escape")
    desk.screen.wait_gone(TITLE)
    assert desk.gimp("state", image=image) == before


def test_opening_the_dialog_loads_the_pipeline(desk, image):
    """Also when nobody wants to see a preview."""
    desk.client.unload()
    desk.remember("brighten", preview=False)
    jobs = desk.jobs()
    desk.dialog(filled=False)
    eventually(lambda: "brighten" in [p.spec.id for p in desk.client.pipelines() if p.resident])
    assert desk.jobs() == jobs
    desk.screen.keys("Escape")


@pytest.mark.parametrize("output", ["layer", "replace"])
def test_undo_restores_and_redo_repeats_the_exact_state(desk, image, output):
    (layer,) = desk.gimp("layers", image=image)
    samples = desk.gimp.pixels(layer)
    desk.remember("brighten")
    before = desk.gimp("state", image=image)
    desk.dialog()
    if output == "replace":
        desk.screen.keys("alt+l", "Down")
    desk.confirm()
    after = desk.gimp("state", image=image)
    assert after != before
    desk.screen.activate(desk.window)
    desk.screen.keys("ctrl+z")
    eventually(lambda: desk.gimp("state", image=image) == before)
    assert np.array_equal(desk.gimp.pixels(layer), samples)
    desk.screen.keys("ctrl+y")
    eventually(lambda: kept(desk.gimp("state", image=image)) == kept(after))


def test_cancel_and_run_again(desk, image):
    desk.remember("tortoise", pause=1.0)
    before = desk.gimp("state", image=image)
    desk.dialog()
    desk.screen.keys("alt+r")
    window = desk.screen.wait(PROGRESS)
    eventually(desk.computing)
    assert desk.gimp("layers", image=image)  # GIMP is not held up
    desk.screen.activate(window)
    desk.screen.keys("Escape")
    desk.screen.wait_gone(PROGRESS)
    eventually(lambda: not desk.computing())
    assert desk.gimp("state", image=image) == before
    desk.remember("tortoise", pause=0.0)
    desk.dialog()
    desk.screen.keys("alt+r")
    assert desk.recipe(desk.layers(image, 2))["settings"]["pipeline"] == "tortoise"


def test_repeat_last_runs_without_a_dialog(desk, image):
    desk.remember("brighten", amount=0.03)
    desk.dialog()
    desk.confirm()
    first = desk.recipe(desk.layers(image, 2))
    desk.screen.activate(desk.window)
    desk.screen.keys("ctrl+f")
    second = desk.recipe(desk.layers(image, 3))
    assert second["settings"] == first["settings"]
    assert first["settings"]["amount"] == 0.03
    assert not desk.screen.windows(TITLE)


def test_values_are_remembered_for_each_pipeline(desk, image):
    desk.dialog()
    desk.choose("brighten")
    desk.screen.keys("alt+s", "ctrl+a")
    desk.screen.write("0.25")
    desk.screen.keys("Return")
    desk.layers(image, 2)
    desk.dialog()
    desk.screen.keys("alt+r")
    assert desk.recipe(desk.layers(image, 3))["settings"]["strength"] == 0.25


def test_the_preview_can_be_dragged(desk, image):
    desk.gimp("select_nothing", image=image)
    window = desk.dialog()
    before = desk.calm(window)
    x, y, _, _ = desk.screen.place(window)
    jobs = desk.jobs()
    desk.screen.drag((x + 120, y + 250), (x + 80, y + 210))
    eventually(lambda: desk.jobs() - jobs)
    assert (desk.calm(window) != before).mean() > 0.05
    jobs = desk.jobs()
    desk.screen.keys("Right", "Down")
    eventually(lambda: desk.jobs() - jobs)
    desk.screen.keys("Escape")


def test_the_preview_follows_strength_at_once(desk, image):
    desk.remember("brighten", amount=0.05)
    window = desk.dialog()
    before = desk.calm(window)
    desk.screen.keys("alt+s", "ctrl+a")
    desk.screen.write("0")
    desk.screen.keys("Tab")
    after = desk.calm(window)
    right_half = np.s_[200:400, 240:400]
    assert after[right_half].astype(int).mean() < before[right_half].astype(int).mean() - 4
    desk.screen.keys("Escape")


def test_a_redo_opens_with_the_values_of_the_layer(desk, image):
    desk.remember("brighten", amount=0.03, strength=0.5)
    desk.dialog()
    desk.confirm()
    made = desk.layers(image, 2)
    desk.remember("compact")
    desk.gimp("set_selected", image=image, items=[made])
    desk.dialog(REDO, "^Redo with Other Settings")
    desk.screen.keys("alt+s", "ctrl+a")
    desk.screen.write("0.75")
    desk.screen.keys("Return")
    eventually(lambda: desk.recipe(made)["settings"]["strength"] == 0.75)
    assert desk.recipe(made)["settings"]["amount"] == 0.03
    assert len(desk.gimp("layers", image=image)) == 2


def test_an_enlarged_image_opens_in_a_window(desk, image):
    before = set(desk.gimp("images"))
    desk.remember("brighten")
    desk.dialog(UPSCALE, "^Upscale Image")
    desk.confirm()
    (made,) = set(desk.gimp("images")) - before
    assert desk.gimp("state", image=made)["size"] == [1200, 800]
    desk.screen.wait("1200x800")


def test_an_image_that_is_closed_during_the_run(desk, image):
    desk.remember("tortoise", pause=0.3)
    desk.dialog()
    desk.screen.keys("alt+r")
    eventually(desk.computing)
    desk.gimp("close", display=desk.display)
    desk.display = None
    log = desk.settings / "safelight-gimp.log"
    eventually(lambda: log.exists() and "IMAGE_CLOSED" in log.read_text())
    eventually(lambda: not desk.computing())
    desk.screen.wait("GIMP Message|Error")


def test_what_is_not_installed_cannot_be_run_but_installed(desk, image):
    window = desk.dialog()
    desk.choose("absent")
    desk.screen.keys("alt+r", "alt+n")
    desk.screen.wait("^Install Absent")
    desk.screen.keys("Escape")
    desk.screen.wait_gone("^Install Absent")
    assert desk.screen.windows(TITLE) == [window]
    desk.screen.keys("Escape")


def test_installing_asks_for_the_licence_and_shows_how_far_it_is(desk, image, served, monkeypatch):
    monkeypatch.setattr(served, "gate", threading.Event())
    desk.dialog()
    desk.choose("absent")
    desk.screen.keys("alt+n")
    window = desk.screen.wait("^Install Absent")
    before = desk.calm(window)
    desk.screen.keys("alt+i")  # not before the licence is accepted
    assert served.headers == []
    desk.screen.keys("alt+a", "alt+i")
    eventually(lambda: served.ranges)
    assert not np.array_equal(desk.calm(window), before)
    served.gate.set()
    desk.screen.wait_gone("^Install Absent")
    eventually(lambda: desk.installed("absent"))
    desk.confirm()
    assert desk.recipe(desk.layers(image, 2))["settings"]["pipeline"] == "absent"


def test_a_selection_outside_the_layer_is_told_in_the_dialog(desk, image):
    (layer,) = desk.gimp("layers", image=image)
    desk.gimp("offset", item=layer, x=500, y=0)
    before = desk.gimp("state", image=image)
    window = desk.dialog(filled=False)
    desk.calm(window)
    desk.screen.keys("alt+r", "Return")
    assert desk.screen.windows(TITLE) == [window]
    desk.screen.keys("Escape")
    desk.screen.wait_gone(TITLE)
    assert desk.gimp("state", image=image) == before


def test_a_gimp_that_crashes_takes_its_dialog_along(desk, image):
    """The last test here: it ends the GIMP of all."""
    desk.dialog()
    gimp = psutil.Process(desk.gimp.process.pid)
    ours = [p for p in gimp.children(recursive=True) if "safelight" in " ".join(p.cmdline())]
    assert len(ours) >= 2  # plug-in and bridge
    gimp.kill()
    _, left = psutil.wait_procs(ours, timeout=START_S)
    assert [process for process in left if process.status() != psutil.STATUS_ZOMBIE] == []
