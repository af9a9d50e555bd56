"""The experiments as data: their settings, reasons, and what the study prints."""

import msgspec

from study.experiments import EXPERIMENTS, FOLLOW_UPS, TABLE_EXPERIMENTS
from study.paper import PRINTED, PRINTED_TEST_FACES, PRINTED_TRAIN_FACES


def test_every_printed_row_has_an_experiment_in_the_order_of_the_tables():
    assert list(PRINTED) == [*map(str, range(1, 18)), "LSTM"]
    assert [experiment.name for experiment in TABLE_EXPERIMENTS] == list(PRINTED)
    assert list(EXPERIMENTS)[:18] == list(PRINTED)
    assert len(EXPERIMENTS) == 18 + len(FOLLOW_UPS)


def test_the_printed_best_of_both_tables_are_rows_2_and_lstm():
    best = max((printed.test, name) for name, printed in PRINTED.items())
    assert best == (63.25, "2")
    assert PRINTED["LSTM"].test == 46.82
    assert (PRINTED["2"].stopped, PRINTED["LSTM"].stopped) == (37, 46)


def test_the_printed_counts_add_up_but_for_the_misprint_of_neutral():
    assert sum(PRINTED_TRAIN_FACES) == 28_821
    assert sum(PRINTED_TRAIN_FACES) - PRINTED_TRAIN_FACES[-1] + 4_932 == 28_771
    assert sum(PRINTED_TEST_FACES) == 7_066
    assert sum(PRINTED_TRAIN_FACES) + sum(PRINTED_TEST_FACES) == 35_887


def test_no_two_trainings_are_the_same():
    trainings = [e.settings(seed=seed) for e in EXPERIMENTS.values() for seed in range(e.seeds)]
    assert all(one != other for number, one in enumerate(trainings) for other in trainings[:number])


def test_rows_printed_alike_differ_in_their_seed_and_those_of_blank_epochs_in_these():
    alike = [EXPERIMENTS[name].settings(seed=0) for name in ("4", "5", "6", "7", "8")]
    assert [settings.seed for settings in alike] == [0, 10, 20, 30, 40]
    assert [settings.epochs for settings in alike] == [50, 20, 20, 20, 20]
    same = [msgspec.structs.replace(settings, seed=0, epochs=1) for settings in alike]
    assert all(settings == same[0] for settings in same)


def test_every_experiment_gives_its_reason():
    assert all(experiment.why.endswith(".") for experiment in EXPERIMENTS.values())


def test_a_follow_up_says_what_it_is_and_what_it_is_compared_with():
    for experiment in FOLLOW_UPS:
        assert experiment.title
        assert experiment.against in EXPERIMENTS
        assert experiment.against != experiment.name


def test_a_follow_up_differs_in_what_it_is_named_for_alone():
    def differing(name):
        own = EXPERIMENTS[name].settings(seed=0)
        other = EXPERIMENTS[EXPERIMENTS[name].against].settings(seed=0)
        return {key for key in own.__struct_fields__ if getattr(own, key) != getattr(other, key)}

    expected = {
        "2-bfloat16": {"precision"},
        "bn": {"network", "options"},
        "cbam": {"network", "options"},
        "se": {"network", "options"},
        "ferplus": {"labels"},
        "without-duplicates": {"leave_out_duplicates"},
        "equal-latency": {"options"},
        "plain": {"augmentation"},
        "full": {"augmentation"},
        "as-study": {"hold_out"},
        "cosine": {"epochs", "patience", "schedule"},
        "bn-convolutions-float32": {"epochs", "patience", "precision"},
        "15-again": {"seed"},
        "wide-raw-bare": {"epochs", "options"},
    }
    assert {name: differing(name) for name in expected} == expected


def test_a_trial_changes_the_epochs_and_nothing_else():
    whole, trial = EXPERIMENTS["15"].settings(seed=1), EXPERIMENTS["15"].settings(seed=1, epochs=2)
    assert (whole.epochs, trial.epochs, whole.seed) == (50, 2, 1)
    assert msgspec.structs.replace(trial, epochs=whole.epochs) == whole
