"""The mouse on the canvas, in document coordinates."""

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

LEFT = Qt.MouseButton.LeftButton


def position(canvas, point):
    ratio = canvas.devicePixelRatioF()
    return QPoint(*(round(v / ratio) for v in canvas.view.to_screen_xy(*point)))


def drag(qtbot, canvas, *points, modifiers=Qt.KeyboardModifier.NoModifier, button=LEFT):
    """Presses at the first document point, goes over the others, lets go at the last."""
    places = [position(canvas, point) for point in points]
    qtbot.mousePress(canvas, button, modifiers, pos=places[0])
    for place in places[1:]:
        move(canvas, place, button, modifiers)
    qtbot.mouseRelease(canvas, button, modifiers, pos=places[-1])


def move(canvas, place, button=Qt.MouseButton.NoButton, modifiers=Qt.KeyboardModifier.NoModifier):
    """As QTest does it, but with the buttons that are down."""

    at = QPointF(place)
    event = QMouseEvent(
        QEvent.Type.MouseMove, at, canvas.mapToGlobal(at), Qt.MouseButton.NoButton, button, modifiers
    )
    QApplication.sendEvent(canvas, event)


def click(qtbot, canvas, point):
    qtbot.mouseClick(canvas, LEFT, pos=position(canvas, point))


def wheel(canvas, point, notches):

    at = QPointF(position(canvas, point))
    event = QWheelEvent(
        at, canvas.mapToGlobal(at), QPoint(0, 0), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)
