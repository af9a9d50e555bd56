"""A session: which of its outputs failed is known by the output, not by what its error says."""

from pathlib import Path

import numpy as np
import pytest

from runtime.card import CardError, read_card
from runtime.command.lines import json_lines
from runtime.command.outputs import OutputError
from runtime.command.session import AnnotatedImages, Lines, Session
from runtime.command.sources import Images, SourceFrame
from runtime.images import SourceError, read_image
from runtime.recognizer import Face

LABELS = ("angry", "happy")
FACE = Face((1, 1, 9, 9), "happy", np.array([0.2, 0.8], np.float32), 0.9, LABELS)
IMAGE = np.zeros((16, 16, 3), np.uint8)
FULL = Path("/dev/full")


def frame(name="photo.png"):
    return SourceFrame(name, 0, 0.0, IMAGE)


def test_every_output_gets_every_frame(tmp_path, capsys):
    with Session() as session:
        session.add(AnnotatedImages(f"{tmp_path}/", Images([Path("photo.png")], "photo.png", kind="image")))
        session.add(Lines("json", str(tmp_path / "faces.jsonl"), json_lines))
        session.write(frame(), [FACE], IMAGE)
        session.close()
        session.finish()
    assert (tmp_path / "faces.jsonl").read_text() == json_lines(frame(), [FACE])
    assert (tmp_path / "photo.png").is_file()
    assert session.failures == []
    said = capsys.readouterr().err.splitlines()
    assert said == [f"ferkit: wrote {tmp_path}/", f"ferkit: wrote {tmp_path / 'faces.jsonl'}"]


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a disk that is always full")
def test_an_output_that_fails_is_named_and_the_others_are_whole(tmp_path, capsys):
    whole = tmp_path / "faces.csv"
    with Session() as session:
        session.add(Lines("csv", str(whole), json_lines))
        session.add(Lines("json", str(FULL), json_lines))
        with pytest.raises(OutputError) as caught:
            session.write(frame(), [FACE], None)
        session.close()
        session.finish()
    assert (caught.value.option, caught.value.path) == ("json", FULL)
    assert capsys.readouterr().err == f"ferkit: wrote {whole}\n"


def test_an_output_whose_name_begins_like_one_that_failed_is_whole(tmp_path, capsys):
    """`a:b` is a file's name; the message about `a` begins as one about `a:b` would."""
    failing, whole = tmp_path / "a", tmp_path / "a: b"
    with Session() as session:
        session.add(Lines("csv", str(whole), json_lines))
        session.add(Lines("json", str(failing), json_lines))
        session.write(frame(), [FACE], None)
        next(path for path in tmp_path.iterdir() if path.name.startswith(".a.")).unlink()
        session.close()
        session.finish()
    assert [failure.option for failure in session.failures] == ["json"]
    assert capsys.readouterr().err == f"ferkit: wrote {whole}\n"


def test_a_run_that_fails_before_its_first_frame_leaves_no_file(tmp_path):
    with pytest.raises(SourceError), Session() as session:
        session.add(Lines("json", str(tmp_path / "faces.jsonl"), json_lines))
        raise SourceError("no such file.", path="photo.png")
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_can_not_be_opened_is_named_with_its_option(tmp_path):
    with Session() as session, pytest.raises(OutputError) as caught:
        session.add(Lines("csv", str(tmp_path), json_lines))
    assert (caught.value.option, caught.value.path) == ("csv", tmp_path)
    assert str(caught.value) == f"{tmp_path}: {caught.value.problem}"


@pytest.mark.parametrize(("read", "kind"), [(read_image, SourceError), (read_card, CardError)])
def test_an_error_holds_the_path_beside_the_problem(tmp_path, read, kind):
    with pytest.raises(kind) as caught:
        read(tmp_path / "absent")
    assert Path(caught.value.path).name.startswith("absent")
    assert str(caught.value) == f"{caught.value.path}: {caught.value.problem}"
