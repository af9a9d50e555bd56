"""The study's trainings as data: what its Tables 3 and 4 print, what is run for each row, and on what split.

The study compares a CNN with a CNN-LSTM on FER2013. `PRINTED` is its tables, word for word; `ROWS` is what
is trained, a row a line, with the reason for everything the tables leave blank or ambiguous. Rows without a
printed one follow up on what the study leaves open.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from dataset.duplicates import duplicates_of
from dataset.fer2013 import LABELS, SPLITS, Dataset
from dataset.ferplus import find_votes, majority_labels, read_votes, votes_sha256


class StudyError(ValueError):
    """A row, split or result that is not as expected; the message says what to do."""


@dataclass(frozen=True)
class Printed:
    """A row as the study prints it; an empty string is a blank cell. Accuracies in percent.

    stopped: the epoch at which early stopping ended the training, None where none is printed.
    """

    architecture: str
    epochs: str
    train: float
    test: float
    note: str
    stopped: int | None = None


WIDE_512, WIDE_128 = (f"4 conv (64, 128, 256, 512), dense {units}, dropout" for units in (512, 128))
TWO = "2 conv (32, 64), dense 256, dropout 0.4"
THREE = "3 conv (32, 64, 128), dense 256, dropout 0.5"
FOUR = "4 conv (32, 64, 128, 256), dense 256 & 512, dropout 0.5"
ROWS_OF_PIXELS = "48x48 rows, TimeDistributed dense 64, LSTM 128, dense 7"
PLAIN = "without augmentation"
ALL_OF_15 = "augmentation + class weight + early stopping (did not happen)"
STOPPED = "early stopping at epoch {}"

# fmt: off
PRINTED = {
    "1": Printed(TWO, "100", 90.70, 56.94, STOPPED.format(29), 29),
    "2": Printed(FOUR, "(100)", 80.08, 63.25, STOPPED.format(37), 37),
    "3": Printed(THREE, "(100)", 81.66, 61.59, STOPPED.format(33), 33),
    "4": Printed(f"{WIDE_512} 0.3", "50", 98.73, 51.39, PLAIN),
    "5": Printed("", "", 98.59, 51.55, PLAIN),
    "6": Printed("", "", 98.57, 51.45, PLAIN),
    "7": Printed("", "", 98.31, 51.09, PLAIN),
    "8": Printed("", "", 98.56, 58.71, PLAIN),
    "9": Printed("", "100", 99.52, 52.37, PLAIN),
    "10": Printed("", "", 58.55, 59.40, "minimal augmentation"),
    "11": Printed("", "", 58.40, 58.94, ""),
    "12": Printed("", "", 53.38, 54.17, "minimal augmentation + class weight"),
    "13": Printed(f"{WIDE_512} 0.5", "", 99.15, 57.33, PLAIN),
    "14": Printed(f"{WIDE_128} 0.5, 1e-4", "", 99.37, 54.00, PLAIN),
    "15": Printed(f"{WIDE_128} 0.5", "", 65.62, 62.80, ALL_OF_15),
    "16": Printed(f"{WIDE_512} 0.5, 1e-4", "", 99.15, 57.33, PLAIN),
    "17": Printed(f"{WIDE_512} 0.5, 1e-4", "", 99.37, 54.00, STOPPED.format(25), 25),
    "LSTM": Printed(ROWS_OF_PIXELS, "100", 46.67, 46.82, f"{PLAIN}, {STOPPED.format(46)}", 46),
}
# fmt: on

# Faces of each label in the study's split, in the order of LABELS. Its Table 1 prints 4,932 for neutral,
# with which the training part would not add up to the 28,821 that it states.
PRINTED_TRAIN_FACES = (3993, 436, 4103, 7164, 4938, 3205, 4982)
PRINTED_TEST_FACES = (960, 111, 1018, 1825, 1139, 797, 1216)
VALIDATION_SHARE = 0.1  # of the training part; the study held out none
SPLIT_SEED = 0

# The study names augmentation "minimal", or just names it. Every augmentation here mirrors half of the faces.
MINIMAL = {"rotation": 0, "scale": 0.0, "shift": 0.05, "brightness": 0.0, "contrast": 0.0}
# What tutorials on FER2013 hand to Keras's ImageDataGenerator: 10 degrees, 10 % zoom and shift.
FULL = {"rotation": 10, "scale": 0.1, "shift": 0.1, "brightness": 0.0, "contrast": 0.0}
# With which the released cnn was trained (train.models.MODELS).
RELEASED = {"rotation": 10, "scale": 0.1, "shift": 0.08, "brightness": 0.08, "contrast": 0.15}

PATIENCE = 10
"""Epochs without a better validation accuracy after which early stopping ends a training. The study prints
when it stopped, neither its patience nor what it watched."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One training: what is trained, how, and why so.

    name: as `--rows` takes it. title: what it is, for rows that the study does not print.
    network, options: a function of `study.networks.NETWORKS` and its keywords.
    epochs: at most; patience: as PATIENCE, None where nothing stops early.
    learning_rate: of Adam; the default is Keras's. schedule: "constant", or "cosine", which falls to 0.
    augmentation: keywords of `train.recipes.Augmentation`. precision: see `train.precision`.
    labels: "fer2013", or "ferplus" for the majority of FER+'s votes in training and validation.
    leave_out_duplicates: train without the rows whose image is in the test split too.
    hold_out: choose on faces held out of training; otherwise train on those too and choose on the test
        split, whose accuracy is then no longer that of faces that nothing was chosen by.
    seeds: how many: 3 where a training takes less than 15 minutes on two cores, in the mean of those that
        were run; else 1. first_seed: the first one's; seed 1 is the next whole number.
    against: the row that it is compared with. why: the reason for what the tables leave open.
    """

    name: str
    network: str
    options: dict[str, Any] = field(default_factory=dict)
    epochs: int
    patience: int | None = None
    learning_rate: float = 1e-3
    batch_size: int = 64
    augmentation: dict[str, Any] | None = None
    class_weight: bool = False
    precision: str = "float32"
    labels: str = "fer2013"
    leave_out_duplicates: bool = False
    schedule: str = "constant"
    hold_out: bool = True
    seeds: int = 1
    first_seed: int = 0
    title: str = ""
    against: str = ""
    why: str

    @property
    def printed(self) -> Printed | None:
        """The row as the study prints it; None where it doesn't."""
        return PRINTED.get(self.name)


# Settings that came later stand in a result only where they differ: older results stay those of their rows.
LATER: dict[str, Any] = {"schedule": "constant", "hold_out": True}


def settings(row: Row, *, seed: int, epochs: int | None = None) -> dict[str, Any]:
    """Returns all that decides the row's training with its `seed`-th seed (from 0), as JSON holds it.

    epochs: in the place of the row's own, for a trial.
    """
    texts = ("name", "title", "against", "why", "seeds", "first_seed")
    content = {key: value for key, value in asdict(row).items() if key not in texts}
    content = {key: value for key, value in content.items() if key not in LATER or value != LATER[key]}
    content["options"] = {
        key: list(value) if isinstance(value, tuple) else value for key, value in row.options.items()
    }
    return content | {"epochs": epochs or row.epochs, "seed": row.first_seed + seed}


def network_of(row: Row) -> str:
    """Returns a text that rows share whose networks cost the same, whatever dropout and pixels' scale."""
    options = {key: value for key, value in row.options.items() if key not in ("dropout", "scale")}
    return f"{row.network} {json.dumps(options, sort_keys=True)}"


OPTIONS_OF_2: dict[str, Any] = {"filters": (32, 64, 128, 256), "dense": (256, 512), "dropout": 0.5}
CONVOLVED: dict[str, Any] = {"convolutions": (32, 64)}
READ_CONVOLVED = CONVOLVED | {"recurrent": True}
IN_ANOTHER_ORDER: dict[str, Any] = {"recurrent": True, "order_seed": 0}
ALL_AT_ONCE: dict[str, Any] = {"augmentation": FULL, "class_weight": True, "patience": PATIENCE}
DEFAULTS: dict[str, Any] = {"initializer": "glorot_uniform", "padding": "valid"}  # Keras's
STOPPED_EARLY: dict[str, Any] = {"epochs": 100, "patience": PATIENCE, "augmentation": MINIMAL}


def small(name: str, filters: Sequence[int], dense: Sequence[int], **changes: Any) -> Row:
    """Returns a row of a CNN like rows 1 to 3, which early stopping ended."""
    options = {"filters": tuple(filters), "dense": tuple(dense), "dropout": changes.pop("dropout", 0.5)}
    defaults = {"network": "cnn", "options": options, "why": SMALL}
    return Row(name=name, **{**defaults, **STOPPED_EARLY, **changes})


def wide(name: str, *, dense: int = 512, dropout: float = 0.3, **changes: Any) -> Row:
    """Returns a row of the CNN with 64 to 512 filters, as rows 4 to 17.

    block: see `build_block_cnn`. scale, initializer, padding: see `build_cnn`.
    """
    options = {"filters": (64, 128, 256, 512), "dense": (dense,), "dropout": dropout}
    options |= {
        key: changes.pop(key) for key in ("block", "scale", "initializer", "padding") if key in changes
    }
    defaults = {"options": options, "epochs": 20, "precision": "bfloat16"}
    network = "block_cnn" if "block" in options else "cnn"
    return Row(name=name, network=network, **{**defaults, **changes})


def reader(name: str, title: str, *, network: str = "row_reader", **changes: Any) -> Row:
    """Returns a row of a relative of the CNN-LSTM, trained as that is."""
    defaults = {"epochs": 100, "patience": PATIENCE, "seeds": 3, "against": "LSTM", "why": CAUSE}
    return Row(name=name, title=title, network=network, **{**defaults, **changes})


def like_2(name: str, title: str, *, network: str = "cnn", **changes: Any) -> Row:
    """Returns a row that is row 2 but for `changes`."""
    defaults = {"options": OPTIONS_OF_2, "against": "2", "why": SAME}
    return Row(name=name, title=title, network=network, **{**defaults, **STOPPED_EARLY, **changes})


def like_2_quickly(name: str, title: str, **changes: Any) -> Row:
    """Returns a row that is row 2-bfloat16 but for `changes`."""
    defaults = {"against": "2-bfloat16", "why": SAME_QUICKLY, "precision": "bfloat16"}
    return like_2(name, title, **{**defaults, **changes})


def block(name: str, **options: Any) -> dict[str, Any]:
    """Returns the keywords of a row of `build_block_cnn`."""
    return {"network": "block_cnn", "options": {"block": name, **options}}


# --- why ---------------------------------------------------------------------------------------------

SMALL = (
    "Other rows say 'without augmentation' and this one doesn't: minimal augmentation. 100 epochs, which "
    f"early stopping cut; its patience isn't printed: {PATIENCE} epochs. Adam at 0.001, batches of 64."
)
WIDE = (
    "'50' without early stopping: 50 epochs. Adam at 0.001 where no rate is printed, batches of 64, "
    "convolutions in bfloat16, for the time it saves."
)
ENOUGH = "20 epochs: row 4's accuracy on validation is 57.8 % in its seventh, at best 58.1 % in its 50."
AGAIN = (
    "Blank but for 'without augmentation': row 4 once more. Its printed figures differ by less than a seed "
    f"makes, so another seed. {ENOUGH}"
)
AGAIN_8 = (
    "Blank but for 'without augmentation': row 4 with another seed, although it is printed 7 points above "
    f"rows 4-7, which no seed makes. {ENOUGH}"
)
LONGER = "Row 4 for 100 epochs: nothing else is printed. Nothing stops it early, as its 99.52 % say."
AUGMENTED = (
    "Row 4 with minimal augmentation. Epochs blank: 20, as a printed training accuracy below the test's says "
    "that they were few."
)
AS_10 = "Blank throughout; its figures are those of row 10 within a seed's reach: row 10 with another seed."
WEIGHTED = "Row 10 with class weights, as printed: each class weighs by the inverse of its share."
MORE_DROPOUT = f"Row 4 with dropout 0.5, as printed. {ENOUGH}"
RATE = "'1e-4' is taken for Adam's learning rate."
AS_17 = f"{RATE} Epochs blank: 25, after which row 17, of the same rate, was stopped."
ALL = (
    "'Augmentation', not 'minimal': turned, scaled and moved by 10 %. Early stopping as in row 2, whether it "
    "happens or not. Epochs blank: row 4's 50."
)
AS_13 = f"{AS_17} Its figures are printed as those of row 13, to the digit: one of the two may be a misprint."
AS_14 = (
    f"Row 16 with early stopping; 99.37 % in training leave no room for augmentation. {RATE} Its figures are "
    "printed as those of row 14, to the digit: one may be a misprint, and 99.37 % after 25 epochs at 1e-4 "
    "would be quick. At most row 4's 50 epochs."
)
TABLE_4 = f"As printed; Adam at 0.001, batches of 64, a patience of {PATIENCE} epochs."
CAUSE = "Trained as row LSTM but for what is named, so that nothing else differs."
AS_SMALL_AS_LSTM = {"filters": (9, 18, 36, 72), "dense": (86, 172)}
AS_FAST_AS_LSTM = {"filters": (16, 32, 80, 160), "dense": (160, 320)}
ROWS_DENSE = "rows read by dense 64, then dense 32 on all: no recurrence, as many weights as the LSTM"
CONV_LSTM = "conv 32, 64; dense 64 on each of 12 rows; LSTM 128: a CNN-LSTM with convolutions"
CONV_DENSE = "conv 32, 64; dense 64 on each of 12 rows; dense 128: conv-lstm without recurrence"
EQUAL_PARAMETERS = "row 2 in small: conv 9-72, dense 86 & 172, with the parameters of row LSTM"
EQUAL_LATENCY = "row 2 in small: conv 16-160, dense 160 & 320, about as fast as row LSTM"
WIDE_BN = "row 4 with batch normalisation, 20 epochs"
AS_STUDY = "row 2 on all 28,821 training faces, stopped and chosen on the test faces"
COSINE = "row 2 for 50 epochs, the learning rate falling to 0 by a cosine"
AS_STUDY_COSINE = "row as-study for 50 epochs, the learning rate falling to 0 by a cosine"
UNREPEATED = "row 2 without the training rows whose image is in the test split"
AS_FAST = (
    "Trained as row 2. Widths in about row 2's proportions, in steps of 16, with which a face takes about as "
    "long as with row LSTM: the last column of the table of costs."
)
UNTOLD = (
    "Row LSTM has no augmentation, as printed; this CNN then has none either. Its dropout is part of the net."
)
SLOW = (
    "The printed accuracy on the training faces is no higher than that on the test faces; row LSTM's passes "
    "it in epoch 11. A tenth of Adam's usual rate learns less by heart in as many epochs."
)
PLAIN_1 = "Row 1's printed 90.70 % in training may have come without augmentation: tried."
FERPLUS = (
    "Images without a majority for one of the seven labels are not trained on; the rest is row 2-bfloat16."
)
AS_CHOSEN = (
    "The study holds nothing out and chooses on the faces that it reports: what that makes of row 2. Its "
    "accuracy is one that was chosen by."
)
FALLING = (
    "The study does not print how its rate was held or lowered. No early stopping: about row 2's best epoch."
)
BOTH = (
    "Rows cosine and as-study bring row 2 nearer to its printed figure, each by a part: both together. Its "
    "accuracy is one that was chosen by."
)
NOTE_BLANK = "The study does not print row 2's augmentation: here is what another one makes."
ORDER = (
    "Trained as the row it is compared with: what reading from top to bottom is worth, which a random order "
    "takes away. Seed 0 draws the order."
)
LSTM_SHUFFLED = "row LSTM, reading the 48 rows in one random order, the same for every face"
CONV_LSTM_SHUFFLED = "conv-lstm, reading the 12 rows in one random order, the same for every face"
CONV_DENSE_MINIMAL = "conv-dense with minimal augmentation: conv-lstm-minimal without recurrence"
LSTM_SLOW = "row LSTM with a tenth of the learning rate"
CONV_LSTM_MINIMAL = "conv-lstm with minimal augmentation"
EQUAL_PARAMETERS_PLAIN = "equal-parameters without augmentation"
EQUAL_LATENCY_PLAIN = "equal-latency without augmentation"
WIDE_RAW = "row 4 on pixels 0-255, not rescaled to 0-1"
TRY_4 = (
    "Row 4 is printed 6 points below ours at about the same accuracy in training, and 7 below row 8: whether "
    "its pixels may not have been rescaled. As many epochs as row 4."
)
RAW_BARE = "row wide-raw without dropout, 30 epochs"
TRY_RAW_BARE = (
    "Row wide-raw comes near the accuracies in the test that are printed of rows 4 to 7 and 9, but learns "
    "too slowly for those in training. Without dropout a net learns faster: whether it then has both."
)
RAW_17 = "row 17 on pixels 0-255, not rescaled to 0-1"
TRY_17 = (
    "Row 17 stops an epoch after its print, 1.2 points below its accuracy in training, but 4.8 above its "
    "test's; row 14, printed with the same, is 3.9 above. Whether its pixels may not have been rescaled."
)
SLOW_15 = "row 15 with a tenth of the learning rate, that of rows 14, 16 and 17"
TRY_15 = (
    "At 0.001 row 15 has not begun to learn when it is stopped. Its rate isn't printed, and those of the "
    "rows around it are 1e-4: whether it learns at that."
)
AGAIN_15 = "row 15 with another seed"
TRY_AGAIN_15 = (
    "Early stopping, which did not happen in the study, ends row 15 here after 14 epochs at chance. Row "
    "15-slow with its second seed begins to learn after 21: whether row 15 does with another."
)
UNWEIGHTED_15 = "row 15 without class weights"
UNWEIGH_15 = (
    "Row 15 is at chance until it is stopped, and so is it at 1e-4 with one seed. It has class weights, "
    "augmentation and a dropout of 0.5 at once, and row 12, with class weights, less augmentation and less "
    "dropout, learns: whether row 15 does without them."
)
WIDE_DEFAULTS = "row 4 with Keras's defaults: convolutions without padding, Glorot's initializer; 20 epochs"
TRY_DEFAULTS = (
    "The study prints neither initializer nor padding. Ours are He's, drawn for ReLU, and 'same'; whoever "
    "names none has Keras's defaults, Glorot's smaller weights and no padding: whether both bring row 4 "
    f"nearer to its print. {ENOUGH}"
)
LSTM_RAW = "row LSTM on pixels 0-255, not rescaled to 0-1"
TRY_LSTM = (
    "Row LSTM passes its printed accuracy in training in epoch 11. On pixels that are not rescaled "
    "row 4 learns more slowly and comes nearer to its print (row wide-raw): whether row LSTM does too."
)
TRY_8 = "Whether batch normalisation explains the printed 7 points between row 8 and rows 4-7."
SAME = "Trained as row 2 but for what is named, so that nothing else differs."
QUICKLY = (
    "Convolutions in bfloat16 train in three fifths of the time: what that makes of row 2, for the rows that "
    "are compared with this one."
)
FLOAT32 = "All rows that do not learn have their convolutions computed in bfloat16: whether that is why."
BN_CONVOLUTIONS = "Normalised in front of the dense layers but not in them: whether those still learn."
SAME_QUICKLY = "Trained as row 2-bfloat16 but for what is named, so that nothing else differs."

# --- the rows ----------------------------------------------------------------------------------------

# fmt: off
TABLE_ROWS = (
    small("1", (32, 64), (256,), dropout=0.4),
    small("2", (32, 64, 128, 256), (256, 512)),
    small("3", (32, 64, 128), (256,)),
    wide("4", epochs=50, why=WIDE),
    wide("5", first_seed=10, why=AGAIN),
    wide("6", first_seed=20, why=AGAIN),
    wide("7", first_seed=30, why=AGAIN),
    wide("8", first_seed=40, why=AGAIN_8),
    wide("9", epochs=100, first_seed=50, why=LONGER),
    wide("10", augmentation=MINIMAL, why=AUGMENTED),
    wide("11", augmentation=MINIMAL, first_seed=10, why=AS_10),
    wide("12", augmentation=MINIMAL, class_weight=True, why=WEIGHTED),
    wide("13", dropout=0.5, why=MORE_DROPOUT),
    wide("14", epochs=25, dense=128, dropout=0.5, learning_rate=1e-4, why=AS_17),
    wide("15", epochs=50, dense=128, dropout=0.5, why=ALL, **ALL_AT_ONCE),
    wide("16", epochs=25, dropout=0.5, learning_rate=1e-4, why=AS_13),
    wide("17", epochs=50, dropout=0.5, patience=PATIENCE, learning_rate=1e-4, first_seed=10, why=AS_14),
    reader("LSTM", "", network="cnn_lstm", against="2", why=TABLE_4),
)
FURTHER_ROWS = (
    reader("rows-dense", ROWS_DENSE, options={"recurrent": False, "units": 32}),
    reader("conv-lstm", CONV_LSTM, options=READ_CONVOLVED),
    reader("conv-dense", CONV_DENSE, options=CONVOLVED | {"recurrent": False}, against="conv-lstm"),
    reader("lstm-shuffled", LSTM_SHUFFLED, options=IN_ANOTHER_ORDER, why=ORDER),
    reader("conv-lstm-shuffled", CONV_LSTM_SHUFFLED, options=CONVOLVED | IN_ANOTHER_ORDER,
           against="conv-lstm", why=ORDER),
    reader("lstm-minimal", "row LSTM with minimal augmentation", network="cnn_lstm", augmentation=MINIMAL),
    reader("lstm-slow", LSTM_SLOW, network="cnn_lstm", learning_rate=1e-4, why=SLOW),
    reader("conv-lstm-minimal", CONV_LSTM_MINIMAL, options=READ_CONVOLVED, augmentation=MINIMAL, against="2"),
    reader("conv-dense-minimal", CONV_DENSE_MINIMAL, options=CONVOLVED | {"recurrent": False},
           augmentation=MINIMAL, against="conv-lstm-minimal"),
    like_2("2-bfloat16", "row 2, its convolutions in bfloat16", precision="bfloat16", why=QUICKLY),
    like_2_quickly("se", "row 2 with squeeze-and-excitation", **block("squeeze_excite")),
    like_2_quickly("cbam", "row 2 with CBAM", **block("cbam")),
    like_2_quickly("bn", "row 2 with batch normalisation", **block("batch_normalisation")),
    like_2_quickly("bn-convolutions", "row 2 with batch normalisation in its convolutions alone",
                   **block("batch_normalisation", normalise_dense=False), why=BN_CONVOLUTIONS, seeds=3),
    like_2("bn-convolutions-float32", "bn-convolutions in float32, 3 epochs", **block("batch_normalisation",
           normalise_dense=False), against="bn-convolutions", why=FLOAT32, epochs=3, patience=None, seeds=3),
    like_2("equal-parameters", EQUAL_PARAMETERS, options=AS_SMALL_AS_LSTM, seeds=3),
    like_2("equal-latency", EQUAL_LATENCY, options=AS_FAST_AS_LSTM, why=AS_FAST),
    like_2(
        "equal-parameters-plain", EQUAL_PARAMETERS_PLAIN, options=AS_SMALL_AS_LSTM,
        augmentation=None, seeds=3, against="LSTM", why=UNTOLD,
    ),
    like_2(
        "equal-latency-plain", EQUAL_LATENCY_PLAIN, options=AS_FAST_AS_LSTM,
        augmentation=None, seeds=3, against="LSTM", why=UNTOLD,
    ),
    like_2_quickly("ferplus", "row 2 trained on the majority of FER+'s votes", labels="ferplus", why=FERPLUS),
    like_2_quickly("unrepeated", UNREPEATED, leave_out_duplicates=True),
    like_2("plain", "row 2 without augmentation", augmentation=None, why=NOTE_BLANK, seeds=3),
    small("1-plain", (32, 64), (256,), dropout=0.4, augmentation=None, title="row 1 without augmentation",
          against="1", why=PLAIN_1, seeds=3),
    like_2("full", "row 2 turned, scaled and moved by 10 %", augmentation=FULL, why=NOTE_BLANK),
    like_2("released", "row 2 with the released cnn's augmentation", augmentation=RELEASED, why=NOTE_BLANK),
    like_2("cosine", COSINE, epochs=50, patience=None, schedule="cosine", why=FALLING),
    like_2("as-study", AS_STUDY, hold_out=False, why=AS_CHOSEN),
    like_2("as-study-cosine", AS_STUDY_COSINE, epochs=50, patience=None, schedule="cosine", hold_out=False,
           why=BOTH),
    reader("lstm-raw", LSTM_RAW, network="cnn_lstm", options={"scale": 1.0}, why=TRY_LSTM),
    wide("wide-raw", title=WIDE_RAW, epochs=50, scale=1.0, against="4", why=TRY_4),
    wide("wide-raw-bare", title=RAW_BARE, epochs=30, dropout=0.0, scale=1.0, against="wide-raw",
         why=TRY_RAW_BARE),
    wide("17-raw", title=RAW_17, scale=1.0, against="17", epochs=50, dropout=0.5, patience=PATIENCE,
         learning_rate=1e-4, first_seed=10, why=TRY_17),
    wide("15-again", title=AGAIN_15, against="15", epochs=50, dense=128, dropout=0.5, first_seed=1,
         why=TRY_AGAIN_15, **ALL_AT_ONCE),
    wide("15-slow", title=SLOW_15, against="15", epochs=50, dense=128, dropout=0.5, learning_rate=1e-4,
         why=TRY_15, **ALL_AT_ONCE),
    wide("15-unweighted", title=UNWEIGHTED_15, against="15", epochs=50, dense=128, dropout=0.5,
         why=UNWEIGH_15, **ALL_AT_ONCE | {"class_weight": False}),
    wide("wide-bn", title=WIDE_BN, block="batch_normalisation", against="4", why=TRY_8),
    wide("wide-defaults", title=WIDE_DEFAULTS, against="4", why=TRY_DEFAULTS, seeds=3, **DEFAULTS),
)
# fmt: on
ROWS = {row.name: row for row in (*TABLE_ROWS, *FURTHER_ROWS)}
CURVES = ("2", "LSTM")
"""Rows whose scores are kept, for ROC curves."""


# --- what is trained on what -------------------------------------------------------------------------


def paper_split(dataset: Dataset) -> Dataset:
    """Returns all rows anew, split as the study splits them, and a validation part taken from its training.

    Each label's rows are shuffled with SPLIT_SEED; the share of them that the study prints as its test
    part becomes the test split: of FER2013's 35,887 rows exactly PRINTED_TEST_FACES. The study does not
    publish which; nor does it hold out a validation part, for which VALIDATION_SHARE of the rest is taken.
    The sha256 becomes that of the text '<old sha256> split=paper seed=<seed>'.
    """
    generator = np.random.default_rng(SPLIT_SEED)
    splits = np.full(len(dataset.labels), "train", f"U{max(map(len, SPLITS))}")
    for label, (train, test) in enumerate(zip(PRINTED_TRAIN_FACES, PRINTED_TEST_FACES, strict=True)):
        rows = generator.permutation(np.flatnonzero(dataset.labels == label))
        test_rows = round(len(rows) * test / (train + test))
        validation_rows = round((len(rows) - test_rows) * VALIDATION_SHARE)
        splits[rows[:test_rows]] = "test"
        splits[rows[test_rows : test_rows + validation_rows]] = "validation"
    text = f"{dataset.sha256} split=paper seed={SPLIT_SEED}"
    return replace(dataset, splits=splits, sha256=hashlib.sha256(text.encode()).hexdigest())


def dataset_of(row: Row, dataset: Dataset, *, split: str) -> Dataset:
    """Returns what the row is trained, chosen and tested on; every row has the same test split.

    dataset: as read. split: "paper" or "official". With FER+'s labels, images without a majority for one
    of the seven are left out of training and validation; the test split keeps FER2013's labels. Where
    nothing is held out the test split stands in the place of validation too, after all other rows.
    Raises DatasetError where FER+ is needed and missing, StudyError where a split would have no row.
    """
    divided = paper_split(dataset) if split == "paper" else dataset
    divided = divided if row.hold_out else without_validation(divided)
    tested = divided.splits == "test"
    keep = np.ones(len(divided.labels), bool)
    labels = divided.labels
    if row.labels == "ferplus":
        majority = majority_labels(read_votes(find_votes(dataset), dataset))
        keep &= tested | (majority >= 0)
        labels = np.where(tested, labels, majority)
    if row.leave_out_duplicates:
        keep[divided.rows("train")[duplicates_of(divided, split="train", of="test")]] = False
    for name in SPLITS:
        if not np.any(divided.splits[keep] == name):
            raise StudyError(f"{dataset.path}: expected faces for {name} on the {split} split, got none.")
    if keep.all() and labels is divided.labels:
        return divided
    # The field's old name stays in the text, so that results keep their sha256.
    text = f"{divided.sha256} labels={row.labels} leave_out_repeats={row.leave_out_duplicates}"
    if row.labels == "ferplus":
        text += f" votes={votes_sha256(find_votes(dataset))}"
    return replace(
        divided,
        faces=divided.faces[keep],
        labels=labels[keep],
        splits=divided.splits[keep],
        origins=[divided.origins[number] for number in np.flatnonzero(keep).tolist()],  # type: ignore[arg-type]
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def without_validation(dataset: Dataset) -> Dataset:
    """Returns the dataset with validation in training, and its test rows again, at the end, as validation."""
    tested = dataset.rows("test")
    again = np.concatenate([np.arange(len(dataset.labels)), tested])
    splits = np.where(dataset.splits == "validation", "train", dataset.splits)[again]
    splits[len(dataset.labels) :] = "validation"
    text = f"{dataset.sha256} validation=test"
    return replace(
        dataset,
        faces=dataset.faces[again],
        labels=dataset.labels[again],
        splits=splits,
        origins=[dataset.origins[number] for number in again.tolist()],
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def faces_of_labels(dataset: Dataset, name: str) -> tuple[int, ...]:
    """Returns how many faces of each label a split has, in the order of LABELS."""
    counts = np.bincount(dataset.labels[dataset.rows(name)], minlength=len(LABELS))
    return tuple(int(count) for count in counts)
