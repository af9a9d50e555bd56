"""The input pipeline: which faces a batch holds, and what augmentation does to them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("keras")

from train.batches import FaceBatches, augment, cut_out, degrade
from train.training import RECIPES

NOTHING = {"rotation": 0.0, "scale": 0.0, "shift": 0.0, "brightness": 0.0, "contrast": 0.0}
EVERYTHING = {"rotation": 20.0, "scale": 0.3, "shift": 0.2, "brightness": 0.3, "contrast": 0.5}


def noise_faces(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 48, 48, 1), dtype=np.uint8)


def batches_of(count, **keywords):
    """Batches of faces that show their own number as gray level, each with its number as target too."""
    faces = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 48, 48, 1))
    targets = np.eye(count, dtype="float32")
    return FaceBatches(faces, targets, **{"batch_size": 8, "seed": 0, "augmentation": None} | keywords)


def all_batches(batches, epoch):
    batches.start(epoch)
    return [batches[index] for index in range(len(batches))]


def mirrored_or_not(faces, augmented):
    """Which faces were mirrored, and how far each is from the face or from its mirror image."""
    gaps = np.stack(
        [np.abs(augmented - candidate).max(axis=(1, 2, 3)) for candidate in (faces, faces[:, :, ::-1])]
    )
    return gaps.argmin(axis=0) == 1, gaps.min(axis=0)


# --- batches -----------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 40),
    batch_size=st.integers(1, 50),
    seed=st.integers(0, 2**32 - 1),
    epoch=st.integers(0, 1000),
)
def test_every_face_stands_once_in_every_epoch_beside_its_own_target(count, batch_size, seed, epoch):
    found = all_batches(batches_of(count, batch_size=batch_size, seed=seed), epoch)
    assert [len(faces) for faces, _ in found[:-1]] == [batch_size] * (len(found) - 1)
    assert 0 < len(found[-1][0]) <= batch_size
    numbers = np.concatenate([faces[:, 0, 0, 0] for faces, _ in found])
    targets = np.concatenate([targets for _, targets in found])
    assert sorted(numbers.tolist()) == list(range(count))
    assert targets.argmax(axis=1).tolist() == numbers.tolist()


@pytest.mark.parametrize("augmentation", [None, EVERYTHING])
def test_the_same_seed_and_epoch_give_the_same_batches_whatever_was_read_before(augmentation):
    faces, targets = noise_faces(30), np.eye(30, dtype="float32")
    keywords = {"batch_size": 8, "seed": 5, "augmentation": augmentation}
    unbroken, resumed = FaceBatches(faces, targets, **keywords), FaceBatches(faces, targets, **keywords)
    for epoch in range(3):
        expected = all_batches(unbroken, epoch)
    resumed.start(2)
    for index in (3, 0, 2, 1):  # in any order, as parallel workers would
        np.testing.assert_array_equal(resumed[index][0], expected[index][0])
        np.testing.assert_array_equal(resumed[index][1], expected[index][1])


def test_another_epoch_and_another_seed_give_another_order():
    orders = [
        np.concatenate([faces[:, 0, 0, 0] for faces, _ in all_batches(batches_of(40, seed=seed), epoch)])
        for seed, epoch in ((0, 0), (0, 1), (1, 0), (1, 1))
    ]
    assert len({order.tobytes() for order in orders}) == 4


def test_one_face_is_augmented_anew_in_every_epoch_and_batch():
    faces = np.repeat(noise_faces(1), 4, axis=0)
    batches = FaceBatches(
        faces, np.zeros((4, 7), "float32"), batch_size=2, seed=0, augmentation=RECIPES["cnn"]["augmentation"]
    )
    seen = np.concatenate([batch for epoch in (0, 1) for batch, _ in all_batches(batches, epoch)])
    assert len(np.unique(seen, axis=0)) == 8


def test_without_augmentation_a_batch_holds_the_faces_as_they_are():
    faces = noise_faces(10)
    batches = FaceBatches(faces, np.eye(10, dtype="float32"), batch_size=4, seed=0, augmentation=None)
    for got, targets in all_batches(batches, 0):
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, faces[targets.argmax(axis=1)])


# --- augmentation ------------------------------------------------------------------------------------


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
    augmented = augment(faces, np.random.default_rng(seed), **strength)
    assert (augmented.shape, augmented.dtype) == (faces.shape, np.float32)
    assert 0 <= augmented.min() <= augmented.max() <= 255
    np.testing.assert_array_equal(faces, before)


def test_without_strength_a_face_comes_back_exactly_or_as_its_exact_mirror_image():
    faces = noise_faces(400).astype("float32")
    mirrored, gaps = mirrored_or_not(faces, augment(faces, np.random.default_rng(0), **NOTHING))
    assert gaps.max() == 0
    assert 160 < mirrored.sum() < 240  # half of 400; 4 standard deviations are 40


def test_brightness_adds_one_offset_to_a_face_up_to_its_share_of_the_range():
    faces = noise_faces(100).astype("float32") / 4 + 96  # 96-160: nothing is clipped
    augmented = augment(faces, np.random.default_rng(0), **NOTHING | {"brightness": 0.2})
    offsets = augmented.mean(axis=(1, 2, 3)) - faces.mean(axis=(1, 2, 3))
    assert 45 < np.abs(offsets).max() <= 51  # 0.2 * 255
    _, gaps = mirrored_or_not(faces, augmented - offsets[:, None, None, None])
    assert gaps.max() < 1e-3


def test_contrast_stretches_a_face_about_its_own_mean():
    faces = noise_faces(100).astype("float32") / 4 + 96
    augmented = augment(faces, np.random.default_rng(0), **NOTHING | {"contrast": 0.4})
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
    x, y = places(augment(spots(200, y=23.5), np.random.default_rng(0), **NOTHING | {"rotation": 30.0}))
    np.testing.assert_allclose(np.hypot(x, y), 12.5, atol=0.2)
    angles = np.degrees(np.arctan2(y, np.abs(x)))
    assert -30.5 < angles.min() < -27
    assert 27 < angles.max() < 30.5


def test_scale_moves_pixels_away_from_the_centre_by_up_to_its_share():
    x, y = places(augment(spots(200, y=23.5), np.random.default_rng(0), **NOTHING | {"scale": 0.2}))
    np.testing.assert_allclose(y, 0, atol=0.1)
    assert 0.79 < np.abs(x).min() / 12.5 < 0.83
    assert 1.17 < np.abs(x).max() / 12.5 < 1.21


def test_shift_moves_a_face_both_ways_by_up_to_its_share_of_the_side():
    face = spots(200, x=23.5, y=23.5)
    for moved in places(augment(face, np.random.default_rng(0), **NOTHING | {"shift": 0.125})):
        assert -6.1 < moved.min() < -5.5  # an eighth of 48 pixels is 6
        assert 5.5 < moved.max() < 6.1


def test_pixels_from_outside_of_the_face_repeat_its_edge():
    faces = np.full((50, 48, 48, 1), 77, "float32")
    moved = augment(
        faces, np.random.default_rng(0), **NOTHING | {"rotation": 45.0, "scale": 0.5, "shift": 0.5}
    )
    np.testing.assert_allclose(moved, 77, atol=1e-3)


def test_a_pair_as_scale_names_the_smallest_and_the_largest():
    # A centred square of 16 pixels, made 1.5 times as large whatever the random numbers are: 24 x 24.
    face = np.zeros((1, 48, 48, 1), "float32")
    face[:, 16:32, 16:32] = 255
    larger = augment(face, np.random.default_rng(0), **NOTHING | {"scale": [1.5, 1.5]})
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
    shrunk = NOTHING | {"scale": [0.5, 0.5], "surroundings": 0.5}
    moved = augment(faces, np.random.default_rng(0), **shrunk)[..., 0]
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
    plain = augment(faces, np.random.default_rng(3), **NOTHING)
    np.testing.assert_array_equal(
        plain, augment(faces, np.random.default_rng(3), **NOTHING | {"surroundings": 1.0})
    )


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
    without = augment(faces, np.random.default_rng(5), **EVERYTHING)
    with_cutout = augment(faces, np.random.default_rng(5), **EVERYTHING | {"cutout": 0.4})
    assert 0.5 < (without == with_cutout).mean() < 1
