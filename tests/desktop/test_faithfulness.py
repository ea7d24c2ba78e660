"""Maps of how far a rendition went, over the picture."""

import numpy as np
import pytest

from safelight.client.assessment import AssessmentClient
from tests.desktop.fixtures import WAIT_MS


def painted(window):
    window.canvas.repaint()
    image = window.canvas.grab().toImage()
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[..., :3].astype(int)


def shown(qtbot, window, name):
    maps = window.canvas.maps
    window.actions_[name].trigger()
    qtbot.waitUntil(lambda: not maps.busy, timeout=WAIT_MS)
    return maps


def test_a_map_is_laid_over_the_rendition_and_taken_away_again(qtbot, restored):
    restored.editor.compare.set_divider(0.0)
    before = painted(restored)
    maps = shown(qtbot, restored, "contradiction")
    document, rendition = restored.editor.document, restored.editor.active.shown
    told = AssessmentClient.of(restored.link.client).assess(
        document.pixels[rendition.rect.slices], [rendition.pixels]
    )
    assert maps.maps.numbers == told.numbers
    assert maps.maps.numbers["contradiction_share"] > 0.5  # brighter by more than the noise explains
    changed = np.abs(painted(restored) - before).max(axis=2) > 8
    assert changed.any()
    said = restored.bars.compare.map_said
    assert said.isVisible()
    assert "of the pixels" in said.text()
    shown(qtbot, restored, "contradiction")
    assert np.array_equal(painted(restored), before)
    assert not said.isVisible()


def test_another_rendition_gets_another_map(qtbot, restored):
    maps = shown(qtbot, restored, "contradiction")
    much = maps.maps.numbers["contradiction_mean"]
    with qtbot.waitSignal(restored.editor.refresh.refreshed, timeout=WAIT_MS):
        restored.editor.form.choose("strength", 0.2)
    qtbot.waitUntil(lambda: not restored.editor.refresh.busy and not maps.busy, timeout=WAIT_MS)
    assert maps.maps.numbers["contradiction_mean"] < much / 2


def test_spread_needs_two_renditions(qtbot, restored):
    maps = shown(qtbot, restored, "spread")
    assert maps.image is None
    assert "needs two renditions" in restored.bars.compare.map_said.text()
    restored.editor.form.choose("amount", 0.08)
    with qtbot.waitSignal(restored.editor.jobs.finished, timeout=WAIT_MS):
        restored.editor.run()
    qtbot.waitUntil(lambda: maps.image is not None, timeout=WAIT_MS)
    assert maps.maps.numbers["spread_mean"] == pytest.approx(0.015 * 255, rel=0.4)


def test_without_a_rendition_there_is_no_map(opened):
    assert not opened.actions_["invention"].isEnabled()
