"""From longitude and latitude to the pixels of a map (Web Mercator, fitted into a frame)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.gis.distances import boxes_around
from toolkit.gis.measures import D
from toolkit.gis.transform import LIMIT_LATITUDE, from_web_mercator, to_web_mercator

if TYPE_CHECKING:
    import numpy
    from shapely.geometry.base import BaseGeometry

    Array = numpy.ndarray[Any, Any]

_LEAST_SPAN_METRES = 300.0  # a single point is shown with its surroundings, not at the scale of its own size
_CLIP_MARGIN = 8.0  # pixels beyond the frame that are kept, so that no cut edge shows


@dataclass(frozen=True, slots=True)
class Frame:
    """The picture's size, in pixels.

    Args:
        width: Of the picture.
        height: Of the picture.
        padding: Left free on each side.
    """

    width: int
    height: int
    padding: int


@dataclass(frozen=True, slots=True)
class Projection:
    """Puts a part of the earth into a frame, north up.

    Args:
        frame: The picture.
        centre_x: Web Mercator metres east of the picture's centre.
        centre_y: Web Mercator metres north of the picture's centre.
        scale: Pixels a projected metre.
        seam: Longitude where the picture's world begins: -180, or else where least is cut.
    """

    frame: Frame
    centre_x: float
    centre_y: float
    scale: float
    seam: float = -180.0

    def __call__(self, positions: Array) -> Array:
        """Pixels right and down of positions in degrees; arrays of shape (n, 2)."""
        import numpy

        metres = to_web_mercator(_unrolled(positions, self.seam))
        right = (metres[:, 0] - self.centre_x) * self.scale + self.frame.width / 2
        down = (self.centre_y - metres[:, 1]) * self.scale + self.frame.height / 2
        return numpy.column_stack([right, down])

    def draw(self, geometry: BaseGeometry) -> BaseGeometry:
        """A geometry in pixels, clipped to the frame and without detail that cannot be seen."""
        import shapely

        flat = shapely.transform(shapely.force_2d(geometry), self)
        if shapely.get_dimensions(flat) < 1:
            return flat.intersection(self._window(_CLIP_MARGIN))
        seen = shapely.simplify(flat, 0.4, preserve_topology=True)
        if not seen.is_valid:
            seen = shapely.make_valid(seen)
        return seen.intersection(self._window(_CLIP_MARGIN))

    def _window(self, margin: float) -> BaseGeometry:
        import shapely

        return shapely.box(-margin, -margin, self.frame.width + margin, self.frame.height + margin)

    @property
    def metres_a_pixel(self) -> float:
        """Metres on the ground for each pixel, at the picture's centre."""
        return math.cos(math.radians(self._latitude(0.5))) / self.scale

    @property
    def is_even(self) -> bool:
        """Whether one scale bar serves the whole picture (within a twentieth)."""
        ends = [math.cos(math.radians(self._latitude(share))) for share in (0.0, 0.5, 1.0)]
        return max(ends) / max(min(ends), 1e-9) < 1.05

    def _latitude(self, share: float) -> float:
        import numpy

        down = self.centre_y + (0.5 - share) * self.frame.height / self.scale
        return float(from_web_mercator(numpy.array([[0.0, down]]))[0, 1])


def fit(geometries: Iterable[BaseGeometry], frame: Frame, *, around: D | None = None) -> Projection:
    """The projection that shows all of these geometries, as large as the frame allows.

    Args:
        geometries: In longitude and latitude, at least one.
        frame: The picture.
        around: Show so much of the surroundings on every side.
    """
    import numpy

    bounds = [geometry.bounds for geometry in geometries]
    if around is not None:
        bounds = [tuple(box) for each in bounds for box in boxes_around(each, around)]
    seam = _seam([(low, high) for low, _, high, _ in bounds])
    corners = numpy.array([corner for minx, miny, maxx, maxy in bounds for corner in ((minx, miny), (maxx, maxy))])
    corners[:, 1] = numpy.clip(corners[:, 1], -LIMIT_LATITUDE, LIMIT_LATITUDE)
    metres = to_web_mercator(_unrolled(corners, seam))
    low, high = metres.min(axis=0), metres.max(axis=0)
    stretch = 1 / math.cos(math.radians(float(corners[:, 1].mean())))
    span = numpy.maximum(high - low, _LEAST_SPAN_METRES * stretch)
    room = numpy.array([frame.width, frame.height]) - 2 * frame.padding
    centre = (low + high) / 2
    return Projection(frame, float(centre[0]), float(centre[1]), float((room / span).min()), seam)


def _unrolled(positions: Array, seam: float) -> Array:
    """Longitudes that run on from the seam, so that neighbours across 180 stay neighbours."""
    import numpy

    if seam <= -180:
        return positions
    # A part cut at 180 ends there; it must not jump to the other side of the picture.
    moved = numpy.where(positions[:, 0] < seam, positions[:, 0] + 360, positions[:, 0])
    return numpy.column_stack([moved, positions[:, 1]])


def _seam(spans: Sequence[tuple[float, float]]) -> float:
    """Where to begin the world: in the widest gap between the shapes, when they lie on both sides of 180."""
    if not spans or max(high for _, high in spans) - min(low for low, _ in spans) <= 180:
        return -180.0
    ordered = sorted(spans)
    reach, widest, seam = ordered[0][1], 0.0, -180.0
    for low, high in ordered[1:]:
        if low - reach > widest:
            widest, seam = low - reach, (low + reach) / 2
        reach = max(reach, high)
    outside = 360 - (reach - ordered[0][0])
    return seam if widest > outside else -180.0
