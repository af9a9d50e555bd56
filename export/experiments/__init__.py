"""Experiments behind decisions of the export; each writes its results and a report."""
