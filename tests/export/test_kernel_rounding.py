"""The rounding of the first kernel: on the grid, close, and better than rounding each weight by itself."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from export.kernel_rounding import patches, round_filter

FILTERS = arrays.arrays(np.float32, 9, elements=st.floats(-2, 2, width=16))


@given(FILTERS)
def test_a_rounded_filter_lies_on_the_grid_of_its_largest_weight(weights):
    rounded, error = round_filter(weights, np.eye(9))
    scale = np.abs(weights).max() / 127
    np.testing.assert_allclose(rounded, weights + error, atol=1e-9)
    if scale > 0:
        steps = rounded / scale
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
        assert np.abs(error).max() <= scale * 1.001
        assert np.abs(rounded).max() == np.abs(rounded[np.abs(weights).argmax()])


@settings(deadline=None)  # the first example waits for the faces
@given(FILTERS)
def test_the_errors_vary_no_more_than_those_of_plain_rounding(weights):
    _, covariance = patches()
    _, error = round_filter(weights, covariance)
    scale = np.abs(weights.astype(np.float64)).max() / 127
    if scale > 0:
        plain = np.clip(np.round(weights / scale), -127, 127) * scale - weights
        assert error @ covariance @ error <= plain @ covariance @ plain + 1e-12


@given(FILTERS)
def test_a_filter_rounded_for_float16_is_what_the_converter_stores(weights):
    rounded, error = round_filter(weights, np.eye(9), "float16")
    folded = (rounded.astype(np.float32) * np.float32(1 / 255)).astype(np.float16)
    np.testing.assert_allclose(folded.astype(np.float64) * 255, rounded, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(rounded, weights + error, atol=1e-12)
    assert np.abs(error).max() <= np.abs(weights).max() * 2**-10 + 255 * 2**-24


def test_the_pixels_of_a_patch_vary_together():
    mean, covariance = patches()
    assert mean.shape == (9,) and covariance.shape == (9, 9)
    assert (mean > 0.3).all() and (mean < 0.7).all()
    assert (covariance > 0).all()
