"""The study that this package reproduces: who wrote it and what it prints, word for word."""

from dataclasses import dataclass

AUTHORS = "Putu Ananda Adi Savitri, Agus Aan Jiwa Permana, Ni Putu Novita Puspa Dewi"
TITLE = (
    "Comparison of CNN and CNN-LSTM Performance in Facial Expression Classification Based on FER2013 Dataset"
)
JOURNAL, YEAR = "AJSTEA", 2026
URL = "https://ejournal.yasin-alsys.org/AJSTEA/article/view/8252"

TUTORIAL = "https://github.com/jonathanoheix/Real-Time-Face-Expression-Recognition"
"""Its folders hold as many images of each label as the study's split."""


@dataclass(frozen=True)
class Printed:
    """A row of Table 3 or 4; an empty string is a blank cell.

    Attributes:
        architecture: The network in words.
        epochs: As printed, such as "(100)".
        train: Accuracy in training, percent.
        test: Accuracy on the test faces, percent.
        note: What else the row says.
        stopped: The epoch in which early stopping ended the training; None where none is printed.
    """

    architecture: str
    epochs: str
    train: float
    test: float
    note: str
    stopped: int | None = None


_WIDE_512, _WIDE_128 = (f"4 conv (64, 128, 256, 512), dense {units}, dropout" for units in (512, 128))
_TWO = "2 conv (32, 64), dense 256, dropout 0.4"
_THREE = "3 conv (32, 64, 128), dense 256, dropout 0.5"
_FOUR = "4 conv (32, 64, 128, 256), dense 256 & 512, dropout 0.5"
_ROWS_OF_PIXELS = "48x48 rows, TimeDistributed dense 64, LSTM 128, dense 7"
_PLAIN = "without augmentation"
_ALL_OF_15 = "augmentation + class weight + early stopping (did not happen)"
_STOPPED = "early stopping at epoch {}"

# fmt: off
PRINTED = {
    "1": Printed(_TWO, "100", 90.70, 56.94, _STOPPED.format(29), 29),
    "2": Printed(_FOUR, "(100)", 80.08, 63.25, _STOPPED.format(37), 37),
    "3": Printed(_THREE, "(100)", 81.66, 61.59, _STOPPED.format(33), 33),
    "4": Printed(f"{_WIDE_512} 0.3", "50", 98.73, 51.39, _PLAIN),
    "5": Printed("", "", 98.59, 51.55, _PLAIN),
    "6": Printed("", "", 98.57, 51.45, _PLAIN),
    "7": Printed("", "", 98.31, 51.09, _PLAIN),
    "8": Printed("", "", 98.56, 58.71, _PLAIN),
    "9": Printed("", "100", 99.52, 52.37, _PLAIN),
    "10": Printed("", "", 58.55, 59.40, "minimal augmentation"),
    "11": Printed("", "", 58.40, 58.94, ""),
    "12": Printed("", "", 53.38, 54.17, "minimal augmentation + class weight"),
    "13": Printed(f"{_WIDE_512} 0.5", "", 99.15, 57.33, _PLAIN),
    "14": Printed(f"{_WIDE_128} 0.5, 1e-4", "", 99.37, 54.00, _PLAIN),
    "15": Printed(f"{_WIDE_128} 0.5", "", 65.62, 62.80, _ALL_OF_15),
    "16": Printed(f"{_WIDE_512} 0.5, 1e-4", "", 99.15, 57.33, _PLAIN),
    "17": Printed(f"{_WIDE_512} 0.5, 1e-4", "", 99.37, 54.00, _STOPPED.format(25), 25),
    "LSTM": Printed(_ROWS_OF_PIXELS, "100", 46.67, 46.82, f"{_PLAIN}, {_STOPPED.format(46)}", 46),
}
"""Tables 3 (rows 1 to 17) and 4 (LSTM)."""
# fmt: on

# Faces of each label in the study's split, in the order of LABELS. Its Table 1 prints 4,932 for neutral,
# with which the training part would not add up to the 28,821 that it states.
PRINTED_TRAIN_FACES = (3993, 436, 4103, 7164, 4938, 3205, 4982)
PRINTED_TEST_FACES = (960, 111, 1018, 1825, 1139, 797, 1216)
