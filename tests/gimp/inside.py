"""Runs in GIMP's own Python (python-fu-eval) and does what the tests ask for: one JSON object per line, each way.

{"name": "select", "values": {...}} is answered with {"value": ...} or {"error": traceback}. Pixels travel as files of
raw samples, because GIMP's Python has no numpy. Images and items are named by the numbers that GIMP gives them.
"""

import hashlib
import json
import os
import socket
import traceback

from gi.repository import Babl, Gegl, Gimp, Gio, GObject

STATUSES = ("EXECUTION_ERROR", "CALLING_ERROR", "PASS_THROUGH", "SUCCESS", "CANCEL")
OPERATIONS = {"add": Gimp.ChannelOps.ADD, "replace": Gimp.ChannelOps.REPLACE}


def image_of(number):
    return Gimp.Image.get_by_id(number)


def item_of(number):
    return Gimp.Item.get_by_id(number)


def layers_of(parent):
    """All layers below an image or group, from the top, groups before their members."""
    for layer in parent.get_layers() if isinstance(parent, Gimp.Image) else parent.get_children():
        yield layer
        if layer.is_group():
            yield from layers_of(layer)


# -- making documents -------------------------------------------------------------------------------------


def load(path):
    return Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path)).get_id()


def create(width, height, base="RGB", precision="U8_NON_LINEAR", profile=None):
    """An empty image; `profile` is a file."""
    image = Gimp.Image.new_with_precision(
        width, height, getattr(Gimp.ImageBaseType, base), getattr(Gimp.Precision, precision)
    )
    if profile:
        image.set_color_profile(Gimp.ColorProfile.new_from_file(Gio.File.new_for_path(profile)))
    return image.get_id()


def add_layer(image, width, height, samples, x=0, y=0, alpha=False, group=None, name="photo", form=None):
    """A layer with the raw samples of a file, in the layer's own format or in `form`."""
    image = image_of(image)
    gray = image.get_base_type() == Gimp.ImageBaseType.GRAY
    kind = getattr(Gimp.ImageType, ("GRAY" if gray else "RGB") + ("A" if alpha else "") + "_IMAGE")
    layer = Gimp.Layer.new(image, name, width, height, kind, 100, Gimp.LayerMode.NORMAL)
    image.insert_layer(layer, None if group is None else item_of(group), 0)
    layer.set_offsets(x, y)
    write(layer.get_id(), samples, form)
    return layer.get_id()


def write(item, samples, form=None):
    """Replaces all samples of a drawable, past GIMP's undo."""
    drawable = item_of(item)
    with open(samples, "rb") as file:
        data = file.read()
    buffer = drawable.get_buffer()
    extent = Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())
    buffer.set(extent, form or encoding(drawable), data)
    buffer.flush()


def add_group(image, name="group", group=None):
    image = image_of(image)
    layer = Gimp.GroupLayer.new(image, name)
    image.insert_layer(layer, None if group is None else item_of(group), 0)
    return layer.get_id()


def to_indexed(image):
    image_of(image).convert_indexed(
        Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 64, False, False, ""
    )


def select(image, shape, box, feather=0.0, operation="replace"):
    """`shape` rectangle or ellipse; `box` left, top, width, height in the image."""
    image = image_of(image)
    Gimp.context_push()
    Gimp.context_set_feather(feather > 0)
    Gimp.context_set_feather_radius(feather, feather)
    Gimp.context_set_antialias(True)
    getattr(image, f"select_{shape}")(OPERATIONS[operation], *box)
    Gimp.context_pop()


def select_nothing(image):
    Gimp.Selection.none(image_of(image))


def save_selection(image):
    return Gimp.Selection.save(image_of(image)).get_id()


def float_selection(item):
    Gimp.Selection.float(item_of(item).get_image(), [item_of(item)], 5, 5)


def remove_layer(item):
    item_of(item).get_image().remove_layer(item_of(item))


def set_selected(image, items):
    image_of(image).set_selected_layers([item_of(item) for item in items])


def set_edit_mask(item, on):
    item_of(item).set_edit_mask(on)


def lock_pixels(item, on=True):
    item_of(item).set_lock_content(on)


def set_opacity(item, opacity):
    item_of(item).set_opacity(opacity)


def set_mode(item, mode):
    item_of(item).set_mode(getattr(Gimp.LayerMode, mode))


def mask_from_selection(item):
    """Gives the layer a mask; what is selected stays visible."""
    found = item_of(item)
    found.add_mask(found.create_mask(Gimp.AddMaskType.SELECTION))
    found.set_edit_mask(False)


def remove_mask(item):
    item_of(item).remove_mask(Gimp.MaskApplyMode.DISCARD)


def set_apply_mask(item, on):
    item_of(item).set_apply_mask(on)


def set_visible(item, on):
    item_of(item).set_visible(on)


def offset(item, x, y):
    item_of(item).set_offsets(x, y)


def add_guide(image, across, position):
    getattr(image_of(image), f"add_{'h' if across else 'v'}guide")(position)


def set_resolution(image, x, y):
    image_of(image).set_resolution(x, y)


def set_comment(image, text):
    parasite = Gimp.Parasite.new("gimp-comment", Gimp.PARASITE_PERSISTENT, list(text.encode()))
    image_of(image).attach_parasite(parasite)


def comment(image):
    found = image_of(image).get_parasite("gimp-comment")
    return "" if found is None else bytes(found.get_data()).decode().rstrip("\0")


def show(image):
    return Gimp.Display.new(image_of(image)).get_id()


def close(display):
    Gimp.Display.get_by_id(display).delete()


def delete(image):
    image_of(image).delete()


def delete_all():
    for image in Gimp.get_images():
        image.delete()


# -- looking at documents ---------------------------------------------------------------------------------


def encoding(drawable):
    """The drawable's own format, with the image's profile."""
    return Babl.get_name(drawable.get_format())


def samples_of(drawable, form=None):
    extent = Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())
    return drawable.get_buffer().get(extent, 1.0, form or encoding(drawable), Gegl.AbyssPolicy.NONE)


def pixels(item, path, form=None):
    """Writes all samples of a drawable into a file."""
    drawable = item_of(item)
    with open(path, "wb") as file:
        file.write(samples_of(drawable, form))
    return {"width": drawable.get_width(), "height": drawable.get_height(), "format": encoding(drawable)}


def raw(item):
    """All samples of a small drawable in its own format, for formats that nobody else knows."""
    return {"samples": samples_of(item_of(item)).hex(), "format": encoding(item_of(item))}


def projection(image, path, form="R'G'B'A float"):
    """Writes what a person sees."""
    image = image_of(image)
    seen = Gimp.Layer.new_from_visible(image, image, "seen")
    image.insert_layer(seen, None, 0)
    with open(path, "wb") as file:
        file.write(samples_of(seen, form))
    image.remove_layer(seen)


def selection(image, path):
    """Writes the selection, 8 bit, of the whole image."""
    channel = image_of(image).get_selection()
    with open(path, "wb") as file:
        file.write(samples_of(channel, "Y u8"))


def mask_of(item):
    mask = item_of(item).get_mask()
    return None if mask is None else mask.get_id()


def layers(image):
    return [layer.get_id() for layer in layers_of(image_of(image))]


def layer(item):
    found = item_of(item)
    _, x, y = found.get_offsets()
    parent, mask = found.get_parent(), found.get_mask()
    return {
        "name": found.get_name(),
        "box": [x, y, found.get_width(), found.get_height()],
        "parent": None if parent is None else parent.get_id(),
        "position": found.get_image().get_item_position(found),
        "visible": found.get_visible(),
        "opacity": found.get_opacity(),
        "mode": int(found.get_mode()),
        "alpha": found.has_alpha(),
        "mask": None if mask is None else hashlib.sha256(samples_of(mask)).hexdigest(),
        "editing_mask": found.get_edit_mask(),
        "samples": hashlib.sha256(samples_of(found)).hexdigest(),
        "parasites": {
            name: bytes(found.get_parasite(name).get_data()).decode() for name in found.get_parasite_list()
        },
    }


def state(image):
    """All that a run which fails must leave as it was."""
    image = image_of(image)
    profile = image.get_color_profile()
    metadata = image.get_metadata()
    return {
        "size": [image.get_width(), image.get_height()],
        "layers": {layer_.get_id(): layer(layer_.get_id()) for layer_ in layers_of(image)},
        "selected": [found.get_id() for found in image.get_selected_layers()],
        "selection": hashlib.sha256(samples_of(image.get_selection(), "Y u8")).hexdigest(),
        "precision": int(image.get_precision()),
        "base": int(image.get_base_type()),
        "profile": None if profile is None else hashlib.sha256(profile.get_icc_profile()).hexdigest(),
        "resolution": list(image.get_resolution())[-2:],
        "guides": guides(image.get_id()),
        "metadata": "" if metadata is None else metadata.serialize(),
    }


def guides(image):
    image = image_of(image)
    found, number = [], image.find_next_guide(0)
    while number:
        across = image.get_guide_orientation(number) == Gimp.OrientationType.HORIZONTAL
        found.append([across, image.get_guide_position(number)])
        number = image.find_next_guide(number)
    return found


def channels(image):
    return [channel.get_name() for channel in image_of(image).get_channels()]


def images():
    return [image.get_id() for image in Gimp.get_images()]


def save(image, path):
    """In GIMP's own format."""
    assert Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image_of(image), Gio.File.new_for_path(path), None)


def export(image, path):
    """As the export dialog is preset: scripts get no metadata unless they ask for it."""
    kind = {".tif": "tiff", ".jpg": "jpeg", ".png": "png"}[os.path.splitext(path)[1]]
    procedure = Gimp.get_pdb().lookup_procedure(f"file-{kind}-export")
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image_of(image))
    config.set_property("file", Gio.File.new_for_path(path))
    config.set_property("include-exif", Gimp.export_exif())
    config.set_property("include-xmp", Gimp.export_xmp())
    assert procedure.run(config).index(0) == Gimp.PDBStatusType.SUCCESS


# -- running procedures -----------------------------------------------------------------------------------


def arguments(procedure):
    """Name -> type of every argument of a procedure."""
    found = Gimp.get_pdb().lookup_procedure(procedure).get_arguments()
    return {spec.name: spec.value_type.name for spec in found}


def procedures():
    return sorted(Gimp.get_pdb().query_procedures("plug-in-safelight.*", *([".*"] * 7)))


def run(procedure, image, drawables, values):
    """Runs it without a dialog; gives status, message, and the numbers of what it returned."""
    found = Gimp.get_pdb().lookup_procedure(procedure)
    assert found is not None, f"GIMP has no procedure {procedure}"
    config = found.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image_of(image))
    config.set_core_object_array("drawables", [item_of(item) for item in drawables])
    for name, value in values.items():
        config.set_property(name, value)
    returned = found.run(config)
    status = int(returned.index(0))
    answer = {"status": STATUSES[status], "message": None, "values": []}
    for number in range(1, returned.length()):
        value = returned.index(number)
        if isinstance(value, GObject.Object):
            answer["values"].append(value.get_id())
        elif isinstance(value, str):
            answer["message"] = value
    return answer


def log():
    """What the plug-in has written down of errors."""
    path = os.path.join(Gimp.directory(), "safelight-gimp.log")
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def version():
    return Gimp.version()


def main():
    Gegl.init(None)
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(os.environ["SAFELIGHT_TEST_SOCKET"])
        with line.makefile("rw", encoding="utf-8") as file:
            for asked in file:
                request = json.loads(asked)
                try:
                    answer = {"value": globals()[request["name"]](**request["values"])}
                except Exception:
                    answer = {"error": traceback.format_exc()}
                file.write(json.dumps(answer) + "\n")
                file.flush()


main()
