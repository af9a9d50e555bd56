"""The table at the end of a test run: what each test file found. `conftest.py` loads it."""

from collections import Counter, defaultdict

OUTCOMES = ("passed", "failed", "error", "skipped")


def pytest_terminal_summary(terminalreporter):
    """Prints a row per test file, before pytest's own closing line."""
    counts, seconds = defaultdict(Counter), Counter()
    for outcome in OUTCOMES:
        for report in terminalreporter.stats.get(outcome, []):
            file = report.nodeid.split("::")[0]
            counts[file][outcome] += 1
    for reports in terminalreporter.stats.values():
        for report in reports:
            if hasattr(report, "duration"):
                seconds[report.nodeid.split("::")[0]] += report.duration
    if not counts:
        return
    width = max(map(len, counts))
    write = terminalreporter.write_line
    terminalreporter.write_sep("=", "tests")
    write(f"{'':{width}}" + "".join(f"{outcome:>9}" for outcome in OUTCOMES) + f"{'seconds':>9}")
    for file in sorted(counts):
        cells = "".join(f"{counts[file][outcome] or '-':>9}" for outcome in OUTCOMES)
        write(f"{file:{width}}{cells}{seconds[file]:9.1f}")
