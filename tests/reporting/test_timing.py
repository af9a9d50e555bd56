import numpy as np

from reporting.timing import median_and_p95, time_interleaved


def test_every_candidate_gets_its_turn_and_the_clock_is_read_around_the_timed_calls_alone():
    clock = [0]
    calls = {"slow": 0, "fast": 0}

    def candidate(name, nanoseconds):
        def answer(face):
            calls[name] += 1
            clock[0] += nanoseconds

        return answer

    answers = [candidate("slow", 3_000_000), candidate("fast", 500_000)]
    times = time_interleaved(answers, [np.zeros(1)], turns=4, calls_per_turn=5, now=lambda: clock[0])
    assert times.shape == (2, 20)
    assert (times[0] == 3.0).all()
    assert (times[1] == 0.5).all()
    assert calls == {"slow": 4 * 6, "fast": 4 * 6}  # one untimed call in each turn


def test_the_candidates_alternate_so_that_a_slowing_machine_slows_all_alike():
    order = []
    answers = [lambda _: order.append("a"), lambda _: order.append("b")]
    time_interleaved(answers, [np.zeros(1)], turns=10, calls_per_turn=3)
    turns = ["".join(order[start : start + 8]) for start in range(0, 80, 8)]
    assert set(turns) == {"aaaabbbb", "bbbbaaaa"}


def test_the_inputs_are_given_one_after_the_other():
    given = []
    time_interleaved([given.append], ["a", "b", "c"], turns=1, calls_per_turn=5)
    assert given[1:] == ["a", "b", "c", "a", "b"]


def test_median_and_p95_are_those_of_the_times():
    assert median_and_p95(np.arange(101.0)) == (50.0, 95.0)
