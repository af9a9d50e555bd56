"""The questions that the experiments answer, each with the pairs of experiments that are compared for it."""

from typing import NamedTuple


class Pair(NamedTuple):
    """A change, in words, and the experiments before and after it."""

    change: str
    before: str
    after: str
    main: bool = False  # of the report's first table too


class Question(NamedTuple):
    """What is asked, why, and the pairs that answer it."""

    title: str
    words: str
    pairs: tuple[Pair, ...]


QUESTIONS = {
    "recurrence": Question(
        "Does the LSTM help?",
        "A still image has no temporal dimension, but its rows make a sequence. A dense layer with as many "
        "weights takes the LSTM's place, or the rows are read in a random order.",
        (
            Pair("LSTM instead of dense layer, on rows of pixels", "rows-dense", "LSTM", main=True),
            Pair("LSTM instead of dense layer, behind convolutions", "conv-dense", "conv-lstm", main=True),
            Pair("the same, with augmentation", "conv-dense-minimal", "conv-lstm-minimal"),
            Pair("rows of pixels in a random order", "LSTM", "lstm-shuffled"),
            Pair("LSTM on such rows instead of dense layer", "rows-dense", "lstm-shuffled"),
            Pair("rows in a random order, behind convolutions", "conv-lstm", "conv-lstm-shuffled"),
            Pair("LSTM on such rows instead of dense layer", "conv-dense", "conv-lstm-shuffled"),
        ),
    ),
    "convolutions": Question(
        "What does the CNN-LSTM lack?",
        "The study blames the missing temporal dimension, and calls a front end without convolutions "
        "unconventional. Convolutions are added, and CNNs made as small or as fast as the CNN-LSTM.",
        (
            Pair("two convolutions before the LSTM", "LSTM", "conv-lstm", main=True),
            Pair("the same, with augmentation", "lstm-minimal", "conv-lstm-minimal"),
            Pair("two convolutions before the dense layer", "rows-dense", "conv-dense"),
            Pair("CNN instead of CNN-LSTM, as printed", "LSTM", "2", main=True),
            Pair("the same, without augmentation", "LSTM", "plain"),
            Pair("the same, both with augmentation", "lstm-minimal", "2"),
            Pair("CNN instead of CNN-LSTM with convolutions", "conv-lstm-minimal", "2"),
            Pair("CNN of equal parameters, without augmentation", "LSTM", "equal-parameters-plain"),
            Pair("the same, both with augmentation", "lstm-minimal", "equal-parameters"),
            Pair("CNN of equal latency, without augmentation", "LSTM", "equal-latency-plain"),
            Pair("the same, both with augmentation", "lstm-minimal", "equal-latency"),
            Pair("the CNN with the CNN-LSTM's parameters", "2", "equal-parameters"),
            Pair("the CNN with the CNN-LSTM's latency", "2", "equal-latency"),
        ),
    ),
    "augmentation": Question(
        "What does augmentation bring?",
        "Minimal augmentation mirrors half of the faces and shifts by up to 5 %.",
        (
            Pair("minimal augmentation, for the CNN-LSTM", "LSTM", "lstm-minimal", main=True),
            Pair("minimal augmentation, with convolutions", "conv-lstm", "conv-lstm-minimal"),
            Pair("minimal augmentation, for the CNN", "plain", "2", main=True),
            Pair("minimal augmentation, for the CNN of Table 3, row 1", "1-plain", "1"),
            Pair("minimal augmentation, for the wide CNN", "4", "10"),
            Pair("rotation, scale and more shift", "2", "full"),
            Pair("the released cnn's", "2", "released"),
        ),
    ),
    "blocks": Question(
        "What do attention and batch normalization bring?",
        "The study names attention as the next step.",
        (
            Pair("squeeze-and-excitation", "2-bfloat16", "se", main=True),
            Pair("CBAM", "2-bfloat16", "cbam", main=True),
            Pair("batch normalization", "2-bfloat16", "bn", main=True),
            Pair("batch normalization instead of squeeze-and-excitation", "se", "bn"),
            Pair("batch normalization in convolutions alone", "2-bfloat16", "bn-convolutions"),
            Pair("the same in float32, 3 epochs", "bn-convolutions", "bn-convolutions-float32"),
            Pair("batch normalization, wide CNN", "4", "wide-bn"),
            Pair("the same, against another seed", "5", "wide-bn"),
        ),
    ),
    "training": Question(
        "What does the way of training change?",
        "The study prints neither schedule nor seed, and chooses the epoch on the test faces.",
        (
            Pair("learning rate falls by a cosine", "2", "cosine", main=True),
            Pair("nothing held out, chosen on the test faces", "2", "as-study", main=True),
            Pair("both", "2", "as-study-cosine"),
            Pair("convolutions in bfloat16", "2", "2-bfloat16", main=True),
            Pair("dropout 0.5 instead of 0.3", "4", "13"),
            Pair("class weights", "10", "12", main=True),
            Pair("another seed", "5", "6"),
            Pair("another seed of 15", "15", "15-again"),
            Pair("15 without class weights", "15", "15-unweighted"),
            Pair("15 at a tenth of the rate", "15", "15-slow"),
            Pair("the CNN-LSTM at a tenth of the rate", "LSTM", "lstm-slow"),
            Pair("Keras's initializer and padding", "4", "wide-defaults"),
        ),
    ),
    "pixels": Question(
        "What do pixels that are not rescaled change?",
        "The tutorial whose folders may be the study's split does not rescale them to 0-1.",
        (
            Pair("pixels 0-255, wide CNN", "4", "wide-raw", main=True),
            Pair("then no dropout, 30 epochs", "wide-raw", "wide-raw-bare"),
            Pair("pixels 0-255, experiment 17", "17", "17-raw"),
            Pair("pixels 0-255, CNN-LSTM", "LSTM", "lstm-raw"),
        ),
    ),
    "labels": Question(
        "What do better labels and duplicates bring?",
        "FER+ has ten people's votes for each image. FER2013 holds many images more than once, and a split "
        "by samples puts some into training and test both.",
        (
            Pair("trained on the majority of FER+'s votes", "2-bfloat16", "ferplus"),
            Pair("duplicates left out of training", "2-bfloat16", "without-duplicates", main=True),
        ),
    ),
}

MAIN = tuple(pair for question in QUESTIONS.values() for pair in question.pairs if pair.main)
