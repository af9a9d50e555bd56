"""Temperature scaling and logit adjustment, folded into the weights of the last layer.

A network trained on soft targets is too unsure of itself, one trained to the end on hard labels too sure.
Divided by one temperature, the logits keep their order, and so every label. The probabilities come to match
how often they are right (Guo et al. 2017, arXiv 1706.04599).
"""

import keras
import numpy as np

SMALLEST, LARGEST = 0.1, 10.0


def fit_temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """Returns the temperature that makes the labels likeliest: above 1 the scores were too sure.

    Args:
        scores: Probabilities, `float (n, classes)`, of faces that were not trained on.
        labels: Theirs, `int (n,)`.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    logits = np.log(np.clip(scores.astype(np.float64), 1e-12, 1))  # softmax's logits but for a constant
    rows = np.arange(len(labels))

    def cost(log_temperature: float) -> float:
        return -log_softmax(logits / np.exp(log_temperature), axis=1)[rows, labels].mean()

    found = minimize_scalar(cost, bounds=(np.log(SMALLEST), np.log(LARGEST)), method="bounded")
    return float(np.exp(found.x))


def fold_temperature(network: keras.Model, temperature: float) -> None:
    """Divides the logits of a network by `temperature`, inside the weights of its last layer.

    Raises:
        ValueError: Its last layer is no dense softmax.
    """
    head = head_of(network)
    head.set_weights([weights / temperature for weights in head.get_weights()])


def adjust_logits(network: keras.Model, labels: np.ndarray, strength: float) -> None:
    """Lowers each class's logit by `strength` times its log share, inside the bias of the last layer.

    Rare classes are then found more often (Menon et al. 2021, arXiv 2007.07314).

    Args:
        network: Its last layer is a dense softmax.
        labels: Of the training samples, int (n,), for the shares.
        strength: 0 to 1; 1 acts as if all classes were equally frequent.

    Raises:
        ValueError: The last layer is another one.
    """
    head = head_of(network)
    kernel, bias = head.get_weights()
    shares = np.bincount(labels, minlength=len(bias)).clip(1) / len(labels)
    head.set_weights([kernel, bias - strength * np.log(shares).astype(bias.dtype)])


def head_of(network: keras.Model) -> keras.layers.Dense:
    """Returns the last layer of a network; raises ValueError where that is no dense softmax."""
    head = network.layers[-1]
    if not isinstance(head, keras.layers.Dense) or head.activation is not keras.activations.softmax:
        raise ValueError(
            f"Expected a dense layer with softmax at the end of {network.name}, got {head.name}."
        )
    return head
