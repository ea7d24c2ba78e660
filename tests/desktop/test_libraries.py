import pytest

from tests.desktop import libraries


@pytest.mark.skipif(bool(libraries.MISSING), reason=libraries.MISSING or "nothing is missing")
def test_qt_draws_offscreen(request):
    from PySide6.QtGui import QColor, QPixmap

    request.getfixturevalue("qapp")
    pixmap = QPixmap(2, 2)
    pixmap.fill(QColor("#102030"))
    assert pixmap.toImage().pixelColor(1, 1) == QColor("#102030")
