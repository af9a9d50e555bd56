"""What lets a panel, a label or the status become larger only after there was room for a while."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .places import Rectangle

PATIENCE = 25  # frames in a row that must have had room before something becomes larger or comes back
LOOK_EVERY = 5  # frames, where there was none: to look for room takes longer than all else
# The place of something that has several, or None where it isn't free: by the height of its capitals, by the
# number of the place, and by the slack, how many pixels it must be able to move.
Fit = Callable[[int, int, int], "Rectangle | None"]


@dataclass
class Patience:
    """Lets something become larger only after `PATIENCE` frames in a row in which there was room for it."""

    frames: int = 0
    least: int = 0

    def looks(self, number: int) -> bool:
        """Whether it is to be seen if there is room in a frame, by its number in the stream."""
        return self.frames > 0 or number % LOOK_EVERY == 0

    def allowed(self, room: int, now: int) -> int:
        """How large it may be that is `now` so large and has `room` to be larger, in the same unit."""
        if room <= now:
            self.frames = 0
            return now
        self.least = min(room, self.least) if self.frames else room
        self.frames += 1
        if self.frames <= PATIENCE:
            return now
        self.frames = 0
        return self.least


@dataclass
class Stand:
    """Where a panel or the status stood in the frame before, at `spot`, of `spots` places.

    `text_px` is the height of its capitals: 0 where there was no room for it, None before its first frame.
    """

    spots: int
    text_px: int | None = None
    spot: int = 0
    patience: Patience = field(default_factory=Patience)

    def keep(self, fit: Fit) -> Rectangle | None:
        """Its place, if that is still free."""
        return fit(self.text_px, self.spot, 0) if self.text_px else None

    def move(self, fit: Fit, sizes: Sequence[int], slack: int) -> Rectangle | None:
        """Another place, not larger than before; what comes anew takes the largest that is free."""
        if self.text_px is None:
            return self._take(fit, sizes, 0)
        return self._take(fit, [size for size in sizes if size <= self.text_px], slack)

    def grow(self, fit: Fit, sizes: Sequence[int], slack: int) -> Rectangle | None:
        """A larger place, or one at all, if there has been room for long enough."""
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
        """The first size at which it fits, the place where it is already before the others."""
        spots = sorted(range(self.spots), key=lambda spot: spot != self.spot)
        for size in sizes:
            for spot in spots:
                place = fit(size, spot, slack)
                if place is not None:
                    return size, spot, place
        return None
