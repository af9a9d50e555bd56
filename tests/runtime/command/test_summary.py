"""The summary: shares of time per label per face, and the timeline's pixels."""

import json

import cv2
import numpy as np
import pytest

from runtime.command.sources import SourceFrame
from runtime.command.summary import Summary
from runtime.command.summary_files import summary_markdown, summary_stem, summary_text, write_summary
from runtime.command.timeline import MARGIN, MOST_BANDS, TRACK, WIDTH, draw_timeline, ticks
from runtime.drawing.colours import COLOURS, OTHER_COLOURS, UNCERTAIN_COLOUR
from runtime.recognizer import Face

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def face(id, label):
    return Face((0, 0, 9, 9), label, np.full(7, 1 / 7, np.float32), 0.9, LABELS, id)


def summary_of(frames, *, frame_rate=10.0, times=None, name="talk.mp4"):
    """A summary of frames given as lists of (id, label), at 10 frames/s or at the times given."""
    summary = Summary(name, frame_rate=frame_rate)
    for index, faces in enumerate(frames):
        time_s = index / 10 if times is None else times[index]
        summary.add(SourceFrame(name, index, time_s, None), [face(*each) for each in faces])
    summary.finish()
    return summary


@pytest.fixture
def talk():
    """Face 1 for 10 s: neutral 6, happy 3, uncertain 1; face 2 from 4 to 6 s, sad."""
    frames = []
    for index in range(100):
        label = "neutral" if index < 60 else "happy" if index < 90 else "uncertain"
        frames.append([(1, label), *([(2, "sad")] if 40 <= index < 60 else [])])
    return summary_of(frames)


def test_the_shares_are_of_the_time_in_which_a_face_was_seen(talk):
    record = json.loads(json.dumps(talk.record()))
    assert record == {
        "source": "talk.mp4", "frames": 100, "end_s": 10.0,
        "faces": [
            {"id": 1, "seen_s": 10.0, "shares": {"happy": 0.3, "neutral": 0.6, "uncertain": 0.1}, "spans": [
                {"from_s": 0.0, "to_s": 6.0, "label": "neutral"},
                {"from_s": 6.0, "to_s": 9.0, "label": "happy"},
                {"from_s": 9.0, "to_s": 10.0, "label": "uncertain"},
            ]},
            {"id": 2, "seen_s": 2.0, "shares": {"sad": 1.0}, "spans": [
                {"from_s": 4.0, "to_s": 6.0, "label": "sad"},
            ]},
        ],
    }  # fmt: skip


def test_the_table_has_a_row_per_face_and_one_for_all(talk):
    assert talk.table() == [
        ["face", "seen", "from", "to", "happy", "sad", "neutral", "uncertain"],
        ["1", "10.0 s", "0.0 s", "10.0 s", "30.0 %", "0.0 %", "60.0 %", "10.0 %"],
        ["2", "2.0 s", "4.0 s", "6.0 s", "0.0 %", "100.0 %", "0.0 %", "0.0 %"],
        ["all", "12.0 s", "0.0 s", "10.0 s", "25.0 %", "16.7 %", "50.0 %", "8.3 %"],
    ]
    lines = summary_text(talk).splitlines()
    assert lines[1] == "   1  10.0 s  0.0 s  10.0 s  30.0 %    0.0 %   60.0 %     10.0 %"
    assert len({len(line) for line in lines}) == 1
    markdown = summary_markdown(talk, "my talk.png").splitlines()
    assert markdown[0] == "# talk.mp4"
    assert markdown[6] == "| 1 | 10.0 s | 0.0 s | 10.0 s | 30.0 % | 0.0 % | 60.0 % | 10.0 % |"
    assert markdown[-1] == "![The labels of each face over time](my%20talk.png)"


def test_a_face_that_leaves_and_comes_back_has_two_spans():
    seen, away = [(3, "happy")], []
    summary = summary_of([seen] * 10 + [away] * 10 + [seen] * 10)
    (face_seen,) = summary.faces()
    assert [(round(span.from_s, 6), round(span.to_s, 6)) for span in face_seen.spans] == [(0, 1), (2, 3)]
    assert face_seen.seen_s == pytest.approx(2)


def test_frames_that_come_unevenly_count_by_their_time():
    summary = summary_of([[(1, "happy")], [(1, "sad")], [(1, "sad")]], times=[0.0, 0.3, 1.3], frame_rate=None)
    assert summary.faces()[0].seconds_of() == pytest.approx({"happy": 0.3, "sad": 2.0})


def test_while_a_camera_is_away_nobody_is_seen():
    summary = summary_of([[(1, "happy")]] * 3, times=[0.0, 0.1, 60.0])
    assert summary.faces()[0].seen_s == pytest.approx(0.3)
    assert summary.end_s == pytest.approx(60.1)


@pytest.mark.parametrize("times", [[0.0, 0.04, 0.04, 0.08], [0.0, 0.04, 0.0, 0.04]])
def test_a_face_of_a_frame_without_duration_has_no_share(times, tmp_path):
    summary = summary_of([[], [(7, "happy")], [(1, "sad")], []], times=times, frame_rate=25)
    assert [(face_seen.id, face_seen.seen_s) for face_seen in summary.faces()] == [(1, pytest.approx(0.04))]
    assert [row[:2] for row in summary.table()[1:]] == [["1", "0.0 s"], ["all", "0.0 s"]]
    assert [face["shares"] for face in summary.record()["faces"]] == [{"sad": 1.0}]
    assert len(write_summary(summary, tmp_path / "short")) == 3


def test_a_clock_that_is_set_back_does_not_shorten_the_whole():
    summary = summary_of([[(1, "happy")]] * 3, times=[9.9, 10.0, 0.0])
    assert summary.end_s == pytest.approx(10.0)
    assert summary.faces()[0].seconds_of() == pytest.approx({"happy": 0.2})


def test_faces_without_ids_differ_by_their_place():
    summary = summary_of([[(None, "happy"), (None, "sad")]] * 5)
    assert [(face_seen.id, face_seen.seconds_of()) for face_seen in summary.faces()] == [
        (1, pytest.approx({"happy": 0.5})),
        (2, pytest.approx({"sad": 0.5})),
    ]


def test_memory_grows_with_the_changes_alone():
    summary = summary_of([[(1, "happy")]] * 5000)
    assert len(summary.faces()[0].spans) == 1
    assert summary.faces()[0].seen_s == pytest.approx(500)


def test_a_video_without_a_face_has_a_summary_too(tmp_path):
    summary = summary_of([[]] * 20)
    assert summary.table() == [["face", "seen", "from", "to"]]
    assert summary.record() == {"source": "talk.mp4", "frames": 20, "end_s": 1.9, "faces": []}
    assert draw_timeline(summary).shape[1] == WIDTH
    write_summary(summary, tmp_path / "none")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["none.json", "none.md", "none.png"]


def bands_of(image):
    """The rows of a timeline in which labels' colours run, as (top, bottom)."""
    colours = [COLOURS[label] for label in LABELS] + [UNCERTAIN_COLOUR, TRACK]
    count = sum((image == np.array(colour, np.uint8)).all(axis=2).sum(axis=1) for colour in colours)
    rows = np.flatnonzero(count > WIDTH // 2)
    starts = [row for row in rows if row - 1 not in rows]
    return [(start, next(row for row in range(start, len(count)) if row + 1 not in rows)) for start in starts]


def test_the_timeline_is_coloured_where_a_label_was_shown(talk):
    image = draw_timeline(talk)
    (first, second) = bands_of(image)
    for (top, bottom), parts in (
        (first, [(0, 6, COLOURS["neutral"]), (6, 9, COLOURS["happy"]), (9, 10, UNCERTAIN_COLOUR)]),
        (second, [(0, 4, TRACK), (4, 6, COLOURS["sad"]), (6, 10, TRACK)]),
    ):
        row = image[(top + bottom) // 2]
        inside = [tuple(pixel) in {tuple(part[2]) for part in parts} for pixel in row.tolist()]
        left, right = inside.index(True), len(inside) - inside[::-1].index(True)
        assert left > MARGIN and right < WIDTH - MARGIN
        for from_s, to_s, colour in parts:
            start, end = (left + (right - left) * time_s / 10 for time_s in (from_s, to_s))
            np.testing.assert_array_equal(
                row[round(start) + 2 : round(end) - 2], np.tile(colour, (round(end) - round(start) - 4, 1))
            )


def test_the_timeline_tells_labels_apart_that_the_colours_do_not_know():
    labels, summary = ("calm", "happy", "contempt"), Summary("talk.mp4", frame_rate=10.0)
    for index in range(30):
        shown = Face((0, 0, 9, 9), labels[index // 10], np.full(3, 1 / 3, np.float32), 0.9, labels, 1)
        summary.add(SourceFrame("talk.mp4", index, index / 10, None), [shown])
    summary.finish()
    image = draw_timeline(summary)
    for colour in (OTHER_COLOURS[0], COLOURS["happy"], OTHER_COLOURS[1]):
        columns = (image == np.array(colour, np.uint8)).all(axis=2).sum(axis=0)
        assert 350 < (columns > 30).sum() < 480  # a third of the band
        assert ((columns > 5) & (columns < 30)).sum() > 20  # a chip of the legend


def test_of_many_faces_the_longest_seen_are_drawn_and_the_rest_counted():
    frames = [[(id, "happy") for id in range(1, 31) if index < id] for index in range(30)]
    summary = summary_of(frames)
    assert len(summary.faces()) == 30
    assert len(bands_of(draw_timeline(summary))) == MOST_BANDS


def test_a_timeline_fits_long_names_and_long_times():
    summary = summary_of([[(12345, "surprise")]] * 4, times=[0, 4000, 8000, 8001], name="n" * 300)
    image = draw_timeline(summary)
    assert image.shape[1] == WIDTH
    edge = np.concatenate([image[:, : MARGIN - 4], image[:, 4 - MARGIN :]], axis=1)
    assert edge.min() == 255  # nothing runs over the margins


def test_the_axis_has_round_times():
    assert ticks(0) == [(0.0, "0")]
    assert [text for _, text in ticks(10)] == [str(number) for number in range(11)]
    assert [text for _, text in ticks(0.9)] == [f"{number / 10:.1f}" for number in range(10)]
    assert [text for _, text in ticks(48)] == ["0", "5", "10", "15", "20", "25", "30", "35", "40", "45"]
    assert [text for _, text in ticks(1500)] == [f"0:{minutes:02}:00" for minutes in (0, 5, 10, 15, 20, 25)]
    assert [text for _, text in ticks(86400)][-1] == "24:00:00"
    for end_s in (0.01, 3.3, 77, 599.9, 600, 5000, 36_000, 10_000_000):
        assert 2 <= len(ticks(end_s)) <= 13
        assert ticks(end_s)[-1][0] <= end_s


def test_the_files_take_the_name_with_or_without_a_suffix(talk, tmp_path):
    assert {summary_stem(f"a/b{suffix}").as_posix() for suffix in ("", ".md", ".json", ".PNG")} == {"a/b"}
    assert summary_stem("day.1").as_posix() == "day.1"
    paths = write_summary(talk, tmp_path / "day.1")
    assert [path.name for path in paths] == ["day.1.md", "day.1.json", "day.1.png"]
    assert json.loads(paths[1].read_text()) == talk.record()
    assert "](day.1.png)" in paths[0].read_text()
    np.testing.assert_array_equal(cv2.imread(str(paths[2])), draw_timeline(talk))
