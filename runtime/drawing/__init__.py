"""Boxes, labels and scores drawn on frames."""
