"""The figures that the conclusions name, and what is said where one is not there."""

import msgspec
import pytest

from study.__main__ import main
from study.errors import NoFigureError, StudyError
from study.figures import Comparison, Figures
from study.report import write_report
from study.results import Latency
from tests.support.study import (
    SIXTEEN,
    made_content,
    made_latency,
    made_result,
    write_content,
    write_results,
)


def changed(content, **active_units):
    return content | {"active_units": content["active_units"] | active_units}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder of results of experiment 2 and of two seeds of LSTM, with latencies."""
    folder = tmp_path_factory.mktemp("figures") / "study"
    write_results(folder, "LSTM")
    write_content(folder, made_content("2", predicted=SIXTEEN))
    write_content(folder, made_content("2") | {"split": "official"})
    write_content(folder, changed(made_content("LSTM", predicted=SIXTEEN, seed=1), dense_1=0.375))
    (folder / "latency.json").write_bytes(msgspec.json.encode(made_latency("2")))
    return folder


def summary_of(results, text):
    """The line that a report's summary has of a text."""
    (results / "notes.md.j2").write_text(f"{{% block summary %}}\nSummary: {text}\n{{% endblock %}}")
    try:
        report = write_report(results).read_text()
    finally:
        (results / "notes.md.j2").unlink()
    return next(line for line in report.splitlines() if line.startswith("Summary: "))


FIGURES = [
    ('test("2")', "72.7"),  # 16 of 22
    ('test("LSTM")', "43.2"),  # two seeds: 3 and 16 of 22
    ('tests_of_seeds("LSTM")', "13.6 and 72.7"),
    ('seeds("LSTM")', "2"),
    ('test("2") - test("LSTM")', "29.5"),
    ('without_duplicates("2")', "75.0"),  # 15 of 20
    ('on_duplicates("2")', "50.0"),  # so 1 of 2
    ('[duplicate_faces("2"), test_faces("2")]', "2 and 22"),
    ('recall("2", "angry")', "50.0"),
    ('majority("2")', "75.0"),
    ('[majority_faces("2"), majority_recall("2")]', "16 and 91.8"),
    ('train("2")', "75.0"),
    ('[gap("2"), gap("LSTM")]', "2.3 and 31.8"),
    ('validation("2")', "50.0"),
    ('on_test("2")', "87.5"),
    ('[last_train("LSTM"), last_test("2")]', "62.5 and 87.5"),
    ('[train_after("2"), train_after("2", 1)]', "62.5 and 30.0"),
    ('[validation_after("2"), validation_after("2", 1)]', "45.0 and 40.0"),
    ('[test_after("2"), test_after("2", 1)]', "87.5 and 30.0"),
    ('tests_after("2", 2)|min', "72.7"),
    ('tests_after("2", -2)|max', "87.5"),
    ('mean(tests_after("2", 1, 1))', "30.0"),
    ('[lowest("2"), lowest("2", 2), lowest("2", -1)]', "1, 2 and 3"),
    ('[nearest("2", 50, 70), nearest("2", 62, 90)]', "2 and 3"),  # 50.0 and 72.7; 62.5 and 87.5
    ('[apart("2", 49, 72.5), apart("2", 62, 90)]', "1.0 and 2.5"),
    ('released("cnn") - released("cnn_lstm")', "10.5"),  # of the evaluation, 63.64 and 53.11
    ('validations_after("2", -2)', "50.0 and 45.0"),
    ('[passes("2", 30), chosen("2"), epochs("2"), trained_faces("2")]', "2, 2, 3 and 100"),
    ('chosen_of_seeds("LSTM")', "2 and 2"),
    ('[parameters("2"), multiply_adds("2")]', "1,000 and 2,500,000"),
    ('[active("2"), active("LSTM", 1)]', "25.0 and 25.0"),  # 12.5 and 37.5
    ('active("LSTM", 1, seed=1)', "37.5"),
    ('passes("LSTM", 30, 1)', "2"),
    ('[core_minutes("2"), images_per_second("2")]', "2.5 and 2.0"),  # 100 faces, 3 epochs, 150 s
    ('p("2", "LSTM")', "p = 0.00098"),  # 14 faces against 1
    ('ms("plain")', "0.313"),  # of experiment 2's network
    ('[epochs("LSTM", 1), train_after("LSTM", seed=1), test_after("LSTM", 2, 1)]', "3, 62.5 and 72.7"),
    ('tests_after("LSTM", 2, 2, 1)', "72.7"),
    ('official.test("2")', "13.6"),
]


def test_figures_in_the_conclusions_come_from_the_results(results):
    text = " | ".join(f"{{{{ {figure} }}}}" for figure, _ in FIGURES)
    found = summary_of(results, text).removeprefix("Summary: ").split(" | ")
    assert dict(zip([figure for figure, _ in FIGURES], found, strict=True)) == dict(FIGURES)


@pytest.mark.parametrize(
    ("figure", "reason"),
    [
        ('test("bn")', "experiment 'bn' has no result"),
        ('test("bm")', "experiment 'bm' does not exist"),
        ('tset("2")', "'tset' is undefined"),
        ('test("2"', "unexpected '}'"),
        ('test_after("2", 4)', "list index out of range"),
        ('test_after("2", 1, 1)', "experiment '2' has no result of seed 1"),
        ('passes("2", 62.5)', "experiment '2' never passes 62.5 % in training"),
        ('ms("bn")', "the latency of experiment 'bn' is not measured"),
        ('mean(tests_after("2", 4))', "a mean of no values"),
        ('active("2", -1)', "experiment '2' has a result without the active units of a layer -1"),
        ('active("2", 2)', "experiment '2' has a result without the active units of a layer 2"),
        ('recall("2", "joy")', "not in tuple"),
        ('released("dnn")', "dnn.keras.json has no accuracy"),
        ('test("2").__class__.__mro__', "access to attribute '__class__' of 'float' object is unsafe"),
    ],
)
def test_a_figure_that_is_not_there_is_named_with_its_line(results, figure, reason):
    text = f"one\n\nof {{{{ test('2') }}}} and {{{{ {figure} }}}}"
    before = sorted(results.parent.rglob("*"))
    with pytest.raises(NoFigureError) as caught:
        summary_of(results, text)
    assert (caught.value.path, caught.value.line) == (results / "notes.md.j2", 4)
    assert reason in caught.value.reason
    assert sorted(results.parent.rglob("*")) == before  # nothing is written


def test_the_command_names_the_file_and_line_of_a_missing_figure(results, capsys):
    (results / "notes.md.j2").write_text("{% block summary %}\n{{ test('bn') }}\n{% endblock %}")
    try:
        assert main(["--report", "--results", str(results)]) == 1
    finally:
        (results / "notes.md.j2").unlink()
    place = f"{results / 'notes.md.j2'}:2"
    said = f"{place}: expected a figure of the results, got none: experiment 'bn' has no result.\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("text", ["Words outside of any block.", "{% block sumary %}Typo.{% endblock %}"])
def test_conclusions_that_would_not_be_shown_are_refused(results, text):
    (results / "notes.md.j2").write_text(text)
    try:
        with pytest.raises(StudyError, match="expected blocks out of summary, printed, ") as caught:
            write_report(results)
    finally:
        (results / "notes.md.j2").unlink()
    assert caught.value.path == results / "notes.md.j2"


def test_a_figure_of_the_first_seed_is_not_that_of_another():
    figures = Figures({"2": [made_result("2", seed=1)]})
    for figure in (figures.test_after, figures.epochs, figures.chosen, lambda name: figures.p(name, name)):
        with pytest.raises(StudyError, match="experiment '2' has no result of seed 0") as caught:
            figure("2")
        assert caught.value.experiment == "2"


def test_a_comparison_has_what_a_change_brings_and_costs():
    before, after = made_result("LSTM"), made_result("2", predicted=SIXTEEN)
    after = msgspec.structs.replace(after, parameters=1500)
    figures = Figures({"LSTM": [before], "2": [after]}, msgspec.convert(made_latency("2"), Latency))
    assert figures.compare("LSTM", "2") == Comparison(
        points=pytest.approx(100 * 13 / 22),
        points_without_duplicates=pytest.approx(100 * 13 / 20),
        won=14,
        lost=1,
        p="p = 0.00098",
        parameters=pytest.approx(50),
    )
    assert (figures.timed("2").median_ms, figures.timed("LSTM")) == (0.3126, None)
