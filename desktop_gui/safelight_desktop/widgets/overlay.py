"""What is drawn over the picture: regions, handles, the divider, labels, tiles that are just finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from safelight_desktop.state.compare import CompareMode
from safelight_desktop.state.editor import Editor
from safelight_desktop.state.region import Region
from safelight_desktop.state.view import Point, ViewState
from safelight_desktop.texts import rendition_title, translate
from safelight_desktop.widgets import theme
from safelight_desktop.widgets.panes import divider_px
from safelight_desktop.widgets.tools.divider import KNOB_PX
from safelight_desktop.widgets.tools.handles import handle_points

if TYPE_CHECKING:
    from safelight_desktop.widgets.canvas import Canvas
    from safelight_desktop.widgets.scene import Scene

SHADE = QColor(0, 0, 0, 150)
CHIP = QColor(20, 20, 20, 200)
HANDLE_PX = 7
MARGIN_PX = 12


def draw_finished_tiles(painter: QPainter, editor: Editor, view: ViewState, clip: QRectF) -> None:
    """Provisional tiles of running jobs, in the part of a pane that shows after."""
    painter.save()
    painter.setClipRect(clip, Qt.ClipOperation.IntersectClip)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
    for job in editor.jobs.running:
        if job.plan.region is not editor.active:
            continue
        region, scale = job.call.work.region, job.call.settings.output_scale
        for tile in job.tiles:
            left, top = view.to_screen_xy(region.x + tile.rect.x / scale, region.y + tile.rect.y / scale)
            right, bottom = view.to_screen_xy(
                region.x + tile.rect.right / scale, region.y + tile.rect.bottom / scale
            )
            target = QRectF(QPointF(round(left), round(top)), QPointF(round(right), round(bottom)))
            if target.intersects(clip):
                painter.drawImage(target, tile.image)
    painter.restore()


def draw_regions(painter: QPainter, canvas: Canvas, whole: QRectF) -> None:
    """Their outlines; the active one with handles."""
    for region in canvas.editor.regions:
        if not region.whole:
            _draw_region(painter, canvas, region)


def _draw_region(painter: QPainter, canvas: Canvas, region: Region) -> None:
    view, ratio = canvas.view, canvas.devicePixelRatioF()
    active = region is canvas.editor.active
    rect = region.selection.rect
    left, top = view.to_screen(Point(rect.x, rect.y))
    box = QRectF(left, top, rect.width * view.zoom, rect.height * view.zoom)
    if region.selection.outline:
        path = QPainterPath()
        points = [QPointF(*view.to_screen(p)) for p in region.selection.outline]
        path.addPolygon(points)
        path.closeSubpath()
        draw_path(painter, path, ratio, active=active)
    elif region.selection.kind == "rectangle":
        draw_outline(painter, box, ratio, active=active)
    if active:
        _draw_handles(painter, box, ratio)


def draw_outline(painter: QPainter, box: QRectF, ratio: float, *, active: bool) -> None:
    path = QPainterPath()
    path.addRect(box)
    draw_path(painter, path, ratio, active=active)


def draw_path(painter: QPainter, path: QPainterPath, ratio: float, *, active: bool) -> None:
    """Dark under light, so that it is seen on any picture."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(SHADE, 3 * ratio))
    painter.drawPath(path)
    colour = theme.DARK.accent if active else QColor(255, 255, 255, 190)
    pen = QPen(colour, 1.4 * ratio)
    if not active:
        pen.setDashPattern([4, 3])
    painter.setPen(pen)
    painter.drawPath(path)


def _draw_handles(painter: QPainter, box: QRectF, ratio: float) -> None:
    side = HANDLE_PX * ratio
    painter.setPen(QPen(SHADE, ratio))
    painter.setBrush(theme.DARK.accent)
    for point in handle_points((box.left(), box.top(), box.right(), box.bottom())).values():
        painter.drawRect(QRectF(point.x - side / 2, point.y - side / 2, side, side))


def draw_chrome(painter: QPainter, canvas: Canvas, scene: Scene) -> None:
    """Divider and labels, over all panes."""
    comparing = scene.restored or bool(canvas.editor.jobs.running)
    if not comparing:
        return
    if canvas.compare.mode is CompareMode.SPLIT and not canvas.compare.original_held:
        _draw_divider(painter, canvas)
    _draw_labels(painter, canvas)


def _draw_divider(painter: QPainter, canvas: Canvas) -> None:
    size, ratio = canvas.canvas_size, canvas.devicePixelRatioF()
    at = divider_px(canvas.compare, size)
    if canvas.compare.stacked:
        start, end, knob = QPointF(0, at), QPointF(size.width, at), QPointF(size.width / 2, at)
    else:
        start, end, knob = QPointF(at, 0), QPointF(at, size.height), QPointF(at, size.height / 2)
    painter.setPen(QPen(SHADE, 3 * ratio))
    painter.drawLine(start, end)
    painter.setPen(QPen(QColor(255, 255, 255, 230), 1 * ratio))
    painter.drawLine(start, end)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(255, 255, 255, 230), 1.5 * ratio))
    painter.setBrush(CHIP)
    painter.drawEllipse(knob, KNOB_PX * ratio, KNOB_PX * ratio)
    painter.translate(knob)
    if canvas.compare.stacked:
        painter.rotate(90)
    for side in (-1, 1):
        arrow = QPainterPath(QPointF(side * 4 * ratio, -4 * ratio))
        arrow.lineTo(side * 8 * ratio, 0)
        arrow.lineTo(side * 4 * ratio, 4 * ratio)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(arrow)
    painter.restore()


def _draw_labels(painter: QPainter, canvas: Canvas) -> None:
    """Which side is which, in the upper corners."""
    before, after = _before_title(canvas), _after_title(canvas)
    compare, size, ratio = canvas.compare, canvas.canvas_size, canvas.devicePixelRatioF()
    margin = MARGIN_PX * ratio
    both = compare.mode in (CompareMode.SPLIT, CompareMode.SIDE_BY_SIDE) and not compare.original_held
    if not both:
        shows_before = compare.original_held or (
            compare.mode is CompareMode.BLINK and compare.blink_shows_before
        )
        title = _difference_title(canvas) if compare.mode is CompareMode.DIFFERENCE else after
        _chip(painter, canvas, QPointF(margin, margin), before if shows_before else title)
        return
    _chip(painter, canvas, QPointF(margin, margin), before)
    if compare.stacked:
        _chip(painter, canvas, QPointF(margin, size.height - margin), after, from_below=True)
    else:
        _chip(painter, canvas, QPointF(size.width - margin, margin), after, from_right=True)


def _before_title(canvas: Canvas) -> str:
    active = canvas.editor.active
    against = active.against if active is not None else None
    return rendition_title(against) if against is not None else translate("Canvas", "Original")


def _after_title(canvas: Canvas) -> str:
    active = canvas.editor.active
    shown = active.shown if active is not None else None
    return rendition_title(shown) if shown is not None else translate("Canvas", "After")


def _difference_title(canvas: Canvas) -> str:
    return translate("Canvas", "Difference × {gain}").format(gain=f"{canvas.compare.gain:g}")


def _chip(
    painter: QPainter,
    canvas: Canvas,
    corner: QPointF,
    text: str,
    *,
    from_right: bool = False,
    from_below: bool = False,
) -> None:
    box = _chip_box(canvas, text)
    if from_right:
        box.moveRight(corner.x())
    else:
        box.moveLeft(corner.x())
    if from_below:
        box.moveBottom(corner.y())
    else:
        box.moveTop(corner.y())
    _paint_chip(painter, canvas, box, text)


def draw_chip(painter: QPainter, canvas: Canvas, middle: QPointF, text: str) -> None:
    """A short text on a dark ground, centred."""
    box = _chip_box(canvas, text)
    box.moveCenter(middle)
    _paint_chip(painter, canvas, box, text)


def _font(canvas: Canvas) -> QFont:
    font = QFont(canvas.font())
    font.setPixelSize(round(12 * canvas.devicePixelRatioF()))
    return font


def _chip_box(canvas: Canvas, text: str) -> QRectF:
    ratio = canvas.devicePixelRatioF()
    box = QFontMetricsF(_font(canvas)).boundingRect(text)
    return QRectF(0, 0, box.width() + 18 * ratio, box.height() + 8 * ratio)


def _paint_chip(painter: QPainter, canvas: Canvas, box: QRectF, text: str) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(CHIP)
    painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
    painter.setPen(QColor(245, 245, 245))
    painter.setFont(_font(canvas))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
