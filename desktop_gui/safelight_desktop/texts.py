"""Words on the screen. English stands in the code, German in translations/."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from safelight_desktop.state.region import Region, Rendition

FOLDER = Path(__file__).parent / "translations"
LANGUAGES = {"en": "English", "de": "Deutsch"}

translate = QCoreApplication.translate
"""translate(context, text): pyside6-lupdate finds both as literals."""


def install(app: QCoreApplication, language: str) -> None:
    """`language`: en or de; empty: the system's, English where it is neither."""
    language = language or QLocale.system().name().partition("_")[0]
    for old in app.findChildren(QTranslator):
        app.removeTranslator(old)
        old.deleteLater()
    QLocale.setDefault(QLocale(language if language in LANGUAGES else "en"))
    if language not in LANGUAGES or language == "en":
        return
    qt = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    for name, folder in ((f"qtbase_{language}", qt), (language, str(FOLDER))):
        translator = QTranslator(app)
        if translator.load(name, folder):
            app.installTranslator(translator)


def region_title(region: Region, number: int) -> str:
    """`number`: its place in the list, the whole picture being 0."""
    if region.name:
        return region.name
    if region.whole:
        return translate("Regions", "Whole picture")
    return translate("Regions", "Region {number}").format(number=number)


def rendition_title(rendition: Rendition) -> str:
    scale = f" {rendition.scale}×" if rendition.scale > 1 else ""
    return f"{rendition.title}{scale}"


def setting_text(english: str) -> str:
    """Titles and explanations that the daemon sends, in the person's language where they are known."""
    return translate("Schema", english)
