"""`python -m train --model cnn`: trains on FER2013 or on your own faces."""

import argparse
import os
import shlex
import sys
from pathlib import Path

from dataset.fer2013 import Dataset
from dataset.load import load_dataset
from dataset.locate import DatasetError


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Returns the command line's arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m train",
        description="Trains on faces; a killed run resumes when the same command is given again.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--model",
        required=True,
        nargs="+",
        choices=["cnn", "cnn_lstm", "edge", "edge_tiny"],
        help="one or more",
    )
    parser.add_argument("--data", type=Path, help="fer2013.csv (.gz, .xz, .zip) or a folder of images")
    parser.add_argument(
        "--validation-share",
        type=float,
        metavar="SHARE",
        help="hold out this share of train, such as 0.1, where there is no validation split",
    )
    parser.add_argument("--out", type=Path, help="default: models/<model>.keras")
    parser.add_argument("--run-dir", type=Path, help="checkpoints and logs; default: runs/<model>")
    parser.add_argument(
        "--fine-tune",
        action="store_true",
        help="begin with the released weights and learn gently from the given labels alone",
    )
    parser.add_argument("--epochs", type=int, help="default: the released model's")
    parser.add_argument("--batch-size", type=int, help="default: the released model's")
    parser.add_argument("--learning-rate", type=float, help="default: the released model's")
    parser.add_argument("--cycle", type=int, help="epochs before the rate starts anew; default: the same")
    parser.add_argument("--weight-decay", type=float, help="above 0 makes Adam AdamW; default: the same")
    parser.add_argument("--warmup", type=int, help="epochs in which the rate rises from 0; default: the same")
    parser.add_argument("--votes", type=float, help="share of FER+'s votes in the targets; default: the same")
    parser.add_argument(
        "--votes-head", type=float, help="weight of a head for FER+'s votes; default: the same"
    )
    parser.add_argument(
        "--teachers", type=Path, nargs="+", metavar="FILE", help=".keras files; default: the released model's"
    )
    parser.add_argument("--teacher-share", type=float, help="their share of the targets; default: the same")
    parser.add_argument(
        "--teachers-see",
        choices=["augmented", "plain"],
        help="the pixels that the net sees, or each face once as it is; default: the same",
    )
    parser.add_argument(
        "--start", type=Path, metavar="FILE", help="weights to begin with, a .keras file; default: the same"
    )
    parser.add_argument("--balance", type=float, help="of rare classes, 0 to 1; default: the same")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], help="default: the released model's")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same weights")
    parser.add_argument(
        "--patience", type=int, default=20, help="epochs without a better validation accuracy"
    )
    parser.add_argument(
        "--degraded",
        type=float,
        metavar="SHARE",
        help="show this share of the faces small, noisy and compressed, for cameras that deliver such",
    )
    parser.add_argument("--no-augmentation", action="store_true", help="train on the faces as they are")
    parser.add_argument("--class-weight", action="store_true", help="let rare classes count as much")
    parser.add_argument(
        "--keep-duplicates",
        action="store_true",
        help="also train on images that stand in validation or test, are blank, or have two labels",
    )
    parser.add_argument("--restart", action="store_true", help="begin anew, even where a run could resume")
    options = parser.parse_args(arguments)
    for name, most in (
        ("weight_decay", 1),
        ("warmup", float("inf")),
        ("votes", 1),
        ("balance", 1),
        ("teacher_share", 1),
        ("degraded", 1),
        ("votes_head", float("inf")),
    ):
        value = getattr(options, name)
        if value is not None and not 0 <= value <= most:
            parser.error(f"--{name.replace('_', '-')}: expected 0 to {most}, got {value}.")
    for name in ("epochs", "batch_size", "learning_rate", "cycle", "patience"):
        value = getattr(options, name)
        if value is not None and not 0 < value < float("inf"):
            parser.error(f"--{name.replace('_', '-')}: expected a number above 0, got {value}.")
    if not 0 <= options.seed < 2**32:
        parser.error(f"--seed: expected 0 to {2**32 - 1}, got {options.seed}.")
    if options.out and (options.out.suffix != ".keras" or options.out.is_dir()):
        parser.error(f"--out: expected a file with the ending .keras, got {options.out}.")
    if options.run_dir and options.run_dir.exists() and not options.run_dir.is_dir():
        parser.error(f"--run-dir: expected a folder, got the file {options.run_dir}.")
    if options.no_augmentation and options.degraded:
        parser.error("--degraded is part of the augmentation: give it, or --no-augmentation.")
    if options.fine_tune and not options.out:
        parser.error("--fine-tune: expected --out as well, so that the released weights stay as they are.")
    if len(options.model) > 1 and (options.out or options.run_dir):
        parser.error("--out and --run-dir are for one model; give one --model, or neither.")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    options = parse(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    command = shlex.join(["python", "-m", "train", *(sys.argv[1:] if arguments is None else arguments)])
    try:
        dataset = load_dataset(options.data, validation_share=options.validation_share, progress=True)
        return train_models(options, dataset, command)
    except (DatasetError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. The same command goes on after the last whole epoch.", file=sys.stderr)
        return 130


def train_models(options: argparse.Namespace, dataset: Dataset, command: str) -> int:
    """Trains each of the models that the command line names; returns the exit status."""
    from dataset.ferplus import find_votes

    from .checkpoints import RunError  # after the data: importing Keras takes seconds
    from .training import check_settings, recipe_of, train

    recipes = {}  # what is wrong with any is said before the first model trains for hours
    for model in options.model:
        recipes[model] = recipe = {
            name: value if (given := getattr(options, name, None)) is None else given
            for name, value in recipe_of(model, fine_tune=options.fine_tune).items()
        }
        if options.teacher_share == 0:
            recipe["teachers"] = []
        if options.no_augmentation:
            recipe["augmentation"] = None
        elif options.degraded is not None:
            recipe["augmentation"] = recipe["augmentation"] | {"degraded": options.degraded}
        if recipe["votes"] or recipe["votes_head"]:
            find_votes(dataset)
        try:
            check_settings(**recipe, class_weight=options.class_weight)
        except RunError as error:
            print(f"{model}: {error}", file=sys.stderr)
            return 1
    for model, recipe in recipes.items():
        try:
            record = train(
                dataset,
                model=model,
                out=options.out or Path("models") / f"{model}.keras",
                run_dir=options.run_dir or Path("runs") / model,
                seed=options.seed,
                class_weight=options.class_weight,
                patience=options.patience,
                keep_duplicates=options.keep_duplicates,
                restart=options.restart,
                command=command,
                **recipe,
            )
        except RunError as error:
            print(error, file=sys.stderr)
            return 1
        accuracy = record["scores"]["validation"]["accuracy"]
        print(
            f"{model}: validation accuracy {accuracy:.2%} at epoch {record['best_epoch']} of "
            f"{record['epochs_trained']}, {record['seconds'] / 60:.0f} min, "
            f"{record['images_per_second']:.0f} images/s."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
