"""The golden vectors of the kit's own detector are this runtime's, and tell other rules apart."""

import numpy as np
import pytest

from runtime.detectors import ferkit
from tests.data import golden_detection
from tests.support.golden import FRAMES, GOLDEN


def test_the_script_makes_them_from_this_runtime():
    assert golden_detection.make_letterboxes(FRAMES) == GOLDEN["letterboxes"]
    assert golden_detection.make_letterbox_sweep(FRAMES) == GOLDEN["letterbox_sweep"]
    assert golden_detection.make_suppressions(FRAMES["noise"]) == GOLDEN["suppressions"]


def test_the_letterboxes_cover_what_goes_wrong_elsewhere():
    found = set()
    for golden in GOLDEN["letterboxes"]:
        height, width = FRAMES[golden["frame"]].shape[:2]
        scale = min(golden["height"] / height, golden["width"] / width, max(1, 200 / max(height, width)))
        sides = (width * scale, height * scale)
        cases = {
            "enlarged": scale > 1,
            "as it is": scale == 1,
            "exactly half": scale == 0.5,
            "another whole ratio": scale == 0.25 and width % 4 == 0,
            "shrunk from an odd size": scale < 1 and width % 2 == 1,
            "to the width": scale == golden["width"] / width,
            "to the height": scale == golden["height"] / height,
            "portrait": height > width and scale > 1,
            "a half that rounds to even": any(side % 2 == 0.5 for side in sides),
            "less than half a pixel": min(sides) < 0.7,
        }
        found |= {case for case, holds in cases.items() if holds}
    assert found == set(cases)


@pytest.mark.parametrize("overlap", [0.35, 0.45])
def test_another_limit_keeps_other_boxes(overlap):
    kept = [
        golden_detection.kept_of(
            np.array(golden["boxes"], np.float32),
            np.array(golden["confidences"], np.float32),
            golden["threshold"],
            overlap,
        )
        for golden in GOLDEN["suppressions"]
    ]
    assert kept != [golden["kept"] for golden in GOLDEN["suppressions"]]


def test_more_candidates_keep_more_of_the_crowd(monkeypatch):
    monkeypatch.setattr(ferkit, "MOST_CANDIDATES", 1000)
    changed = golden_detection.make_suppressions(FRAMES["noise"])
    counts = [(len(a["kept"]), len(b["kept"])) for a, b in zip(GOLDEN["suppressions"], changed, strict=True)]
    assert [pair for pair in counts if pair[0] != pair[1]] == [(400, 450)]
