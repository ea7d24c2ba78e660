"""Names of many results."""

from pathlib import Path, PurePath

import pytest

from safelight.client.naming import Naming, Source
from safelight.errors import InvalidRequest

IN = Path("/in")
OUT = Path("/out")


def sources(*names, root=IN):
    return [Source(root / name, PurePath(name)) for name in names]


def names(naming, found, **changes):
    how = {"pipeline": "compact", "scale": 2, **changes}
    return [str(p) for p in naming.targets(found, **how)]


@pytest.mark.parametrize(
    ("naming", "source", "target"),
    [
        (Naming(), "a.png", "/in/a-restored.png"),
        (Naming(), "1920/a.TIF", "/in/1920/a-restored.tif"),
        (Naming(), "a.heic", "/in/a-restored.png"),
        (Naming(suffix=".jpg"), "a.png", "/in/a-restored.jpg"),
        (Naming("{name}", folder=OUT), "1920/a.png", "/out/1920/a.png"),
        (Naming("{name}", folder=OUT, mirror=False), "1920/a.png", "/out/a.png"),
        (Naming("{folder} {name} {pipeline} {scale}"), "1920/a.png", "/in/1920/1920 a compact 2x.png"),
        (Naming("{name}-x. "), "a.b.webp", "/in/a.b-x.webp"),
        (Naming("ä{{{name}}}"), "ö.png", "/in/ä{ö}.png"),
    ],
)
def test_a_result_is_called_by_the_template(naming, source, target):
    assert names(naming, sources(source)) == [target]


@pytest.mark.parametrize(
    "template", ["", "restored", "{name", "{name}/x", "{other}", "{name!r}", "{name:>9}", "a\n{name}", "{}"]
)
def test_a_template_that_cannot_be_used_is_refused_with_what_to_do(template):
    with pytest.raises(InvalidRequest) as refused:
        names(Naming(template), sources("a.png"))
    assert refused.value.reason == "NAME_TEMPLATE"
    assert "{name}" in refused.value.message


def test_results_called_like_their_originals_are_refused():
    with pytest.raises(InvalidRequest) as refused:
        names(Naming("{name}"), sources("a.png"))
    assert refused.value.reason == "OUTPUT_IS_INPUT"


def test_two_that_would_be_called_the_same_are_told_apart_in_any_order():
    flat = Naming("{name}", folder=OUT, mirror=False)
    found = sources("x/a.png", "y/a.png", "a.jpg", "b.png")
    expected = ["/out/a-png.png", "/out/a-png-2.png", "/out/a.jpg", "/out/b.png"]
    assert names(flat, found) == expected
    assert names(flat, found[::-1]) == expected[::-1]
    jpeg = Naming(suffix=".jpg")
    assert names(jpeg, sources("a.png", "a.tif")) == ["/in/a-png-restored.jpg", "/in/a-tif-restored.jpg"]


def test_a_folder_must_be_a_whole_path():
    with pytest.raises(InvalidRequest) as refused:
        names(Naming(folder=Path("out")), sources("a.png"))
    assert refused.value.reason == "FOLDER_RELATIVE"
