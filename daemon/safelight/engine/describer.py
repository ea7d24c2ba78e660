"""Tags and captions of pictures without a job, by the networks that jobs use for their prompts. Owned by the worker's
thread."""

from __future__ import annotations

from collections.abc import Callable

from safelight.engine.out_of_memory import too_little_memory, unless_out_of_memory
from safelight.engine.pipelines.base import PictureSource, RegionSource, as_picture
from safelight.engine.pipelines.osediff import network_picture
from safelight.engine.pipelines.prompt_settings import TAGGER, TAGS
from safelight.engine.pipelines.prompt_source import PromptReader
from safelight.engine.pipelines.tagger import joined
from safelight.engine.region_source import SeenRegion
from safelight.engine.words import Words, WordsRequest
from safelight.geometry import Rect

SEEN_PX = 512  # short side of what OSEDiff sees, at least
ENLARGED_MOST = 4


class Describer:
    """See the module."""

    def __init__(self, reader: PromptReader, evict_idle: Callable[[], bool]) -> None:
        """`evict_idle` frees what was used least recently; False: nothing is left."""
        self._reader, self._evict_idle = reader, evict_idle

    def words(self, asked: WordsRequest) -> Words:
        """Raises NotReady (CHECKPOINT_MISSING, CHECKPOINT_DAMAGED), TooMuch, InvalidRequest for samples that are no
        numbers."""
        picture = SeenRegion(asked.picture, Rect.of_size(asked.picture.document))

        def read() -> Words:
            if asked.source == TAGS:
                tags = self._reader.tags(as_pipelines_see(picture))
                return Words(tuple(tags), prompt=joined(tags), read_with=TAGGER)
            name, said = self._reader.caption(picture, captioner=asked.captioner, seed=asked.seed)
            return Words(caption=said.text, prompt=said.prompt, read_with=(name,))

        while (words := unless_out_of_memory(read)) is None:
            if not self._evict_idle():
                raise too_little_memory("the network that reads pictures does not fit")
        return words


def as_pipelines_see(picture: RegionSource) -> RegionSource:
    """Enlarged as OSEDiff's script does where the picture is small, at most four times."""
    short = picture.size.short_side
    if short >= SEEN_PX:
        return picture
    least = min(SEEN_PX, ENLARGED_MOST * short)
    return PictureSource(network_picture(as_picture(picture), least, 1))
