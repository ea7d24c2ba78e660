"""What a restored image carries: the recipe on the layer, the record in files that GIMP exports."""

import json

import numpy as np
import pytest

from safelight.imaging.files import open_picture
from safelight.imaging.record import (
    ENHANCED_SOURCE,
    digital_source_type,
    pixels_sha256,
    read_operations,
)

pytestmark = pytest.mark.gimp

RECIPE = "safelight-recipe"


def record_of(path):
    return read_operations(open_picture(path).metadata.xmp)


@pytest.mark.parametrize("suffix", [".tif", ".jpg", ".png"])
def test_exported_files_carry_every_operation_in_order(gimp, photo, tmp_path, suffix):
    image, layer = gimp.image(photo)
    gimp("select", image=image, shape="rectangle", box=[60, 40, 80, 60])
    gimp.restored(image, layer, pipeline="brighten", seed=7)
    gimp("select", image=image, shape="ellipse", box=[10, 10, 60, 50])
    gimp.restored(image, layer, pipeline="identity", strength=0.5)
    path = tmp_path / f"exported{suffix}"
    gimp("export", image=image, path=str(path))
    first, second = record_of(path)
    assert [first["pipeline"], second["pipeline"]] == ["brighten", "identity"]
    assert first["region"] == [60, 40, 80, 60]
    assert first["seed"] == 7
    assert second["settings"]["strength"] == 0.5
    assert second["mask_sha256"] is not None
    assert digital_source_type(open_picture(path).metadata.xmp) == ENHANCED_SOURCE


def test_the_record_names_what_was_sent_and_what_came_back(gimp, photo, tmp_path):
    image, layer = gimp.image(photo)
    made = gimp.restored(image, layer, pipeline="brighten")
    gimp("export", image=image, path=str(tmp_path / "exported.tif"))
    (operation,) = record_of(tmp_path / "exported.tif")
    assert operation["input_sha256"] == pixels_sha256(photo)
    assert operation["output_sha256"] == pixels_sha256(gimp.pixels(made)[..., :3])


def test_an_image_with_metadata_keeps_it(gimp, command_line, photo, tmp_path):
    """The record of an earlier restoration too, and what others wrote."""
    from safelight.imaging.metadata import Metadata
    from safelight.imaging.pixels import PixelFormat
    from safelight.imaging.writing import write_picture

    creator = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:City="Bergen"/>'
        b"</rdf:RDF></x:xmpmeta>"
    )
    before, after = tmp_path / "before.tif", tmp_path / "after.tif"
    metadata = Metadata(xmp=creator)
    write_picture(before, photo, PixelFormat.of(photo), metadata=metadata, operation={"pipeline": "earlier"})
    image = gimp("load", path=str(before))
    (layer,) = gimp("layers", image=image)
    gimp.restored(image, layer, pipeline="brighten")
    gimp("export", image=image, path=str(after))
    assert [operation["pipeline"] for operation in record_of(after)] == ["earlier", "brighten"]
    assert b"Bergen" in open_picture(after).metadata.xmp


def test_a_damaged_record_loses_no_work(gimp, photo, tmp_path):
    from safelight.imaging.pixels import PixelFormat
    from safelight.imaging.writing import write_picture

    path = tmp_path / "damaged.tif"
    write_picture(path, photo, PixelFormat.of(photo), operation={"pipeline": "earlier"})
    path.write_bytes(path.read_bytes().replace(b"earlier", b'earl"er'))
    image = gimp("load", path=str(path))
    (layer,) = gimp("layers", image=image)
    made = gimp.restored(image, layer, pipeline="brighten")
    assert not np.array_equal(gimp.pixels(made)[..., :3], photo)


def test_the_recipe_is_kept_in_the_editors_own_file(gimp, photo, tmp_path):
    image, layer = gimp.image(photo)
    gimp("select", image=image, shape="ellipse", box=[60, 40, 80, 60], feather=6)
    made = gimp.restored(image, layer, pipeline="brighten", strength=0.75)
    before = gimp("layer", item=made)
    path = tmp_path / "kept.xcf"
    gimp("save", image=image, path=str(path))
    again = gimp("load", path=str(path))
    top, _ = gimp("layers", image=again)
    after = gimp("layer", item=top)
    assert after["parasites"][RECIPE] == before["parasites"][RECIPE]
    assert after["mask"] == before["mask"]
    recipe = json.loads(after["parasites"][RECIPE])
    assert recipe["settings"]["strength"] == 0.75
    assert recipe["region"] == recipe["operation"]["region"]
