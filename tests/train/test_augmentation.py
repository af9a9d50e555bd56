"""Augmentation: what each change does to faces, and how far it goes."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("keras")

from train.augmentation import augment, cut_out, degrade
from train.recipes import Augmentation

NOTHING = Augmentation(rotation=0, scale=0, shift=0, brightness=0, contrast=0)


def noise_faces(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 48, 48, 1), dtype=np.uint8)


def augmented_by(faces, *, seed=0, **changes):
    """The faces as augmented by nothing but `changes`."""
    return augment(faces, np.random.default_rng(seed), dataclasses.replace(NOTHING, **changes))


def mirrored_or_not(faces, augmented):
    """Which faces were mirrored, and how far each is from the face or from its mirror image."""
    gaps = np.stack(
        [np.abs(augmented - candidate).max(axis=(1, 2, 3)) for candidate in (faces, faces[:, :, ::-1])]
    )
    return gaps.argmin(axis=0) == 1, gaps.min(axis=0)


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
    strength=st.fixed_dictionaries(
        {
            "rotation": st.floats(0, 180),
            "scale": st.floats(0, 0.9),
            "shift": st.floats(0, 1),
            "brightness": st.floats(0, 1),
            "contrast": st.floats(0, 1),
        }
    ),
)
def test_whatever_the_strength_faces_stay_float32_gray_pixels_of_their_shape(count, seed, strength):
    faces = noise_faces(count, seed).astype("float32")
    before = faces.copy()
    augmented = augment(faces, np.random.default_rng(seed), Augmentation(**strength))
    assert (augmented.shape, augmented.dtype) == (faces.shape, np.float32)
    assert 0 <= augmented.min() <= augmented.max() <= 255
    np.testing.assert_array_equal(faces, before)


def test_without_strength_a_face_comes_back_exactly_or_as_its_exact_mirror_image():
    faces = noise_faces(400).astype("float32")
    mirrored, gaps = mirrored_or_not(faces, augmented_by(faces))
    assert gaps.max() == 0
    assert 160 < mirrored.sum() < 240  # half of 400; 4 standard deviations are 40


def test_brightness_adds_one_offset_to_a_face_up_to_its_share_of_the_range():
    faces = noise_faces(100).astype("float32") / 4 + 96  # 96-160: nothing is clipped
    augmented = augmented_by(faces, brightness=0.2)
    offsets = augmented.mean(axis=(1, 2, 3)) - faces.mean(axis=(1, 2, 3))
    assert 45 < np.abs(offsets).max() <= 51  # 0.2 * 255
    _, gaps = mirrored_or_not(faces, augmented - offsets[:, None, None, None])
    assert gaps.max() < 1e-3


def test_contrast_stretches_a_face_about_its_own_mean():
    faces = noise_faces(100).astype("float32") / 4 + 96
    augmented = augmented_by(faces, contrast=0.4)
    np.testing.assert_allclose(augmented.mean(axis=(1, 2, 3)), faces.mean(axis=(1, 2, 3)), atol=1e-3)
    gains = augmented.std(axis=(1, 2, 3)) / faces.std(axis=(1, 2, 3))
    assert 0.6 <= gains.min() < 0.63
    assert 1.37 < gains.max() <= 1.4


def spots(count, *, x=36, y=24):
    """Black faces with one soft white spot at (x, y)."""
    rows, columns = np.mgrid[:48, :48]
    face = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)
    return np.repeat(face[None, :, :, None], count, axis=0).astype("float32")


def places(faces):
    """Where the spots are, as `(2, n)`: x and y from the centre of the face, in pixels."""
    rows, columns = np.mgrid[:48, :48] - 23.5
    total = faces.sum(axis=(1, 2, 3))
    return np.stack([(faces[..., 0] * grid).sum(axis=(1, 2)) / total for grid in (columns, rows)])


def test_rotation_turns_about_the_centre_of_the_face_by_up_to_its_degrees():
    x, y = places(augmented_by(spots(200, y=23.5), rotation=30.0))
    np.testing.assert_allclose(np.hypot(x, y), 12.5, atol=0.2)
    angles = np.degrees(np.arctan2(y, np.abs(x)))
    assert -30.5 < angles.min() < -27
    assert 27 < angles.max() < 30.5


def test_scale_moves_pixels_away_from_the_centre_by_up_to_its_share():
    x, y = places(augmented_by(spots(200, y=23.5), scale=0.2))
    np.testing.assert_allclose(y, 0, atol=0.1)
    assert 0.79 < np.abs(x).min() / 12.5 < 0.83
    assert 1.17 < np.abs(x).max() / 12.5 < 1.21


def test_shift_moves_a_face_both_ways_by_up_to_its_share_of_the_side():
    face = spots(200, x=23.5, y=23.5)
    for moved in places(augmented_by(face, shift=0.125)):
        assert -6.1 < moved.min() < -5.5  # an eighth of 48 pixels is 6
        assert 5.5 < moved.max() < 6.1


def test_pixels_from_outside_of_the_face_repeat_its_edge():
    faces = np.full((50, 48, 48, 1), 77, "float32")
    moved = augmented_by(faces, rotation=45.0, scale=0.5, shift=0.5)
    np.testing.assert_allclose(moved, 77, atol=1e-3)


def test_a_pair_as_scale_names_the_smallest_and_the_largest():
    # A centred square of 16 pixels, made 1.5 times as large whatever the random numbers are: 24 x 24.
    face = np.zeros((1, 48, 48, 1), "float32")
    face[:, 16:32, 16:32] = 255
    larger = augmented_by(face, scale=(1.5, 1.5))
    assert larger.sum() / 255 == pytest.approx(24 * 24, rel=0.01)


def test_cutout_paints_a_rectangle_of_each_face_in_its_mean_and_leaves_the_rest():
    faces = noise_faces(200).astype("float32")
    cut = cut_out(faces, np.random.default_rng(0), largest=0.5)
    painted = cut != faces
    means = np.broadcast_to(faces.mean(axis=(1, 2, 3), keepdims=True), faces.shape)
    np.testing.assert_allclose(cut[painted], means[painted])
    for face in painted[..., 0]:
        rows, columns = face.any(axis=1), face.any(axis=0)
        # Noise can hold the mean by chance only where the mean is whole, which none of these is.
        np.testing.assert_array_equal(face, rows[:, None] & columns[None])
        assert rows.sum() <= 24 and columns.sum() <= 24
    # Half of half the side in the mean, less what hangs over the edge.
    assert 8 < painted[..., 0].any(axis=1).sum(axis=1).mean() < 12.5


def test_surroundings_replace_what_lies_far_outside_of_a_share_of_the_faces():
    # Shrunk to half, each of these faces fills the middle 24 x 24 pixels; every other face is black.
    faces = np.zeros((200, 48, 48, 1), "float32")
    faces[::2] = 255
    moved = augmented_by(faces, scale=(0.5, 0.5), surroundings=0.5)[..., 0]
    own = moved == faces[..., 0]
    assert own[:, 12:36, 12:36].all()
    changed = ~own.all(axis=(1, 2))
    assert 70 < changed.sum() < 130  # half of 200; 4 standard deviations are 28
    for face in own[changed]:
        # What is the face's own is a square about its centre: the face and a margin of up to 8 of its pixels.
        rows, columns = face.any(axis=0), face.any(axis=1)
        np.testing.assert_array_equal(face, rows[:, None] & columns[None])
        assert 24 <= rows.sum() <= 24 + 8


def test_faces_as_large_as_they_were_have_no_surroundings():
    faces = noise_faces(50).astype("float32")
    plain = augmented_by(faces, seed=3)
    np.testing.assert_array_equal(plain, augmented_by(faces, seed=3, surroundings=1.0))


def test_a_share_of_the_faces_is_shrunk_noisy_and_compressed_and_the_others_stay():
    faces = np.zeros((200, 48, 48, 1), "float32")
    faces[:, :, ::2] = 200  # stripes a pixel wide, which a smaller image can't hold
    degraded = degrade(faces, np.random.default_rng(0), share=0.3)
    changed = (degraded != faces).any(axis=(1, 2, 3))
    assert 35 < changed.sum() < 85  # 0.3 of 200; 4 standard deviations are 26
    assert (degraded.dtype, degraded.shape) == (np.float32, faces.shape)
    assert degraded.min() >= 0 and degraded.max() <= 255
    contrast = degraded[changed].std(axis=(1, 2, 3))
    assert contrast.min() < 20 and contrast.max() > 40  # the stripes' own is 100
    np.testing.assert_allclose(degraded[changed].mean(axis=(1, 2, 3)), 100, atol=12)


def test_the_faces_that_degrade_was_given_stay_as_they_were():
    faces = noise_faces(20).astype("float32")
    copy = faces.copy()
    degrade(faces, np.random.default_rng(0), share=1.0)
    np.testing.assert_array_equal(faces, copy)


def test_cutout_comes_after_all_other_random_numbers_so_that_recipes_without_it_stay_as_they_were():
    faces = noise_faces(20).astype("float32")
    everything = {"rotation": 20, "scale": 0.3, "shift": 0.2, "brightness": 0.3, "contrast": 0.5}
    without = augmented_by(faces, seed=5, **everything)
    with_cutout = augmented_by(faces, seed=5, **everything, cutout=0.4)
    assert 0.5 < (without == with_cutout).mean() < 1
