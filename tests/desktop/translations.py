"""Keeps the translations: `python -m tests.desktop.translations` finds new strings, and makes the .qm of each .ts.

Titles and explanations of settings come from the daemon, in English; those of the pipelines that come with Safelight
are written into `schema_texts.py`, so that they can be translated like the app's own.
"""

import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import safelight_desktop
from safelight.engine.checkpoints import catalogue
from safelight.engine.pipelines.registry import default_registry
from safelight.settings import COMMON, COMMON_PRESETS
from safelight_desktop.planes.enlarged import RESAMPLINGS

PACKAGE = Path(safelight_desktop.__file__).parent
SCHEMA = PACKAGE / "schema_texts.py"
FOLDER = PACKAGE / "translations"
LANGUAGES = ("de",)
HEAD = '''"""What the daemon says of its pipelines, for the translators. Made by tests/desktop/translations.py."""

# ruff: noqa: E501
# fmt: off

from PySide6.QtCore import QT_TRANSLATE_NOOP

TEXTS = (
'''


def schema_texts():
    """All that a schema shows to a person, once each, sorted."""
    specs = [entry.spec for entry in default_registry().entries]
    settings = [*COMMON, *(setting for spec in specs for setting in spec.settings)]
    presets = [*COMMON_PRESETS, *(name for spec in specs for name in spec.presets)]
    found = {spec.summary for spec in specs} | {name.replace("-", " ").capitalize() for name in presets}
    for setting in settings:
        found |= {setting.title, setting.help, *setting.choices}
        found |= {setting.unit} if setting.unit else set()
    for checkpoint in catalogue.ENTRIES:
        found |= {checkpoint.title, checkpoint.licence.note} - {""}
    return sorted(found | set(RESAMPLINGS))


def schema_module():
    """The source of schema_texts.py."""
    lines = []
    for text in schema_texts():
        quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        lines.append(f'    QT_TRANSLATE_NOOP("Schema", {quoted}),\n')
    return HEAD + "".join(lines) + ")\n"


def tool(name):
    """A program of PySide6, beside this interpreter."""
    found = Path(sys.executable).with_name(f"pyside6-{name}")
    return str(found) if found.exists() else shutil.which(f"pyside6-{name}")


def update(ts):
    """Brings a .ts in step with the sources; strings that are gone are dropped."""
    sources = sorted(str(p) for p in PACKAGE.rglob("*.py") if p != SCHEMA)
    options = ["-silent", "-no-obsolete", "-locations", "none"]
    subprocess.run(
        [tool("lupdate"), *options, *sources, str(SCHEMA), "-ts", str(ts)],
        check=True,
        capture_output=True,
        cwd=PACKAGE,
    )


def release(ts, qm):
    subprocess.run([tool("lrelease"), "-silent", str(ts), "-qm", str(qm)], check=True, capture_output=True)


def messages(ts):
    """(context, source) to translation; None where it is not finished."""
    return {
        (context.findtext("name"), message.findtext("source")): _translation(message)
        for context in xml.parse(ts).getroot().iter("context")
        for message in context.iter("message")
    }


def _translation(message):
    found = message.find("translation")
    return None if found is None or found.get("type") == "unfinished" or not found.text else found.text


if __name__ == "__main__":
    SCHEMA.write_text(schema_module(), encoding="utf-8")
    for language in LANGUAGES:
        ts = FOLDER / f"{language}.ts"
        update(ts)
        release(ts, ts.with_suffix(".qm"))
        missing = [key for key, text in messages(ts).items() if text is None]
        sys.stdout.write(f"{language}: {len(messages(ts))} strings, {len(missing)} to translate\n")
        for context, source in missing:
            sys.stdout.write(f"  {context}: {source}\n")
