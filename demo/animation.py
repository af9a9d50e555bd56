"""Makes a short animated image of a video, for a page that can't show videos."""

from __future__ import annotations

from pathlib import Path

import cv2

from runtime.command.outputs import OutputError

RATE = 12  # frames a second
WIDTH = 480  # pixels
QUALITY = 60


def write_animation(video: Path, out: Path, *, rate: int = RATE, width: int = WIDTH) -> int:
    """Writes a video as an endless WebP, atomically; returns the number of its frames.

    Args:
        video: The video.
        out: The animated image.
        rate: Its frames per second.
        width: Its width in pixels.

    Raises:
        OutputError: Pillow is missing, the video has no frame, or the file can't be written.
    """
    try:
        from PIL import Image
    except ImportError:
        raise OutputError("an animated image needs Pillow: pip install pillow", path=out) from None
    source = cv2.VideoCapture(str(video))
    every = max(1, round(source.get(cv2.CAP_PROP_FPS) / rate))
    images = []
    while source.grab():
        if round(source.get(cv2.CAP_PROP_POS_FRAMES)) % every != 1 % every:
            continue
        _, frame = source.retrieve()
        height = round(frame.shape[0] * width / frame.shape[1])
        small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
        images.append(Image.fromarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB)))
    source.release()
    if not images:
        raise OutputError("expected a video with at least one frame, found none.", path=video)
    temporary = out.with_name(f".part-{out.name}")
    try:
        images[0].save(
            temporary,
            "WEBP",
            save_all=True,
            append_images=images[1:],
            duration=round(1000 / rate),
            loop=0,
            quality=QUALITY,
            method=4,
        )
        temporary.replace(out)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"expected a file that can be written, got: {error.strerror}.", path=out) from error
    return len(images)
