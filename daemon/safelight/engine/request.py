"""What goes into a job, what it tells on its way, and what it hands to the finish. Free of torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from safelight.engine.canvas import Residual
from safelight.engine.monochrome import Toning
from safelight.engine.region_plan import covered_document
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import DocumentArray, FloatArray, MaskArray, PixelFormat
from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec


@dataclass(frozen=True)
class RestoreRequest:
    """One region to restore. Whoever builds it has checked that the parts fit together."""

    settings: RestoreSettings
    """Checked against the pipeline's spec."""
    document: Size
    """The whole document."""
    sent: Rect
    """Part of the document whose pixels are here."""
    region: Rect
    """What is restored: inside `sent`, document pixels."""
    format: PixelFormat
    icc: bytes
    """Profile of the document; empty for none."""
    pixels: DocumentArray
    """sent.height x sent.width x channels."""
    mask: MaskArray | None
    """region.height x region.width, 255 = restore, 0 = leave; None: all of the region."""
    layer: bool
    """True: unblended restored pixels of the whole box are wanted; False: the composited document."""
    patch: Rect | None = None
    """Part of the region that is wanted, document pixels; None: all of it. Everything else is as without it. For a
    layer it may reach beyond the region, anywhere inside what was sent: all the network saw, then the document."""
    focus: tuple[int, int] | None = None
    """Column and row of the document near which tiles are computed first."""

    @property
    def wanted(self) -> Rect:
        """What comes back, document pixels: the patch or the region."""
        return self.region if self.patch is None else self.patch

    @property
    def result_size(self) -> Size:
        scale = self.settings.output_scale
        return Size(self.wanted.width * scale, self.wanted.height * scale)


@dataclass(frozen=True)
class Progress:
    """How far a job is."""

    stage: str
    """load, prepare, condition, encode, predict, decode or finish."""
    tiles_done: int = 0
    """Finished tiles of this stage, over all steps."""
    tiles: int = 0
    """Tiles of this stage in all."""
    step: int = 0
    """Diffusion step, from 1; 0 where there are none."""
    steps: int = 0
    """Diffusion steps in all."""
    fraction: float = 0.0
    """0 to 1 over the whole job, by network pixels computed."""
    eta_s: float = -1.0
    """Seconds left; negative while unknown."""


@dataclass(frozen=True)
class Preview:
    """A finished tile, provisional: neighbours, bands and strength are not applied yet."""

    rect: Rect
    """Its place in the result (what is wanted, at output scale)."""
    pixels: npt.NDArray[np.uint8]
    """rect.height x rect.width x 3, sRGB."""


def nothing() -> None:
    """For when there is nothing to do."""


@dataclass
class Restoration:
    """What the network stages leave for the finish. `close` gives its memory and files back."""

    request: RestoreRequest
    spec: PipelineSpec
    working_scale: float
    """y pixels per document pixel."""
    box: Rect
    """What `residual` covers, in pixels of the y plane: the whole document at working scale, origin at the
    document's. Contains the scaled region; may reach beyond the picture's edge by less than a latent cell."""
    residual: Residual
    """y minus x brought to y's size, sRGB-encoded differences."""
    network_input: FloatArray
    """x of the box at network input size, H W 3, 0..1; may be memory-mapped. Only the rows that the finish needs
    are sure to be there."""
    report: dict[str, object]
    """tiles, batch, precision, device, retries, ladder events, conditioning, tile plan, stage times in s."""
    toning: Toning | None = None
    """Measured: of a toned monochrome picture."""
    complete: bool = True
    """False: `residual` holds only what is wanted, not the whole region."""
    on_close: Callable[[], None] = nothing
    """Done once, when nobody waits for the result any more."""

    @property
    def covered(self) -> Rect:
        """The document rectangle that `box` stands for; may reach beyond the picture's edge."""
        return covered_document(self.box, self.working_scale)

    def provisional(self, what: str) -> None:
        """Notes in the report that `what` may still change when the whole region is there."""
        listed = self.report.setdefault("provisional", [])
        assert isinstance(listed, list)
        listed.append(what)

    def close(self) -> None:
        """Nothing may be read afterwards. Closing twice is harmless."""
        self.residual.close()
        self.network_input = np.empty((0, 0, 3), np.float32)
        self.on_close()
        self.on_close = nothing
