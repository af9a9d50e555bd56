"""Panels, labels and the status grow only after there was room for a while: otherwise they would flicker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .places import Rectangle

PATIENCE = 25  # so many frames in a row must have had room before something grows or comes back
LOOK_EVERY = 5  # frames, while there is no room: the search for room is the slowest part

# Returns a place, or None where it isn't free. Arguments: the height of the capitals; the spot; the slack, by
# how many pixels the box may move without the place being lost.
Fit = Callable[[int, int, int], "Rectangle | None"]


@dataclass
class Patience:
    """Lets something grow only after `PATIENCE` frames in a row with room for it.

    Attributes:
        frames: The number of frames in a row with room.
        smallest: The smallest room in these frames.
    """

    frames: int = 0
    smallest: int = 0

    def looks(self, number: int) -> bool:
        """Returns whether to look for room in the frame of this number."""
        return self.frames > 0 or number % LOOK_EVERY == 0

    def allowed(self, room: int, now: int) -> int:
        """Returns how large it may be: `now`, or more after enough frames with `room` for more."""
        if room <= now:
            self.frames = 0
            return now
        self.smallest = min(room, self.smallest) if self.frames else room
        self.frames += 1
        if self.frames <= PATIENCE:
            return now
        self.frames = 0
        return self.smallest


@dataclass
class Placement:
    """Where a panel or the status was in the frame before.

    Attributes:
        spots: The number of its spots.
        text_px: The height of its capitals; 0 where it had no room, None before its first frame.
        spot: Its spot.
        patience: Lets it grow.
    """

    spots: int
    text_px: int | None = None
    spot: int = 0
    patience: Patience = field(default_factory=Patience)

    def keep(self, fit: Fit) -> Rectangle | None:
        """Returns its place, if that is still free."""
        return fit(self.text_px, self.spot, 0) if self.text_px else None

    def move(self, fit: Fit, sizes: Sequence[int], slack: int) -> Rectangle | None:
        """Moves to another place, not larger than before; a new one takes the largest that is free."""
        if self.text_px is None:
            return self._take(fit, sizes, 0)
        return self._take(fit, [size for size in sizes if size <= self.text_px], slack)

    def grow(self, fit: Fit, sizes: Sequence[int], slack: int) -> Rectangle | None:
        """Moves to a larger place, or to one at all, if there has been room for long enough."""
        now = self.text_px or 0
        larger = [size for size in sizes if size > now]
        found = self._search(fit, larger, slack)
        allowed = self.patience.allowed(found[0] if found else 0, now)
        if allowed == now or not self._search(fit, [allowed], slack):
            return None
        return self._take(fit, [allowed], slack)

    def _take(self, fit: Fit, sizes: Sequence[int], slack: int) -> Rectangle | None:
        found = self._search(fit, sizes, slack)
        self.text_px, self.spot = (found[0], found[1]) if found else (0, self.spot)
        return found[2] if found else None

    def _search(self, fit: Fit, sizes: Sequence[int], slack: int) -> tuple[int, int, Rectangle] | None:
        """Returns the first size, spot and place at which it fits; its present spot is tried first."""
        spots = sorted(range(self.spots), key=lambda spot: spot != self.spot)
        for size in sizes:
            for spot in spots:
                place = fit(size, spot, slack)
                if place is not None:
                    return size, spot, place
        return None
