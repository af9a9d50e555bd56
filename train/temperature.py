"""Temperature: one number that makes a net's probabilities mean what they say.

A net trained on soft targets is too unsure of itself, one trained to the end on hard labels too sure. Divided
by one temperature, the logits keep their order, and so every label, while the probabilities come to match how
often they are right (Guo et al. 2017, arXiv 1706.04599).
"""

import keras
import numpy as np

SMALLEST, LARGEST = 0.1, 10.0


def fit_temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """Returns the temperature that makes the labels likeliest: above 1 the scores were too sure.

    scores: probabilities `float (n, 7)` on faces that were not trained on; labels: `int (n,)`.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    logits = np.log(np.clip(scores.astype(np.float64), 1e-12, 1))  # softmax's logits but for a constant
    rows = np.arange(len(labels))

    def cost(log_temperature: float) -> float:
        return -log_softmax(logits / np.exp(log_temperature), axis=1)[rows, labels].mean()

    found = minimize_scalar(cost, bounds=(np.log(SMALLEST), np.log(LARGEST)), method="bounded")
    return float(np.exp(found.x))


def fold_temperature(model: keras.Model, temperature: float) -> None:
    """Divides the logits of a model whose last layer is a dense softmax by `temperature`, inside its weights.

    Raises ValueError for a model with another last layer.
    """
    head = head_of(model)
    head.set_weights([weights / temperature for weights in head.get_weights()])


def fold_balance(model: keras.Model, labels: np.ndarray, strength: float) -> None:
    """Takes `strength` of each class's log share among `labels`, int (n,), off its logit, inside the bias.

    Rare classes are then found more often (Menon et al. 2021, arXiv 2007.07314), with a strength of 1 as if
    all classes were alike frequent. Raises ValueError for a model with another last layer.
    """
    head = head_of(model)
    kernel, bias = head.get_weights()
    shares = np.bincount(labels, minlength=len(bias)).clip(1) / len(labels)
    head.set_weights([kernel, bias - strength * np.log(shares).astype(bias.dtype)])


def head_of(model: keras.Model) -> keras.layers.Dense:
    """Returns the last layer of a model; raises ValueError where that is no dense softmax."""
    head = model.layers[-1]
    if not isinstance(head, keras.layers.Dense) or head.activation is not keras.activations.softmax:
        raise ValueError(f"Expected a dense layer with softmax at the end of {model.name}, got {head.name}.")
    return head
