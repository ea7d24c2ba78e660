"""FaithDiff's optional effect before restoring: several exposures of a picture fused into one.

Official: github.com/JyChen9811/FaithDiff (MIT), its demo's HDR slider; fusion after Mertens, Kautz and Van Reeth,
"Exposure Fusion" (Pacific Graphics 2007), by OpenCV. The exposures are the picture times a factor, as a magnitude:
above a value of 1.11 the first factor is negative. Channels are given in the order in which the authors' code gives
them, blue first, which weighs the grey picture that contrast is judged on.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from safelight.errors import InvalidRequest

Picture = npt.NDArray[np.uint8]

EXPOSURES = (-0.9, -0.7, -0.45, -0.25, 0.0, 0.2, 0.4, 0.6, 0.8)
"""Official: the factors less 1, at a value of 1."""
PIXELS_MOST = 64_000_000  # fusion takes about 150 bytes a pixel, 10 GB at this size


def fused(picture: Picture, value: float) -> Picture:
    """H W 3, sRGB 8 bit, to the same; 0 changes nothing. The whole picture at once: fusion works on pyramids. Raises
    InvalidRequest (HDR_TOO_LARGE)."""
    if value == 0:
        return picture
    height, width = picture.shape[:2]
    if height * width > PIXELS_MOST:
        raise InvalidRequest(
            f"the HDR effect takes at most {PIXELS_MOST / 1e6:.0f} megapixels and this is "
            f"{height * width / 1e6:.0f}: switch it off or restore a smaller region",
            "HDR_TOO_LARGE",
        )
    import cv2  # here: no other job needs it

    blue_first = np.ascontiguousarray(picture[..., ::-1])
    exposures = [cv2.convertScaleAbs(blue_first, alpha=1 + share * value, beta=0) for share in EXPOSURES]
    merged = cv2.createMergeMertens().process(exposures)
    return np.ascontiguousarray(np.clip(merged * 255, 0, 255).astype(np.uint8)[..., ::-1])
