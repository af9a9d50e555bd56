"""Every experiment, with its reason: those of the study's Tables 3 and 4, and what follows up on them."""

from .experiment import (
    FULL,
    MINIMAL,
    PATIENCE,
    RELEASED,
    block,
    like_2,
    like_2_bfloat16,
    like_lstm,
    small_cnn,
    wide_cnn,
)

TABLE_EXPERIMENTS = (
    small_cnn(
        "1", (32, 64), (256,), dropout=0.4,
        why="Other rows of Table 3 say 'without augmentation', this one does not: minimal augmentation. "
            f"Early stopping cut its 100 epochs; its patience is not printed: {PATIENCE} epochs. Adam at "
            "0.001, batches of 64.",
    ),
    small_cnn("2", (32, 64, 128, 256), (256, 512), why="As experiment 1."),
    small_cnn("3", (32, 64, 128), (256,), why="As experiment 1."),
    wide_cnn(
        "4", epochs=50,
        why="'50' without early stopping: 50 epochs. Adam at 0.001 where no rate is printed, batches of "
            "64. Convolutions in bfloat16 save time.",
    ),
    wide_cnn(
        "5", first_seed=10,
        why="Blank but for 'without augmentation', and printed within a seed's reach of row 4: experiment "
            "4 with another seed. 20 epochs: experiment 4's validation accuracy is 57.8 % in the seventh, "
            "at best 58.1 % in its 50.",
    ),
    wide_cnn("6", first_seed=20, why="As experiment 5."),
    wide_cnn("7", first_seed=30, why="As experiment 5."),
    wide_cnn(
        "8", first_seed=40,
        why="As experiment 5, although it is printed 7 points above rows 4 to 7, which no seed makes.",
    ),
    wide_cnn(
        "9", epochs=100, first_seed=50,
        why="Experiment 4 for 100 epochs: nothing else is printed. Its 99.52 % say that nothing stopped it "
            "early.",
    ),
    wide_cnn(
        "10", augmentation=MINIMAL,
        why="Experiment 4 with minimal augmentation. Epochs blank: 20. A printed training accuracy below "
            "the test's says that they were few.",
    ),
    wide_cnn(
        "11", augmentation=MINIMAL, first_seed=10,
        why="Blank throughout, and printed within a seed's reach of row 10: experiment 10 with another "
            "seed.",
    ),
    wide_cnn(
        "12", augmentation=MINIMAL, class_weight=True,
        why="Experiment 10 with class weights, as printed: each class weighs by the inverse of its share.",
    ),
    wide_cnn(
        "13", dropout=0.5,
        why="Experiment 4 with a dropout of 0.5, as printed. 20 epochs, as experiment 5.",
    ),
    wide_cnn(
        "14", epochs=25, dense=128, dropout=0.5, learning_rate=1e-4,
        why="'1e-4' is taken for Adam's learning rate. Epochs blank: 25, after which row 17, of the same "
            "rate, was stopped.",
    ),
    wide_cnn(
        "15", epochs=50, dense=128, dropout=0.5, augmentation=FULL, class_weight=True, patience=PATIENCE,
        why="'Augmentation', not 'minimal': rotated by 10 degrees, scaled and shifted by 10 %. Early "
            "stopping as in experiment 2, whether it happens or not. Epochs blank: 50, as experiment 4.",
    ),
    wide_cnn(
        "16", epochs=25, dropout=0.5, learning_rate=1e-4,
        why="As experiment 14. It is printed with the figures of row 13, to the digit: one of the two may "
            "be a misprint.",
    ),
    wide_cnn(
        "17", epochs=50, dropout=0.5, patience=PATIENCE, learning_rate=1e-4, first_seed=10,
        why="Experiment 16 with early stopping; 99.37 % in training leave no room for augmentation. It is "
            "printed with the figures of row 14, to the digit: one may be a misprint, and 99.37 % after 25 "
            "epochs at 1e-4 would be quick. At most 50 epochs, as experiment 4.",
    ),
    like_lstm(
        "LSTM", network="cnn_lstm", against="2",
        why=f"As printed. Adam at 0.001, batches of 64, a patience of {PATIENCE} epochs.",
    ),
)  # fmt: skip

FOLLOW_UPS = (
    # --- convolutions and recurrence
    like_lstm(
        "rows-dense", options={"recurrent": False, "units": 32},
        title="rows read by dense 64, then dense 32 on all: no recurrence, as many weights as the LSTM",
        why="Whether recurrence helps to read rows of pixels.",
    ),
    like_lstm(
        "conv-lstm", options={"convolutions": (32, 64), "recurrent": True},
        title="conv 32, 64; dense 64 on each of 12 rows; LSTM 128: a CNN-LSTM with convolutions",
        why="The study calls a front end without convolutions unconventional: what convolutions add.",
    ),
    like_lstm(
        "conv-dense", options={"convolutions": (32, 64), "recurrent": False}, against="conv-lstm",
        title="conv 32, 64; dense 64 on each of 12 rows; dense 128: conv-lstm without recurrence",
        why="Whether recurrence helps behind convolutions.",
    ),
    like_lstm(
        "lstm-shuffled", options={"recurrent": True, "order_seed": 0},
        title="experiment LSTM, reading the 48 rows in one random order, the same for every face",
        why="What reading from top to bottom is worth: a random order takes it away. Seed 0 draws the "
            "order.",
    ),
    like_lstm(
        "conv-lstm-shuffled", against="conv-lstm",
        options={"convolutions": (32, 64), "recurrent": True, "order_seed": 0},
        title="conv-lstm, reading the 12 rows in one random order, the same for every face",
        why="As lstm-shuffled, behind convolutions.",
    ),
    like_lstm(
        "lstm-minimal", network="cnn_lstm", augmentation=MINIMAL,
        title="experiment LSTM with minimal augmentation",
        why="The printed CNN-LSTM has no augmentation: what it adds.",
    ),
    like_lstm(
        "lstm-slow", network="cnn_lstm", learning_rate=1e-4,
        title="experiment LSTM with a tenth of the learning rate",
        why="The printed accuracy in training is no higher than that in the test; experiment LSTM passes "
            "it in epoch 11. A tenth of the learning rate overfits less in as many epochs.",
    ),
    like_lstm(
        "conv-lstm-minimal", options={"convolutions": (32, 64), "recurrent": True}, augmentation=MINIMAL,
        against="2", title="conv-lstm with minimal augmentation",
        why="How near a CNN-LSTM with convolutions and augmentation comes to experiment 2.",
    ),
    like_lstm(
        "conv-dense-minimal", options={"convolutions": (32, 64), "recurrent": False}, augmentation=MINIMAL,
        against="conv-lstm-minimal",
        title="conv-dense with minimal augmentation: conv-lstm-minimal without recurrence",
        why="Whether recurrence helps with augmentation too.",
    ),
    # --- blocks
    like_2(
        "2-bfloat16", precision="bfloat16", title="experiment 2, its convolutions in bfloat16",
        why="Convolutions in bfloat16 train in three fifths of the time: what they change. Experiments "
            "that use them are compared with this one.",
    ),
    like_2_bfloat16(
        "se", **block("squeeze_excite"), title="experiment 2 with squeeze-and-excitation",
        why="The study names attention as the next step: attention to channels.",
    ),
    like_2_bfloat16(
        "cbam", **block("cbam"), title="experiment 2 with CBAM",
        why="The study names attention as the next step: attention to channels and positions.",
    ),
    like_2_bfloat16(
        "bn", **block("batch_normalisation"), title="experiment 2 with batch normalization",
        why="The tutorial whose folders may be the study's split normalises all its layers.",
    ),
    like_2_bfloat16(
        "bn-convolutions", **block("batch_normalisation", normalise_dense=False), seeds=3,
        title="experiment 2 with batch normalization in its convolutions alone",
        why="Normalised before the dense layers, not in them: whether those still learn.",
    ),
    like_2(
        "bn-convolutions-float32", **block("batch_normalisation", normalise_dense=False),
        against="bn-convolutions", epochs=3, patience=None, seeds=3,
        title="bn-convolutions in float32, 3 epochs",
        why="All experiments that do not learn compute their convolutions in bfloat16: whether that is "
            "why.",
    ),
    # --- as small, or as fast, as the CNN-LSTM
    like_2(
        "equal-parameters", options={"filters": (9, 18, 36, 72), "dense": (86, 172)}, seeds=3,
        title="experiment 2 in small: conv 9-72, dense 86 & 172, with the parameters of experiment LSTM",
        why="Whether the CNN leads because it is larger.",
    ),
    like_2(
        "equal-latency", options={"filters": (16, 32, 80, 160), "dense": (160, 320)},
        title="experiment 2 in small: conv 16-160, dense 160 & 320, about as fast as experiment LSTM",
        why="Whether the CNN leads because it is slower. Widths in about experiment 2's proportions, in "
            "steps of 16, with which a face takes about as long as with experiment LSTM.",
    ),
    like_2(
        "equal-parameters-plain", options={"filters": (9, 18, 36, 72), "dense": (86, 172)}, seeds=3,
        augmentation=None, against="LSTM", title="equal-parameters without augmentation",
        why="Experiment LSTM has no augmentation, as printed: this CNN has none either. Its dropout stays.",
    ),
    like_2(
        "equal-latency-plain", options={"filters": (16, 32, 80, 160), "dense": (160, 320)}, seeds=3,
        augmentation=None, against="LSTM", title="equal-latency without augmentation",
        why="As equal-parameters-plain.",
    ),
    # --- labels and faces
    like_2_bfloat16(
        "ferplus", labels="ferplus", title="experiment 2 trained on the majority of FER+'s votes",
        why="What better labels bring. Images without a majority for one of the seven labels are left out "
            "of training and validation.",
    ),
    like_2_bfloat16(
        "without-duplicates", leave_out_duplicates=True, former_name="unrepeated",
        title="experiment 2 without the training samples whose image is in the test split",
        why="A split by samples leaves images that FER2013 holds more than once on both sides.",
    ),
    # --- what the study does not print, and may have done
    like_2(
        "plain", augmentation=None, seeds=3, title="experiment 2 without augmentation",
        why="The study does not print row 2's augmentation: none.",
    ),
    small_cnn(
        "1-plain", (32, 64), (256,), dropout=0.4, augmentation=None, seeds=3, against="1",
        title="experiment 1 without augmentation",
        why="Row 1's printed 90.70 % in training may have come without augmentation.",
    ),
    like_2(
        "full", augmentation=FULL, title="experiment 2 rotated by 10 degrees, scaled and shifted by 10 %",
        why="The study does not print row 2's augmentation: more of it.",
    ),
    like_2(
        "released", augmentation=RELEASED, title="experiment 2 with the released cnn's augmentation",
        why="The study does not print row 2's augmentation: that of the released cnn.",
    ),
    like_2(
        "cosine", epochs=50, patience=None, schedule="cosine",
        title="experiment 2 for 50 epochs, the learning rate falling to 0 by a cosine",
        why="The study does not print a schedule of its rate. No early stopping: 50 epochs are about "
            "experiment 2's best epoch.",
    ),
    like_2(
        "as-study", hold_out=False,
        title="experiment 2 on all 28,821 training faces, stopped and chosen on the test faces",
        why="The study holds nothing out and chooses on the faces that it reports: what that adds.",
    ),
    like_2(
        "as-study-cosine", epochs=50, patience=None, schedule="cosine", hold_out=False,
        title="as-study for 50 epochs, the learning rate falling to 0 by a cosine",
        why="Experiments cosine and as-study bring experiment 2 nearer to its printed figure, each by a "
            "part: both together.",
    ),
    like_lstm(
        "lstm-raw", network="cnn_lstm", options={"scale": 1.0},
        title="experiment LSTM on pixels 0-255, not rescaled to 0-1",
        why="Experiment LSTM passes its printed accuracy in training in epoch 11. On pixels that are not "
            "rescaled experiment 4 learns more slowly (wide-raw): whether LSTM does too.",
    ),
    wide_cnn(
        "wide-raw", epochs=50, scale=1.0, against="4",
        title="experiment 4 on pixels 0-255, not rescaled to 0-1",
        why="Row 4 is printed 6 points below ours at about the same accuracy in training: whether its "
            "pixels were not rescaled. As many epochs as experiment 4.",
    ),
    wide_cnn(
        "wide-raw-bare", epochs=30, dropout=0.0, scale=1.0, against="wide-raw",
        title="wide-raw without dropout, 30 epochs",
        why="Experiment wide-raw comes near the printed test accuracies of rows 4 to 7 and 9, but learns "
            "too slowly for those in training. Without dropout a network learns faster.",
    ),
    wide_cnn(
        "17-raw", epochs=50, dropout=0.5, patience=PATIENCE, learning_rate=1e-4, first_seed=10, scale=1.0,
        against="17", title="experiment 17 on pixels 0-255, not rescaled to 0-1",
        why="Experiment 17 stops an epoch after its print, 1.2 points below its accuracy in training, but "
            "4.8 above its test's; row 14, printed with the same figures, is 3.9 above: whether its pixels "
            "were not rescaled.",
    ),
    wide_cnn(
        "15-again", epochs=50, dense=128, dropout=0.5, augmentation=FULL, class_weight=True,
        patience=PATIENCE, first_seed=1, against="15", title="experiment 15 with another seed",
        why="Early stopping, which did not happen in the study, ends experiment 15 after 14 epochs at "
            "chance. 15-slow with its second seed begins to learn after 21: whether 15 does with another "
            "seed.",
    ),
    wide_cnn(
        "15-slow", epochs=50, dense=128, dropout=0.5, augmentation=FULL, class_weight=True, patience=PATIENCE,
        learning_rate=1e-4, against="15",
        title="experiment 15 with a tenth of the learning rate, that of 14, 16 and 17",
        why="At 0.001 experiment 15 has not begun to learn when it is stopped. Its rate is not printed, "
            "and those of the rows around it are 1e-4.",
    ),
    wide_cnn(
        "15-unweighted", epochs=50, dense=128, dropout=0.5, augmentation=FULL, patience=PATIENCE,
        against="15", title="experiment 15 without class weights",
        why="Experiment 15 has class weights, augmentation and a dropout of 0.5 at once, and is at chance. "
            "12, with class weights, less augmentation and less dropout, learns.",
    ),
    wide_cnn(
        "wide-bn", block="batch_normalisation", against="4",
        title="experiment 4 with batch normalization, 20 epochs",
        why="Whether batch normalization explains the printed 7 points between row 8 and rows 4 to 7.",
    ),
    wide_cnn(
        "wide-defaults", initializer="glorot_uniform", padding="valid", seeds=3, against="4",
        title="experiment 4 with Keras's defaults: convolutions without padding, Glorot's initializer; 20 "
            "epochs",
        why="The study prints neither initializer nor padding. Ours are He's, made for ReLU, and 'same'. "
            "Who names none gets Keras's defaults, Glorot's smaller weights and no padding. 20 epochs, as "
            "experiment 5.",
    ),
)  # fmt: skip

EXPERIMENTS = {experiment.name: experiment for experiment in (*TABLE_EXPERIMENTS, *FOLLOW_UPS)}

CURVES = ("2", "LSTM")
"""Experiments whose scores are kept, for ROC curves."""
