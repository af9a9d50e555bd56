"""TFLite's schema objects in a form that two tests compare."""

import numpy as np


def tree_of(value):
    """An object of the schema as plain lists, dicts and numbers, so that two can be compared."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list):
        return [tree_of(element) for element in value]
    return (
        {name: tree_of(part) for name, part in vars(value).items()} if hasattr(value, "__dict__") else value
    )
