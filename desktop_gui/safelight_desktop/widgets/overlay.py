"""What is drawn over the picture: regions, handles, the divider, labels, tiles that are just finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from safelight_desktop.state.compare import CompareMode
from safelight_desktop.state.editor import Editor
from safelight_desktop.state.faithfulness import FaithfulnessState
from safelight_desktop.state.region import Region
from safelight_desktop.state.view import Point, ViewState
from safelight_desktop.texts import rendition_title, translate
from safelight_desktop.widgets.marks import ACTIVE, CHIP, LESS, SHADE, TINT, chip, draw_outline, draw_path
from safelight_desktop.widgets.panes import divider_px
from safelight_desktop.widgets.tools.divider import KNOB_PX
from safelight_desktop.widgets.tools.hand import HandTool
from safelight_desktop.widgets.tools.handles import handle_points
from safelight_desktop.widgets.tools.lasso import LassoTool
from safelight_desktop.widgets.tools.painter import PaintTool
from safelight_desktop.widgets.tools.rectangle import RectangleTool

if TYPE_CHECKING:
    from safelight_desktop.widgets.canvas import Canvas
    from safelight_desktop.widgets.scene import Scene

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


def draw_map(painter: QPainter, maps: FaithfulnessState, view: ViewState, clip: QRectF) -> None:
    """How far the rendition went, over the part of a pane that shows after."""
    image = maps.image
    if image is None or maps.maps is None:
        return
    rect = maps.maps.rect
    corner, end = view.to_screen_xy(rect.x, rect.y), view.to_screen_xy(rect.right, rect.bottom)
    painter.save()
    painter.setClipRect(clip, Qt.ClipOperation.IntersectClip)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
    painter.drawImage(QRectF(QPointF(*corner), QPointF(*end)), image)
    painter.restore()


def draw_regions(painter: QPainter, canvas: Canvas, whole: QRectF) -> None:
    """Their outlines or tints; the active one with handles. The stroke that is being painted over them."""
    tool = canvas.tool
    stroke = tool.stroke if isinstance(tool, PaintTool) else None
    for region in canvas.editor.regions:
        painted = stroke is not None and isinstance(tool, PaintTool) and tool.region is region
        if not region.whole and not painted:
            _draw_region(painter, canvas, region, whole)
    if isinstance(tool, PaintTool):
        _draw_painting(painter, canvas, tool, whole)


def _draw_region(painter: QPainter, canvas: Canvas, region: Region, whole: QRectF) -> None:
    view, ratio = canvas.view, canvas.devicePixelRatioF()
    active, selection = region is canvas.editor.active, region.selection
    rect = selection.rect
    left, top = view.to_screen(Point(rect.x, rect.y))
    box = QRectF(left, top, rect.width * view.zoom, rect.height * view.zoom)
    if selection.outline:
        path = QPainterPath()
        path.addPolygon([QPointF(*view.to_screen(p)) for p in selection.outline])
        path.closeSubpath()
        draw_path(painter, path, ratio, active=active)
    elif selection.mask is not None:
        if not region.shown or isinstance(canvas.tool, PaintTool):  # a tint would hide the result
            colour = TINT if active else QColor(255, 255, 255)
            canvas.masks.draw(painter, view, whole, rect, selection.mask, colour, slot=f"region {id(region)}")
        if not active:
            draw_outline(painter, box, ratio, active=False)
    else:
        draw_outline(painter, box, ratio, active=active)
    if active and isinstance(canvas.tool, HandTool | RectangleTool | LassoTool):
        if selection.mask is not None:
            draw_outline(painter, box, ratio, active=False)
        _draw_handles(painter, box, ratio)


def _draw_painting(painter: QPainter, canvas: Canvas, tool: PaintTool, whole: QRectF) -> None:
    """The stroke as it grows; with the strength brush what the active region gets less of."""
    stroke, region = tool.stroke, canvas.editor.active
    strength = tool.effect == "strength"
    if stroke is not None:
        canvas.masks.draw(
            painter, canvas.view, whole, stroke.area, stroke.plane, LESS if strength else TINT,
            version=tool.version, inverted=strength, slot="stroke",
            within=region.selection.mask if strength and region is not None else None,
        )  # fmt: skip
    elif strength and region is not None and region.selection.strength is not None:
        selection = region.selection
        assert selection.strength is not None
        canvas.masks.draw(
            painter,
            canvas.view,
            whole,
            selection.rect,
            selection.strength,
            LESS,
            inverted=True,
            slot="strength",
        )


def _draw_handles(painter: QPainter, box: QRectF, ratio: float) -> None:
    side = HANDLE_PX * ratio
    painter.setPen(QPen(SHADE, ratio))
    painter.setBrush(ACTIVE)
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
        chip(painter, canvas, QPointF(margin, margin), before if shows_before else title)
        return
    chip(painter, canvas, QPointF(margin, margin), before)
    if compare.stacked:
        chip(painter, canvas, QPointF(margin, size.height - margin), after, from_below=True)
    else:
        chip(painter, canvas, QPointF(size.width - margin, margin), after, from_right=True)


def _before_title(canvas: Canvas) -> str:
    active, other = canvas.editor.active, canvas.editor.other
    if other is not None:
        return other.name
    against = active.against if active is not None else None
    return rendition_title(against) if against is not None else translate("Canvas", "Original")


def _after_title(canvas: Canvas) -> str:
    active = canvas.editor.active
    shown = active.shown if active is not None else None
    return rendition_title(shown) if shown is not None else translate("Canvas", "After")


def _difference_title(canvas: Canvas) -> str:
    return translate("Canvas", "Difference × {gain}").format(gain=f"{canvas.compare.gain:g}")
