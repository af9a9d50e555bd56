"""The fuzzing harness: it sees crashes, hangs and tracebacks, and its cases are decided by the seed."""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fuzz import Result, groups_of, groups_table, read_fuzz, render, watch
from benchmarks.fuzz_cases import KINDS, random_of, run_case, whole_images, whole_models, whole_videos
from benchmarks.mutations import MUTATIONS, mutate
from runtime.card import CardError
from runtime.images import SourceError


def behave(case):
    """Ends as the case's number says; runs in the worker."""
    number = case[1]
    if number == 1:
        os.kill(os.getpid(), signal.SIGSEGV)
    if number == 2:
        time.sleep(600)
    if number == 3:
        raise KeyError("unforeseen")
    if number == 4:
        raise SourceError("x.jpg: expected an image")
    return f"process {os.getpid()}"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to crash by")
def test_a_crash_a_hang_and_a_traceback_are_told_from_a_good_end():
    cases = [("images", number) for number in (0, 1, 0, 2, 3, 4, 0)]
    results = list(watch(cases, behave, limit_s=1.0))
    outcomes = ["good", "crash", "good", "hang", "traceback", "refused", "good"]
    assert [result.outcome for result in results] == outcomes
    assert results[1].said == "ended by SIGSEGV"
    assert results[4].said.startswith("KeyError: 'unforeseen' (test_fuzz.py:")
    assert results[5].said == "SourceError: x.jpg: expected an image"
    assert len({result.said for result in results if result.outcome == "good"}) == 3  # a process each time
    assert 1.0 <= results[3].seconds < 10.0


def test_a_case_is_decided_by_seed_kind_and_number():
    data = bytes(range(256)) * 8
    damaged = {
        (seed, kind, number): mutate(data, random_of((kind, number), seed), [data[::-1]])
        for seed in (0, 1)
        for kind in KINDS
        for number in range(20)
    }
    assert len(set(damaged.values())) == len(damaged)
    assert damaged[1, "videos", 7] == mutate(data, random_of(("videos", 7), 1), [data[::-1]])


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutation_takes_files_of_any_size(mutation):
    random = np.random.default_rng(3)
    for size in (1, 2, 3, 600, 5000):
        data = bytes(random.integers(256, size=size, dtype=np.uint8))
        changed = [mutation(data, random) for _ in range(20)]
        assert all(isinstance(each, bytes) and len(each) <= 2 * size + 256 for each in changed)
        assert size < 600 or any(each != data for each in changed)


def test_damage_is_never_none():
    assert all(mutate(b"ab", np.random.default_rng(seed)) != b"ab" for seed in range(300))


def test_there_are_files_of_many_kinds_to_damage():
    assert {".jpg", ".png", ".bmp", ".webp", ".tiff"} <= {suffix for suffix, _ in whole_images()}
    assert {".mp4", ".avi"} <= {suffix for suffix, _ in whole_videos()}
    assert {".tflite", ".onnx"} <= {path.suffix for path in whole_models()}


def test_a_damaged_model_never_gets_past_its_card(tmp_path):
    for number in range(0, 90, 3):
        with pytest.raises(CardError):
            run_case(("models", number), seed=5, folder=tmp_path)


def test_the_table_counts_by_what_was_damaged():
    results = [
        Result(("images", 0), "good", "", 0.5),
        Result(("images", 1), "refused", "", 1.25),
        Result(("models", 1), "crash", "ended by SIGSEGV", 0.1),
    ]
    assert groups_table(groups_of(results)).splitlines()[2:] == [
        "| images | 2 | 1 | 1 | 0 | 0 | 0 | 1.2 (`images:1`) |",
        "| models, forged card | 1 | 0 | 0 | 1 | 0 | 0 | 0.1 (`models:1`) |",
    ]


@pytest.mark.published
def test_the_committed_page_shows_the_committed_results():
    root = Path(__file__).parents[2]
    page = (root / "reports" / "fuzz.md").read_text(encoding="utf-8")
    assert render(read_fuzz(root / "results" / "fuzz.json")) == page
