import cv2
import numpy as np
import pytest

from reporting.classification_plots import draw_confusion, draw_roc
from reporting.plots import COLOURS, DOTS_PER_INCH, LINES, figure, line_of, png, tidy

matplotlib = pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")
LABELS = ("a", "b", "c")


def pixels(image):
    return cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR)


def test_a_plot_is_the_same_bytes_again_and_has_the_size_that_was_asked_for():
    def draw():
        drawing = figure(4, 3)
        axes = drawing.subplots()
        axes.plot([0, 1], [0, 1])
        tidy(axes, "a line")
        return png(drawing)

    assert draw() == draw()
    assert pixels(draw()).shape[:2] == (3 * DOTS_PER_INCH, 4 * DOTS_PER_INCH)


def test_the_users_own_style_changes_no_plot():
    counts = [[9, 1, 0], [2, 5, 0], [0, 0, 3]]
    plain = draw_confusion(counts, LABELS, title="counts")
    with matplotlib.rc_context({"figure.facecolor": "red", "font.size": 20}):
        assert draw_confusion(counts, LABELS, title="counts") == plain


def test_a_confusion_matrix_is_dark_where_faces_are():
    image = pixels(draw_confusion(np.diag([5, 5, 5]).tolist(), LABELS, title="")).astype(int)
    dark = (image[..., 0] - image[..., 2]) > 60  # blue
    assert 0.1 < dark.mean() < 0.4  # three of nine cells


@pytest.mark.parametrize("count", [2, 12, 100])
def test_names_of_any_kind_and_number_are_drawn_as_they_are(count):
    names = [r"$\frac$", "a|b_$", *(f"class number {number}" for number in range(98))][:count]
    image = pixels(draw_confusion(np.eye(count, dtype=int).tolist(), names, title=r"$\no$"))
    assert min(image.shape[:2]) >= 6.6 * DOTS_PER_INCH - 1
    scores = np.random.default_rng(0).dirichlet(np.ones(count), 300)
    curves = draw_roc(scores, np.arange(300) % count, dict.fromkeys(names, 0.5), title=r"$\no$")
    assert pixels(curves).shape[0] == pytest.approx(6.2 * DOTS_PER_INCH, abs=1)


def test_lines_of_28_classes_differ():
    assert len({tuple(line_of(index).items()) for index in range(28)}) == 28
    lines = [line_of(index) for index in range(len(COLOURS))]
    assert [(line["color"], line["linestyle"]) for line in lines] == [*zip(COLOURS, LINES, strict=True)]


def test_a_class_without_an_area_has_no_roc_curve():
    random = np.random.default_rng(0)
    scores, truth = random.dirichlet(np.ones(3), 50), random.integers(0, 2, 50)
    two = draw_roc(scores, truth, {"a": 0.5, "b": 0.6, "c": float("nan")}, title="")
    none = draw_roc(scores, truth, dict.fromkeys(LABELS, float("nan")), title="")
    assert min(pixels(two).shape[:2]) > 600
    assert two != none
