"""Texts in other languages: every one is there, compiled, and has the same places to fill in."""

import gettext
import re
import sys

import pytest

from safelight.engine.pipelines.registry import default_registry
from safelight.settings import COMMON
from tests.fakes.daemon import ROOT

sys.path.insert(0, str(ROOT / "plugin_gimp"))

import catalogue

FILES = catalogue.catalogues()
each = pytest.mark.parametrize("path", FILES, ids=[p.parts[-3] for p in FILES])


def places(text):
    return sorted(re.findall(r"\{\w*\}", text))


def test_german_is_there():
    assert [p.parts[-3] for p in FILES] == ["de"]


@each
def test_every_text_of_the_plug_in_is_translated(path):
    entries = catalogue.read_po(path)
    assert sorted(catalogue.texts_in(catalogue.PLUGIN) - entries.keys()) == []
    assert [key for key, value in entries.items() if not all(value)] == []


@each
def test_the_settings_of_every_pipeline_are_translated(path):
    entries = catalogue.read_po(path)
    settings = [
        *COMMON,
        *(setting for entry in default_registry().entries for setting in entry.spec.settings),
    ]
    texts = {text for setting in settings for text in (setting.title, setting.help) if text}
    assert sorted(text for text in texts if (text,) not in entries) == []


@each
def test_translations_have_the_same_places_to_fill_in(path):
    for key, value in catalogue.read_po(path).items():
        if key != ("",):
            assert [places(text) for text in value] == [places(key[-1])] * len(value), key


@each
def test_the_compiled_catalogue_is_that_of_the_texts(path):
    assert path.with_suffix(".mo").read_bytes() == catalogue.compiled(catalogue.read_po(path))


@each
def test_python_reads_the_compiled_catalogue(path):
    with path.with_suffix(".mo").open("rb") as file:
        found = gettext.GNUTranslations(file)
    assert found.gettext("New image") == "Neues Bild"
    assert found.ngettext("{n} minute", "{n} minutes", 3) == "{n} Minuten"
    assert found.gettext("not in there") == "not in there"


def test_texts_are_found_where_they_are_marked(tmp_path):
    (tmp_path / "a.py").write_text(
        '_("one")\nN_("two" "three")\nseveral("{n} day", "{n} days", 3)\nother("four")\n'
    )
    assert catalogue.texts_in(tmp_path) == {("one",), ("twothree",), ("{n} day", "{n} days")}
