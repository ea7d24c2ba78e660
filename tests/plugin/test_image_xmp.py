"""The record in metadata as GIMP serialises it."""

import xml.etree.ElementTree as ET

from image_xmp import record_in, with_record

EMPTY = "<?xml version='1.0' encoding='UTF-8'?>\n<metadata>\n</metadata>\n"
OTHERS = EMPTY.replace(
    "</metadata>",
    '  <tag name="Exif.Image.Make">A &amp; B</tag>\n'
    '  <namespace prefix="iptcExt" url="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"></namespace>\n'
    '  <tag name="Xmp.iptcExt.DigitalSourceType">old</tag>\n</metadata>',
)
RECORD = '[{"prompt": "<a> & \'b\'\n"}]'


def test_there_is_none_at_first():
    assert record_in(EMPTY) == (None, None)
    assert record_in(OTHERS) == (None, "old")


def test_what_is_written_is_read_again():
    assert record_in(with_record(OTHERS, RECORD, "new")) == (RECORD, "new")


def test_writing_twice_replaces():
    twice = with_record(with_record(EMPTY, "[1]", "a"), RECORD, "b")
    assert record_in(twice) == (RECORD, "b")
    assert twice.count("Xmp.safelight.operations") == 1
    assert twice.count('<namespace prefix="safelight"') == 1


def test_everything_else_stays_and_namespaces_go_before_their_tags():
    root = ET.fromstring(with_record(OTHERS, RECORD, "new").encode())
    names = [element.get("name") or element.get("prefix") for element in root]
    assert "Exif.Image.Make" in names
    assert names.index("safelight") < names.index("Xmp.safelight.operations")
    assert names.index("iptcExt") < names.index("Xmp.iptcExt.DigitalSourceType")
    assert root.find("tag[@name='Exif.Image.Make']").text == "A & B"
