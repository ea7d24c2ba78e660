"""The store of tiles: bounded, what is wanted first, nothing that nobody wants."""

import threading

import pytest
from PySide6.QtGui import QImage

from safelight.geometry import Size
from safelight_desktop.planes.layers import Layer
from safelight_desktop.planes.tiles import TileKey, TileStore, Wanted


class Recorder(Layer):
    """A layer that notes what it renders and waits until it may go on."""

    def __init__(self, *, gate=None, failing=False):
        super().__init__()
        self.size, self.scale = Size(4096, 4096), 1
        self.rendered = []
        self.gate, self.failing = gate, failing

    def render(self, level, rect):
        if self.gate is not None:
            assert self.gate.wait(10)
        self.rendered.append((rect.x // 512, rect.y // 512))
        if self.failing:
            raise ValueError("broken")
        image = QImage(rect.width, rect.height, QImage.Format.Format_RGB32)
        image.fill(0)
        return image

    def wanted(self, *columns):
        return [Wanted(TileKey(self.number, 0, column, 0), self) for column in columns]


@pytest.fixture
def store(qtbot):
    made = TileStore(cache_bytes=4 << 20, threads=1)
    yield made
    made.close()


def test_tiles_come_in_the_order_in_which_they_are_wanted(qtbot, store):
    layer = Recorder()
    store.want(layer.wanted(3, 1, 2))
    qtbot.waitUntil(lambda: store.idle)
    assert [column for column, _ in layer.rendered] == [3, 1, 2]
    assert store.tile(TileKey(layer.number, 0, 1, 0)).width() == 512


def test_what_is_not_wanted_any_more_is_not_rendered(qtbot, store):
    gate = threading.Event()
    layer = Recorder(gate=gate)
    store.want(layer.wanted(0, 1, 2, 3))
    store.want(layer.wanted(7))
    gate.set()
    qtbot.waitUntil(lambda: store.idle)
    assert {column for column, _ in layer.rendered} <= {0, 7}
    assert store.tile(TileKey(layer.number, 0, 7, 0)) is not None


def test_the_cache_stays_within_its_bytes_and_keeps_what_was_used_last(qtbot, store):
    layer = Recorder()
    for column in range(6):  # 1 MiB each
        store.want(layer.wanted(column))
        qtbot.waitUntil(lambda: store.idle)
        store.tile(TileKey(layer.number, 0, 0, 0))
    assert store.held_bytes <= 4 << 20
    assert store.tile(TileKey(layer.number, 0, 0, 0)) is not None
    assert store.tile(TileKey(layer.number, 0, 1, 0)) is None


def test_a_tile_that_fails_stays_empty_and_is_not_tried_for_ever(qtbot, store, caplog):
    layer = Recorder(failing=True)
    for _ in range(3):
        store.want(layer.wanted(0))
        qtbot.waitUntil(lambda: store.idle)
    assert len(layer.rendered) == 1
    assert store.tile(TileKey(layer.number, 0, 0, 0)).isNull()
    assert "broken" in caplog.text
