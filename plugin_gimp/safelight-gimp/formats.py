"""In which numbers an image's pixels travel: its own, as far as the daemon knows them. Standard library only.

GIMP keeps 8, 16 and 32-bit integers and 16, 32 and 64-bit floats, each linear, with the profile's own curve
("non-linear") or with sRGB's curve ("perceptual"), always in the primaries of the image's profile. The daemon takes
8 and 16-bit integers and 32-bit floats; the others travel as 32-bit floats, which hold every 16-bit float.
"""

from __future__ import annotations

from dataclasses import dataclass

_CURVES = {"LINEAR": "", "NON_LINEAR": "'", "PERCEPTUAL": "~"}
_TYPES = {"U8": "u8", "U16": "u16", "U32": "u32", "HALF": "half", "FLOAT": "float", "DOUBLE": "double"}
_TRAVELLING = {"u8": ("u8", "u8", 1), "u16": ("u16", "u16", 2)}
_FLOAT = ("float", "f32", 4)


@dataclass(frozen=True)
class Transport:
    """How a drawable is read, sent and written back."""

    encoding: str
    """Babl's name, to be taken in the image's own space."""
    channels: int
    """1 grey or 3 colours, without alpha."""
    alpha: bool
    sample: str
    """As the bridge calls it: u8, u16, f32."""
    bytes_per_pixel: int
    linear: bool
    srgb_curve: bool
    """True: the numbers have sRGB's curve whatever the profile's own is."""
    exact: bool
    """False: the image's numbers have more bits than these, so writing back an untouched sample may change it."""

    def announced(self) -> dict[str, object]:
        """The fields of the bridge's `document`."""
        return {"channels": self.channels, "alpha": self.alpha, "sample": self.sample, "linear": self.linear}


def transport(precision: str, *, grey: bool, alpha: bool) -> Transport:
    """`precision` is the name of a Gimp.Precision, such as U8_NON_LINEAR; raises KeyError for one of a later GIMP.
    Indexed images are read as colours of U8_NON_LINEAR."""
    depth, _, curve = precision.partition("_")
    mark, kind = _CURVES[curve], _TYPES[depth]
    babl_kind, sample, size = _TRAVELLING.get(kind, _FLOAT)
    letters = ["Y"] if grey else ["R", "G", "B"]
    name = "".join(letter + mark for letter in letters) + ("A" if alpha else "")
    return Transport(
        encoding=f"{name} {babl_kind}",
        channels=len(letters),
        alpha=alpha,
        sample=sample,
        bytes_per_pixel=(len(letters) + alpha) * size,
        linear=mark == "",
        srgb_curve=mark == "~",
        exact=kind not in ("u32", "double"),
    )
