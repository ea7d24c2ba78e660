"""The record in the metadata of an image, in the form in which GIMP hands metadata out. Standard library only.

GIMP serialises metadata as lines of <tag name="Xmp...">value</tag> below <metadata>, with a <namespace> before the
tags of each XMP namespace; given back in that form, and only so, its exports carry properties of ours.
"""

from __future__ import annotations

import html
import re

RECORD_TAG, SOURCE_TAG = "Xmp.safelight.operations", "Xmp.iptcExt.DigitalSourceType"
_NAMESPACES = {
    "safelight": "urn:safelight:record:1/",
    "iptcExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
_END = "</metadata>"


def record_in(serialised: str) -> tuple[str | None, str | None]:
    """The text of the record and the digital source type; None where there is none."""
    return _value(serialised, RECORD_TAG), _value(serialised, SOURCE_TAG)


def with_record(serialised: str, record: str, source_type: str) -> str:
    """The same metadata with these two in place of what it had."""
    for name, value in ((RECORD_TAG, record), (SOURCE_TAG, source_type)):
        serialised = _pattern(name).sub("", serialised)
        line = f'  <tag name="{name}">{html.escape(value)}</tag>\n'
        serialised = serialised.replace(_END, line + _END)
    for prefix, url in _NAMESPACES.items():
        if f'<namespace prefix="{prefix}"' not in serialised:
            line = f'  <namespace prefix="{prefix}" url="{url}"></namespace>\n'
            serialised = serialised.replace("<metadata>\n", "<metadata>\n" + line)
    return serialised


def _value(serialised: str, name: str) -> str | None:
    found = _pattern(name).search(serialised)
    return html.unescape(found[1]) if found else None


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf'[ \t]*<tag name="{re.escape(name)}">(.*?)</tag>\n?', re.DOTALL)
