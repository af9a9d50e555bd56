"""Recipes: which settings exclude each other, what a record holds of them, and the learning rate."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest

from train.errors import RecipeError
from train.models import MODELS
from train.recipes import Augmentation, Recipe, completed, fine_tuning, recorded

TEACHER = (Path("a.keras"),)
ALONE = "Expected teachers and their share of the targets, got {} teachers and a share of "


@pytest.mark.parametrize(
    ("settings", "named", "message"),
    [
        (
            {"epochs": 10, "warm_restart_after": 4},
            {"epochs", "warm_restart_after"},
            "Expected fewer than 10 epochs with a warm restart after 4, got 10: each cycle is shorter than "
            "the one before. Give a later one: --warm-restart-after 10",
        ),
        (
            {"epochs": 3, "warm_restart_after": 2, "warmup": 1},
            {"warmup", "warm_restart_after"},
            "Expected --warmup or --warm-restart-after, got both",
        ),
        (
            {"schedule": "constant", "warmup": 1},
            {"schedule"},
            "Expected a constant learning rate or --warmup",
        ),
        ({"epochs": 1, "warmup": 1}, {"epochs", "warmup"}, "Expected more epochs than the 1 in which"),
        ({"learning_rate": float("inf")}, {"learning_rate"}, "Expected a finite learning rate, got inf"),
        (
            {"teachers": TEACHER},
            {"teachers", "teacher_share"},
            ALONE.format(1),
        ),
        (
            {"teacher_share": 0.5},
            {"teachers", "teacher_share"},
            ALONE.format(0),
        ),
        (
            {"teachers": TEACHER, "teacher_share": 0.5, "class_weight": True},
            {"class_weight", "teachers"},
            "Expected class weights or teachers, got both",
        ),
        (
            {"teacher_temperature": 2.0},
            {"teachers", "teacher_temperature"},
            "Expected teachers for a temperature of 2, got none.",
        ),
    ],
)
def test_settings_that_exclude_each_other_are_refused_by_name(settings, named, message):
    with pytest.raises(RecipeError) as caught:
        Recipe(**{"epochs": 2, "learning_rate": 1e-3} | settings)
    assert str(caught.value).startswith(message)
    assert set(caught.value.settings) == named


def test_fine_tuning_keeps_how_faces_look_and_drops_votes_and_teachers():
    weights = Path("edge.keras")
    for entry in MODELS.values():
        recipe, tuned = entry.recipe, fine_tuning(entry.recipe, weights)
        assert tuned.initial_weights == weights
        assert (tuned.teachers, tuned.teacher_share, tuned.uses_votes) == ((), 0, False)
        assert (tuned.epochs, tuned.learning_rate, tuned.warmup) == (20, 3e-4, 1)
        assert tuned.augmentation == recipe.augmentation
        assert tuned.precision == recipe.precision
        assert tuned.weight_decay == recipe.weight_decay
        assert tuned.temperature_scaling == recipe.temperature_scaling


# --- what a record holds -----------------------------------------------------------------------------


def test_a_record_holds_every_setting_and_files_by_their_sha256(tmp_path):
    for name in ("a.keras", "b.keras"):
        (tmp_path / name).write_text(name)
    recipe = Recipe(
        epochs=2,
        learning_rate=1e-3,
        teachers=(tmp_path / "a.keras", tmp_path / "b.keras"),
        teacher_share=0.5,
        initial_weights=tmp_path / "a.keras",
        augmentation=Augmentation(rotation=1, scale=(0.5, 2), shift=0, brightness=0, contrast=0),
    )
    content = recorded(recipe)
    sums = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("a.keras", "b.keras")}
    assert content["teachers"] == sums
    assert content["initial_weights"] == {"a.keras": sums["a.keras"]}
    assert content["augmentation"] == {
        "rotation": 1,
        "scale": [0.5, 2],
        "shift": 0,
        "brightness": 0,
        "contrast": 0,
        "cutout": 0,
        "surroundings": 0,
        "degraded": 0,
    }
    assert list(content) == [field.name for field in dataclasses.fields(Recipe)]
    assert completed(content) == content


def test_a_record_of_before_gets_todays_names_and_the_defaults_of_what_it_lacks():
    earlier = {
        "model": "edge",
        "epochs": 5,
        "learning_rate": 1e-3,
        "cycle": 4,
        "votes": 0.2,
        "votes_head": 0.5,
        "balance": 0.1,
        "calibrate": True,
        "teachers_see": "plain",
        "start": None,
        "augmentation": {"rotation": 1, "scale": 0, "shift": 0, "brightness": 0, "contrast": 0},
        "keep_repeats": True,
    }
    recipe = Recipe(
        epochs=5,
        learning_rate=1e-3,
        warm_restart_after=4,
        vote_share=0.2,
        vote_head_weight=0.5,
        logit_adjustment=0.1,
        temperature_scaling=True,
        teacher_input="plain",
        augmentation=Augmentation(rotation=1, scale=0, shift=0, brightness=0, contrast=0),
        keep_duplicates=True,
    )
    assert completed(earlier) == {"model": "edge", **recorded(recipe)}


# --- the learning rate -------------------------------------------------------------------------------


def rates_at(steps, **settings):
    pytest.importorskip("keras")
    from train.training import learning_rates

    schedule = learning_rates(Recipe(learning_rate=1.0, **settings), 10)  # 10 steps an epoch
    return [pytest.approx(float(schedule(step)), abs=0.005) for step in steps]


def test_the_learning_rate_falls_along_a_cosine_over_all_epochs():
    # (1 + cos(pi x)) / 2 at x = 0, 1/4, 1/2, 3/4, 1.
    assert rates_at([0, 20, 40, 60, 80], epochs=8) == [1, 0.8536, 0.5, 0.1464, 0]


def test_at_a_warm_restart_the_learning_rate_starts_again_over_fewer_epochs_and_lower():
    # 4 epochs from 1; 2.4 epochs from 0.6, so that their middle is at 5.2; 1.44 from 0.36.
    rates = rates_at([0, 20, 39, 40, 52, 63, 64], epochs=8, warm_restart_after=4)
    assert rates == [1, 0.5, 0, 0.6, 0.3, 0, 0.36]


def test_the_learning_rate_is_finite_up_to_the_most_epochs_that_warm_restarts_allow():
    (last,) = rates_at([89], epochs=9, warm_restart_after=4)
    assert np.isfinite(last.expected)


def test_warmup_raises_the_learning_rate_from_0_and_the_cosine_takes_it_back():
    assert rates_at([0, 10, 20, 40, 60], epochs=6, warmup=2) == [0, 0.5, 1, 0.5, 0]


def test_a_constant_learning_rate_stays():
    pytest.importorskip("keras")
    from train.training import learning_rates

    assert learning_rates(Recipe(epochs=5, learning_rate=0.25, schedule="constant"), 10) == 0.25
