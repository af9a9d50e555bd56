"""Goals, contestants and the Pareto front."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy.evaluation_report import Evaluation
from benchmarks.accuracy.figures import ClassFigures, Figures
from benchmarks.accuracy.group_figures import Counted, GroupFigures, ModelGroups
from benchmarks.accuracy.robustness import BoxVerdict, ChangeScore, FileRobustness
from benchmarks.comparison.contestants import STATED, Contestant, in_plots
from benchmarks.comparison.goals import Goal, goals
from benchmarks.comparison.inputs import Machine, Record
from benchmarks.comparison.pareto import draw_front, front
from benchmarks.comparison.released import ReleasedModel, shared_errors
from benchmarks.comparison.report import contestants_table, goals_table
from dataset.ferplus import MajorityAccuracy


def ours(name, *, accuracy, ratio=None, lost_points=None, size=650_000, boxes=None, images=(), london=None):
    """A released model with the figures that goals are about."""
    fear = ClassFigures(faces=528, precision=0.5, recall=0.549, f1=0.5, roc_auc=0.8)
    figures = Figures(
        faces=3589,
        faces_without_duplicates=None,
        accuracy=accuracy,
        accuracy_without_duplicates=float("nan"),
        macro_precision=0.7,
        macro_recall=0.7,
        macro_f1=0.7,
        macro_roc_auc=0.9,
        negative_log_likelihood=1.0,
        calibration_error=0.03,
        classes={"fear": fear},
        confusion=[],
    )
    verdicts = {
        way: BoxVerdict(0.0, points, "box x1.3", 2.0, points <= 2) for way, points in (boxes or {}).items()
    }
    changes = [ChangeScore("pixels", "a change", accuracy, points) for points in images]
    return ReleasedModel(
        name=name,
        file=f"{name}_int8.tflite",
        bytes=size,
        record=Record("labels", "command", {}, 1, 1, 1.0, Machine("a processor")),
        scores=np.empty((0, 7)),
        evaluation=Evaluation(name, "0" * 64, "FER2013", "1" * 64, "test", "2026-11-22", figures),
        ferplus=MajorityAccuracy(0.7, 3350, 239),
        ratio=ratio,
        lost_points=lost_points,
        robustness=FileRobustness(name, "0" * 64, changes, verdicts) if boxes else None,
        london=ModelGroups(name, "0" * 64, [], london) if london else None,
    )


def test_a_goal_is_reached_at_its_limit_and_missed_beyond_it():
    london = {
        "everybody": GroupFigures({"neutral": Counted(97, 100, 0, 1)}, {}),
        "gender: male": GroupFigures({"happy": Counted(59, 100, 0, 1)}, {}),
    }
    edge = ours(
        "edge",
        accuracy=0.72,
        ratio=1.8,
        lost_points=0.31,
        size=700_000,
        boxes={"border": 2.0, "scene": 2.01},
        images=(1.0, 4.01),
        london=london,
    )
    assert [(goal.what, goal.limit, goal.value, goal.reached) for goal in goals([edge])] == [
        ("bytes", "at most 700.0 KB", "700.0 KB", True),
        ("latency to that of fer 25.10.3", "at most 1.80", "1.80", True),
        ("accuracy", "at least 72.0 %", "72.00 %", True),
        ("accuracy", "at least 73.3 %", "72.00 %", False),
        ("macro recall", "at least 71.0 %", "70.00 %", False),
        ("recall of fear", "at least 52.0 %", "54.90 %", True),
        ("points lost by quantization", "at most 0.30", "0.31", False),
        ("expected calibration error", "at most 0.025", "0.030", False),
        ("points lost by the worst changed box, edge repeated", "at most 2.00", "2.00", True),
        ("points lost by the worst changed box, in a scene", "at most 2.00", "2.01", False),
        ("points lost by the worst changed image", "at most 4.00", "4.01", False),
        ("neutral called so, London, everybody", "at least 97.0 %", "97.00 %", True),
        ("happy called so, London, gender: female", "at least 85.0 %", "not measured", None),
        ("happy called so, London, gender: male", "at least 60.0 %", "59.00 %", False),
    ]


def test_each_model_of_the_family_has_limits_of_its_own_and_others_have_none():
    family = [ours(name, accuracy=0.7, size=1_000_000) for name in ("edge_tiny", "edge", "edge_large")]
    found = goals(family)
    assert [goal.limit for goal in found if goal.what == "bytes"] == [
        "at most 100.0 KB",
        "at most 700.0 KB",
        "at most 4,000.0 KB",
    ]
    assert [goal.reached for goal in found if goal.what == "bytes"] == [False, False, True]
    assert goals([ours("cnn", accuracy=0.9)]) == []


def test_errors_that_the_voters_share_are_those_in_which_their_majority_gives_the_models_label():
    scores = np.eye(7)[[0, 1, 2, 3, 4]]
    labels, majority = np.array([0, 0, 0, 0, 0]), np.array([1, 1, 2, 5, -1])
    assert shared_errors(scores, labels, majority) == pytest.approx(2 / 3)
    assert shared_errors(scores[:1], labels[:1], majority[:1]) is None


def test_goals_that_can_not_be_judged_are_neither_reached_nor_missed():
    lines = goals_table([Goal("edge", "bytes", "at most 700 KB", "not measured", None)]).splitlines()
    assert lines[-1] == "| `edge` | bytes | - | at most 700 KB | not measured |"
    assert goals_table([]) == "None of these models had goals."


def test_the_stated_models_stand_in_the_table_with_their_ranges_and_sources():
    lines = contestants_table(STATED).splitlines()
    assert (
        lines[3]
        == "| mini_XCEPTION fp32 | not stated | measured elsewhere | 65.90–66.00 % | 1 | 239 | 0.45–0.85 |"
    )
    assert (
        lines[-1] == "| Residual Masking Network | not stated | published | 74.14 % | 8 | 370,000 | 800.00 |"
    )
    assert len(lines) == 2 + 6


def test_what_was_measured_here_replaces_what_was_stated_in_the_plots_only_where_it_was_scored():
    again = Contestant(STATED[0].name, (0.6581,), "measured here", 93160, (1.0,))
    assert in_plots([*STATED, again]) == [*STATED[1:], again]
    unscored = again._replace(accuracy=())
    assert in_plots([*STATED, unscored]) == [*STATED, unscored]


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=12))
def test_the_front_holds_exactly_what_nothing_beats(points):
    costs, accuracies = [cost for cost, _ in points], [accuracy for _, accuracy in points]
    kept = front(costs, accuracies)
    beaten = {
        (cost, accuracy)
        for cost, accuracy in points
        if any(c <= cost and a >= accuracy and (c, a) != (cost, accuracy) for c, a in points)
    }
    assert {points[index] for index in kept} == set(points) - beaten
    assert len(kept) == len({points[index] for index in kept})
    assert [costs[index] for index in kept] == sorted(costs[index] for index in kept)


def test_a_range_of_costs_stands_at_its_geometric_middle():
    one = Contestant("a", (0.6, 0.7), "published", 1000, (0.25, 4.0))
    assert one.cost("ratio") == pytest.approx(1.0)
    assert one.cost("bytes") == pytest.approx(1000)
    assert np.isnan(one._replace(ratio=()).cost("ratio"))


def test_a_plot_without_a_point_is_refused_and_points_without_a_cost_are_left_out():
    without = Contestant("a", (0.6,), "measured here", 1000, (), ours=True)
    with pytest.raises(ValueError, match="both accuracy and ratio"):
        draw_front([without], "ratio", "latency")
    with_cost = without._replace(name="b", ratio=(1.0,))
    images = [
        cv2.imdecode(np.frombuffer(draw_front(some, "ratio", "latency"), np.uint8), cv2.IMREAD_COLOR)
        for some in ([with_cost], [with_cost, without])
    ]
    assert np.array_equal(*images)
