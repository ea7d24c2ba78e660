"""Every module and test that docs/papers.md names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py(?:::\w+)?)`", TEXT)))


def test_each_paper_has_modules_and_tests():
    for paper in TEXT.split("\n## ")[1:]:
        found = re.findall(r"`([\w/]+\.py(?:::\w+)?)`", paper)
        assert len([n for n in found if "::" in n]) > 10
        assert len([n for n in found if "::" not in n]) > 10


@pytest.mark.parametrize("name", NAMED)
def test_what_is_named_exists(name):
    path, _, function = name.partition("::")
    if path.startswith("tests/"):
        path = path.removeprefix("tests/")
    test = path.rpartition("/")[2].startswith("test_")
    file = ROOT / ("tests" if test else "daemon/safelight") / path
    assert file.is_file()
    if function:
        assert re.search(rf"^(async )?def {function}\(", file.read_text(encoding="utf-8"), re.M)


def test_every_line_says_where_it_is_or_that_it_is_not():
    for line in TEXT.splitlines():
        if line.startswith("| ") and not line.startswith("| what"):
            said = ("`", "training only, not included", "not included", "a claim")
            assert any(words in line.split("|", 2)[2] for words in said), line
