"""The picture: drawn by tiles, zoomed and panned, with what the tools and the compare modes lay over it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from safelight.geometry import Size
from safelight_desktop.planes.layers import DifferenceLayer, PictureLayer
from safelight_desktop.planes.tiles import TileStore, Wanted
from safelight_desktop.state.compare import CompareMode
from safelight_desktop.state.editor import Editor
from safelight_desktop.state.faithfulness import FaithfulnessState
from safelight_desktop.state.view import Point
from safelight_desktop.texts import translate
from safelight_desktop.widgets import overlay, theme
from safelight_desktop.widgets.layer_painter import LayerPainter
from safelight_desktop.widgets.loupe import Loupe
from safelight_desktop.widgets.mask_overlay import MaskOverlay
from safelight_desktop.widgets.panes import Pane, Part, pane_size, panes
from safelight_desktop.widgets.scene import Scene, SceneSwitch
from safelight_desktop.widgets.tools.divider import DividerGrip
from safelight_desktop.widgets.tools.hand import HandTool
from safelight_desktop.widgets.tools.tool import Tool

WHEEL_NOTCH = 120  # eighths of a degree, Qt's unit
CHECKER_PX = 8


class Canvas(QWidget):
    """Shows an editor. Positions named `canvas` are pixels of the screen from its corner."""

    pointed = Signal(object)
    """The document point under the mouse, or None."""
    drawn = Signal()
    tool_changed = Signal()

    def __init__(self, editor: Editor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editor = editor
        self.view, self.compare = editor.view, editor.compare
        self.brush = editor.brush
        self.masks = MaskOverlay()
        self.maps = FaithfulnessState(editor, self)
        self.store = TileStore(self)
        self._painter = LayerPainter(self.store, self.view)
        self._switch = SceneSwitch()
        self.hand: Tool = HandTool(self)
        self.tool: Tool = self.hand
        self._grip = DividerGrip(self)
        self._held: Tool | None = None
        self.loupe = Loupe(self)
        self.pointer: QPointF | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(240, 180)
        self.setAccessibleName(translate("Canvas", "Picture"))
        self.store.arrived.connect(self.update)
        self.view.changed.connect(self._moved)
        self.brush.changed.connect(self.update)
        self.maps.changed.connect(self.update)
        self.compare.changed.connect(self._compare_changed)
        self.editor.picture_changed.connect(self._picture_changed)
        self.editor.document_changed.connect(self._document_changed)
        self.editor.regions_changed.connect(self.update)
        self.editor.active_changed.connect(self.update)
        self.editor.jobs.progressed.connect(self.update)
        self.editor.jobs.changed.connect(self.update)
        self._scene_size: Size | None = None

    # -- what is where --------------------------------------------------------------------------------

    @property
    def canvas_size(self) -> Size:
        """In pixels of the screen."""
        ratio = self.devicePixelRatioF()
        return Size(max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio)))

    @property
    def panes(self) -> tuple[Pane, ...]:
        return panes(self.compare, self.canvas_size)

    def pane_at(self, canvas: QPointF) -> Pane:
        found = self.panes
        for pane in found:
            if QRectF(pane.origin.x(), pane.origin.y(), *pane.size).contains(canvas):
                return pane
        return found[0]

    def to_pane(self, canvas: QPointF) -> Point:
        inside = canvas - self.pane_at(canvas).origin
        return Point(inside.x(), inside.y())

    def to_document(self, canvas: QPointF) -> Point:
        return self.view.to_document(self.to_pane(canvas))

    def canvas_position(self, event: QMouseEvent | QWheelEvent) -> QPointF:
        return event.position() * self.devicePixelRatioF()

    def use_tool(self, tool: Tool | None) -> None:
        """None: the hand."""
        self.tool.leave()
        self.tool = tool or self.hand
        self.setCursor(self.tool.cursor(None))
        self.tool_changed.emit()
        self.update()

    @property
    def scene(self) -> Scene | None:
        """What is drawn now."""
        return self._switch.shown

    @property
    def settled(self) -> bool:
        """All that is in sight is drawn at its best."""
        shown = self._switch.shown
        return self._switch.wanted is None and (shown is None or self._ready(shown))

    # -- painting -------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        self._switch.advance(self._ready)
        self._ask_for_tiles()
        painter = QPainter(self)
        colours = theme.current()
        painter.fillRect(self.rect(), colours.canvas)
        ratio = self.devicePixelRatioF()
        painter.scale(1 / ratio, 1 / ratio)
        scene = self._switch.shown
        if scene is not None:
            for pane in self.panes:
                self._draw_pane(painter, scene, pane)
            overlay.draw_chrome(painter, self, scene)
        self.tool.draw(painter)
        self.loupe.draw(painter)
        painter.end()
        self.drawn.emit()

    def _draw_pane(self, painter: QPainter, scene: Scene, pane: Pane) -> None:
        painter.save()
        painter.translate(pane.origin)
        whole = QRectF(0, 0, *pane.size)
        painter.setClipRect(whole)
        self._draw_checkers(painter, scene, whole)
        for part in self._parts(scene, pane):
            same = part.layer == "before" and not scene.restored
            self._painter.draw(painter, scene.after if same else scene.layer(part.layer), part.clip)
            if part.layer == "after":
                overlay.draw_finished_tiles(painter, self.editor, self.view, part.clip)
                overlay.draw_map(painter, self.maps, self.view, part.clip)
        overlay.draw_regions(painter, self, whole)
        painter.restore()

    def _parts(self, scene: Scene, pane: Pane) -> tuple[Part, ...]:
        if scene.restored or self.editor.jobs.running:
            return pane.parts
        return (Part("after", QRectF(0, 0, *pane.size)),)

    def _draw_checkers(self, painter: QPainter, scene: Scene, whole: QRectF) -> None:
        if not scene.after.colours.format.alpha:
            return
        document = QRectF(
            QPointF(*self.view.to_screen(Point(0, 0))),
            QPointF(*self.view.to_screen(Point(*self.view.document))),
        )
        painter.fillRect(document.intersected(whole), QBrush(theme.checkers(CHECKER_PX)))

    # -- tiles ----------------------------------------------------------------------------------------

    def _ask_for_tiles(self) -> None:
        wanted: list[Wanted] = []
        for scene in (self._switch.wanted, self._switch.shown):
            if scene is not None:
                wanted += self._scene_tiles(scene)
        self.store.want(wanted)

    def _scene_tiles(self, scene: Scene) -> list[Wanted]:
        clip = QRectF(0, 0, *pane_size(self.compare, self.canvas_size))
        layers = scene.layers if scene.restored else [scene.after]
        return [tile for layer in layers for tile in self._painter.tiles(layer, clip)]

    def _ready(self, scene: Scene) -> bool:
        return all(self.store.tile(wanted.key) is not None for wanted in self._scene_tiles(scene))

    # -- changes --------------------------------------------------------------------------------------

    def _moved(self) -> None:
        self.update()

    def _compare_changed(self) -> None:
        self.view.set_viewport(pane_size(self.compare, self.canvas_size))
        shown = self._switch.wanted or self._switch.shown
        if shown is not None and (self.compare.mode is CompareMode.DIFFERENCE or shown.difference):
            self._picture_changed()
        self.update()

    def _document_changed(self) -> None:
        self._scene_size = None
        self._picture_changed()

    def _picture_changed(self) -> None:
        found = self.editor.layers()
        if found is None:
            self._switch.replace(None, at_once=True)
        else:
            before, after = found
            difference = None
            if self.compare.mode is CompareMode.DIFFERENCE and before is not after:
                difference = self._difference(before, after)
            scene = Scene(before, after, difference)
            size = self.view.document
            self._switch.replace(scene, at_once=size != self._scene_size)
            self._scene_size = size
        self.update()

    def _difference(self, before: PictureLayer, after: PictureLayer) -> DifferenceLayer:
        shown = self._switch.wanted or self._switch.shown
        gain = self.compare.gain
        if shown is not None and shown.difference is not None:
            same = shown.before is before and shown.after is after
            if same and shown.difference.gain == gain:
                return shown.difference
        return DifferenceLayer(before, after, gain)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.view.set_viewport(pane_size(self.compare, self.canvas_size))

    def zoom_one_to_one(self) -> None:
        """At the pointer, else the middle."""
        self.view.zoom_to(1.0, self._anchor)

    def toggle_zoom(self) -> None:
        """Whole picture, or 100 % at the pointer."""
        self.view.toggle_fit(self._anchor)

    @property
    def _anchor(self) -> Point | None:
        return self.to_pane(self.pointer) if self.pointer is not None else None

    # -- mouse and keys -------------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        position = self.canvas_position(event)
        pixels, angle = event.pixelDelta(), event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or (not pixels.isNull() and pixels.x()):
            delta = pixels if not pixels.isNull() else angle / 2
            self.view.pan(delta.x() or delta.y(), 0 if not delta.x() else delta.y())
        elif angle.y():
            self.view.zoom_by(angle.y() / WHEEL_NOTCH, self.to_pane(position))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        position = self.canvas_position(event)
        if event.button() is Qt.MouseButton.MiddleButton:
            self._held = self.hand
        elif event.button() is Qt.MouseButton.LeftButton:
            self._held = self._grip if self._grip.grabs(position) else self.tool
        else:
            return
        middle = event.button() is Qt.MouseButton.MiddleButton
        self._held.press(position, event.modifiers(), panning=middle)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        position = self.canvas_position(event)
        self.pointer = position
        if self._held is not None:
            self._held.drag(position, event.modifiers())
        else:
            tool = self._grip if self._grip.grabs(position) else self.tool
            self.setCursor(tool.cursor(position))
            self.tool.hover(position)
        self.loupe.follow(position)
        self.pointed.emit(self.to_document(position) if self.editor.document is not None else None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            self._held.release(self.canvas_position(event), event.modifiers())
            self._held = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        position = self.canvas_position(event)
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        if self._grip.grabs(position):
            self.compare.set_divider(0.5)
        else:
            self.tool.double_click(position)

    def leaveEvent(self, event: QEvent) -> None:
        self.pointer = None
        self.loupe.follow(None)
        self.pointed.emit(None)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.tool.key(event) and not self._key(event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat():
            return
        if event.key() == Qt.Key.Key_Space:
            self.compare.hold_original(False)
        elif event.key() == Qt.Key.Key_L:
            self.loupe.hide()
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QEvent) -> None:
        self.compare.hold_original(False)
        self.loupe.hide()

    def _key(self, event: QKeyEvent) -> bool:
        """Keys that belong to the canvas alone; the others are actions of the window."""
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        plain = not event.modifiers() & ~(
            Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
        )
        if not plain:
            return False
        match event.key():
            case Qt.Key.Key_Space:
                if not event.isAutoRepeat():
                    self.compare.hold_original(True)
            case Qt.Key.Key_L:
                if not event.isAutoRepeat():
                    self.loupe.show_at(self.pointer)
            case Qt.Key.Key_Left | Qt.Key.Key_Right:
                step = 0.1 if shift else 0.01
                self.compare.set_divider(
                    self.compare.divider + (step if event.key() == Qt.Key.Key_Right else -step)
                )
            case Qt.Key.Key_Home | Qt.Key.Key_End:
                self.compare.set_divider(0.0 if event.key() == Qt.Key.Key_Home else 1.0)
            case Qt.Key.Key_Up | Qt.Key.Key_Down:
                self.editor.step(-1 if event.key() == Qt.Key.Key_Up else 1, against=shift)
            case _:
                return False
        return True

    def close_tiles(self) -> None:
        """Ends the worker threads; nothing is drawn any more."""
        self.loupe.hide()
        self.store.close()
