"""How every image of a measurement looks; matplotlib is imported only when one is drawn."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito 2008, "Color Universal Design", without the yellow that white paper swallows.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DOTS_PER_INCH = 150
LINES = ("solid", "solid", "solid", "solid", "dashed", "dashed", "dashdot")


def figure(width: float, height: float) -> Figure:
    """Return an empty figure of `width` x `height` inches that fits its contents and opens no window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(drawing)
    return drawing


def png(drawing: Figure) -> bytes:
    """Return the figure as a PNG, without the version of matplotlib in it."""
    image = io.BytesIO()
    drawing.savefig(image, format="png", metadata={"Software": None})
    return image.getvalue()
