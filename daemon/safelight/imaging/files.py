"""Picture files in and out: the names the rest of Safelight uses."""

from safelight.imaging.metadata import METADATA_POLICIES, Metadata, MetadataPolicy
from safelight.imaging.reading import PictureFile, open_picture
from safelight.imaging.writing import SUFFIXES, check_output, write_picture

__all__ = [
    "METADATA_POLICIES",
    "SUFFIXES",
    "Metadata",
    "MetadataPolicy",
    "PictureFile",
    "check_output",
    "open_picture",
    "write_picture",
]
