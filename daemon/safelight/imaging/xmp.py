"""XMP packets (ISO 16684-1): parsed without entities, changed, written again with their own prefixes.

Safelight's record is the simple property `operations` of its own namespace: see `imaging.record`.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

MAX_PACKET_BYTES = 8 << 20
_MAX_DEPTH = 100  # real packets stay below 20; writing recurses
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_META = "adobe:ns:meta/"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_XMP = "http://ns.adobe.com/xap/1.0/"
IPTC_EXTENSION = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
RECORD = "urn:safelight:record:1/"  # Exiv2 adds the slash where there is none
OPERATIONS = f"{{{RECORD}}}operations"
SOURCE_TYPE = f"{{{IPTC_EXTENSION}}}DigitalSourceType"

_NOTE = "http://ns.adobe.com/xmp/note/"
_PREFIXES = {"x": _META, "xmpNote": _NOTE, "rdf": _RDF, "Iptc4xmpExt": IPTC_EXTENSION, "safelight": RECORD}
_DESCRIPTION, _ABOUT = f"{{{_RDF}}}Description", f"{{{_RDF}}}about"
_HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_TAIL = '\n<?xpacket end="w"?>'
_OWN_PREFIX = re.compile(r"(?!ns\d+$|xml)[A-Za-z_][\w.-]*$")  # ElementTree keeps ns0, ns1, ... for itself
_PLACES = frozenset(
    {"City", "State", "Country", "CountryCode", "CountryName", "Location", "Sublocation", "ProvinceState"}
    | {"LocationCreated", "LocationShown", "WorldRegion"}
)


class XmpDamaged(ValueError):
    pass


class Packet:
    """A parsed packet whose top-level properties can be read and changed."""

    def __init__(self, data: bytes = b"") -> None:
        self._prefixes: dict[str, str] = {}
        self._root = self._parse(data) if data else ET.Element(f"{{{_META}}}xmpmeta")
        rdf = self._root if self._root.tag == f"{{{_RDF}}}RDF" else self._root.find(f"{{{_RDF}}}RDF")
        if rdf is None and data:
            raise XmpDamaged("it holds no RDF")
        self._rdf = ET.SubElement(self._root, f"{{{_RDF}}}RDF") if rdf is None else rdf

    def _parse(self, data: bytes) -> ET.Element:
        if len(data) > MAX_PACKET_BYTES:
            raise XmpDamaged(f"it has {len(data)} bytes")
        try:
            text = _decoded(data)
            if "<!DOCTYPE" in text or "<!ENTITY" in text:
                raise XmpDamaged("it declares a document type or entities")
            root: ET.Element | None = None
            depth = 0
            for event, item in ET.iterparse(io.BytesIO(text.encode()), ("start-ns", "start", "end")):
                if event == "start-ns":
                    self._prefixes.setdefault(*item)
                    continue
                if root is None:
                    root = item
                depth += 1 if event == "start" else -1
                if depth > _MAX_DEPTH:
                    raise XmpDamaged(f"it is nested more than {_MAX_DEPTH} deep")
        except (ET.ParseError, UnicodeError) as error:
            raise XmpDamaged("it is not well-formed XML") from error
        if root is None:
            raise XmpDamaged("it is empty")
        return root

    def value(self, tag: str) -> str | None:
        """A simple top-level property, written as an attribute or as an element."""
        for description in self._rdf.findall(_DESCRIPTION):
            if tag in description.attrib:
                return description.attrib[tag]
            for element in description.findall(tag):
                return (element.text or element.get(f"{{{_RDF}}}resource") or "").strip()
        return None

    def set_value(self, tag: str, value: str) -> None:
        self.remove(lambda name: name == tag)
        ET.SubElement(self.description(), tag).text = value

    def description(self) -> ET.Element:
        """The description of the whole picture; made where there is none."""
        found = self._rdf.find(_DESCRIPTION)
        return ET.SubElement(self._rdf, _DESCRIPTION, {_ABOUT: ""}) if found is None else found

    def remove(self, matches: Callable[[str], bool]) -> None:
        """Removes every property, at any depth, whose expanded name matches."""
        for parent in list(self._rdf.iter()):
            for name in [n for n in parent.attrib if matches(n)]:
                del parent.attrib[name]
            for child in [c for c in parent if matches(c.tag)]:
                parent.remove(child)

    def merge(self, other: Packet) -> None:
        """Takes over the descriptions of another packet."""
        self._rdf.extend(other._rdf)
        self._prefixes = {**other._prefixes, **self._prefixes}

    def to_bytes(self) -> bytes:
        for prefix, uri in (*self._prefixes.items(), *_PREFIXES.items()):
            if _OWN_PREFIX.match(prefix):
                ET.register_namespace(prefix, uri)
        return (_HEAD + ET.tostring(self._root, encoding="unicode") + _TAIL).encode()


def _decoded(data: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return re.sub(r"^<\?xml[^>]*\?>", "", data.decode(encoding))
    return data.decode("utf-8-sig").strip("\0 \r\n\t")


def _local_name(tag: str) -> str:
    return tag.rpartition("}")[2]


def _locates(tag: str) -> bool:
    name = _local_name(tag)
    return name in _PLACES or name.lower().startswith("gps")


def _outdated(tag: str) -> bool:
    """Orientation was applied to the pixels; a thumbnail would show the picture as it was."""
    return tag in (f"{{{_TIFF}}}Orientation", f"{{{_XMP}}}Thumbnails")


def upright(data: bytes) -> bytes:
    """The packet without a stated orientation and without thumbnails; raises XmpDamaged."""
    packet = Packet(data)
    packet.remove(_outdated)
    return packet.to_bytes()


def without_location(data: bytes) -> bytes:
    """The same, and without GPS positions and the IPTC place fields in any namespace; raises XmpDamaged."""
    packet = Packet(data)
    packet.remove(lambda tag: _outdated(tag) or _locates(tag))
    return packet.to_bytes()


def only_record(data: bytes) -> bytes:
    """A packet with nothing but the record and the source type it implies; b"" without a record."""
    packet = Packet(data)
    record, source_type = packet.value(OPERATIONS), packet.value(SOURCE_TYPE)
    if not record:
        return b""
    fresh = Packet()
    fresh.set_value(OPERATIONS, record)
    if source_type:
        fresh.set_value(SOURCE_TYPE, source_type)
    return fresh.to_bytes()
