"""The plug-in's translations: which texts there are, and compiling a catalogue. Standard library only.

    python plugin_gimp/catalogue.py      compiles every .po below safelight-gimp/locale and says what is missing

Texts of the plug-in are found in its source; those of pipelines come from the daemon's specs (title, summary, help
and choices of settings) and are translated by the same catalogue, as far as it knows them.
"""

from __future__ import annotations

import ast
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

PLUGIN = Path(__file__).parent / "safelight-gimp"
DOMAIN = "safelight"
MARKS = {"_": 1, "N_": 1, "several": 2}
"""Functions whose first arguments are texts, and how many of them."""
MAGIC = 0x950412DE  # of GNU .mo files

Entries = dict[tuple[str, ...], tuple[str, ...]]
"""Singular (and plural) to translations."""


def texts_in(folder: Path) -> set[tuple[str, ...]]:
    """All texts that the source of the plug-in marks."""
    found: set[tuple[str, ...]] = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
                texts = [a.value for a in node.args[: MARKS[node.func.id]] if isinstance(a, ast.Constant)]
                if len(texts) == MARKS[node.func.id]:
                    found.add(tuple(str(text) for text in texts))
    return found


def read_po(path: Path) -> Entries:
    """Every entry of a .po file; the header is that of the empty text."""
    entries: Entries = {}
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        fields = dict(_fields(block))
        if "msgid" in fields:
            key = (fields["msgid"], *([fields["msgid_plural"]] if "msgid_plural" in fields else []))
            entries[key] = tuple(text for name, text in sorted(fields.items()) if name.startswith("msgstr"))
    return entries


def _fields(block: str) -> Iterator[tuple[str, str]]:
    name, text = "", ""
    for line in block.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if not line.startswith('"'):
            if name:
                yield name, text
            name, _, line = line.partition(" ")
            text = ""
        text += ast.literal_eval(line.strip())
    if name:
        yield name, text


def compiled(entries: Entries) -> bytes:
    """A .mo file: sorted offsets of texts and of translations, without a hash table."""
    pairs = sorted(("\0".join(key).encode(), "\0".join(value).encode()) for key, value in entries.items())
    start = 28 + 16 * len(pairs)
    tables: list[list[tuple[int, int]]] = [[], []]
    data = b""
    for column in (0, 1):
        for pair in pairs:
            tables[column].append((len(pair[column]), start + len(data)))
            data += pair[column] + b"\0"
    head = struct.pack("<7I", MAGIC, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, start)
    return head + b"".join(struct.pack("<2I", *place) for table in tables for place in table) + data


def catalogues(folder: Path = PLUGIN) -> list[Path]:
    return sorted((folder / "locale").glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def main() -> int:
    missing = 0
    for path in catalogues():
        entries = read_po(path)
        path.with_suffix(".mo").write_bytes(compiled(entries))
        absent = sorted(texts_in(PLUGIN) - entries.keys())
        missing += len(absent)
        for texts in absent:
            sys.stderr.write(f"{path.parts[-3]} lacks {texts}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
