import hashlib
import json
from pathlib import Path

import pytest

from reporting.files import (
    ROOT,
    FolderError,
    make_folder,
    place_of_report,
    place_of_results,
    replacing,
    sha256_of,
    write_atomically,
    write_json,
)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "results.json"
    write_json(path, {"accuracy": float("nan"), "rows": [{"median_ms": 0.5}]})
    old = path.read_text()
    assert json.loads(old) == {"accuracy": None, "rows": [{"median_ms": 0.5}]}
    with pytest.raises(TypeError):
        write_json(path, {"rows": object()})
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\ud800")
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        temporary.write_text("half of it")
        raise KeyboardInterrupt
    assert path.read_text() == old
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path):
    (tmp_path / "page.md").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        write_atomically(tmp_path / "page.md", "text")
    assert caught.value.filename == str(tmp_path / "page.md")
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]


def test_folders_are_made_for_a_file(tmp_path):
    write_atomically(tmp_path / "a" / "b" / "page.md", "Größe\n")
    assert (tmp_path / "a" / "b" / "page.md").read_bytes() == "Größe\n".encode()


def test_a_file_that_does_not_change_can_be_left_alone(tmp_path):
    path = tmp_path / "page.md"
    write_atomically(path, "same")
    before = path.stat()
    write_atomically(path, b"same", only_changes=True)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    write_atomically(path, "other", only_changes=True)
    assert path.read_text() == "other"


def test_a_temporary_file_can_keep_the_ending(tmp_path):
    with replacing(tmp_path / "net.keras", keep_suffix=True) as temporary:
        assert (temporary.suffix, temporary.parent) == (".keras", tmp_path)
        temporary.write_bytes(b"weights")
    assert [path.name for path in tmp_path.iterdir()] == ["net.keras"]


def test_json_has_letters_of_every_language_and_the_indentation_that_was_asked_for(tmp_path):
    write_json(tmp_path / "card.json", {"name": "é", "shape": (1, 48)}, indent=2)
    assert (tmp_path / "card.json").read_text(encoding="utf-8") == (
        '{\n  "name": "é",\n  "shape": [\n    1,\n    48\n  ]\n}\n'
    )


def test_a_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_only_a_whole_measurement_replaces_what_is_committed():
    assert place_of_results("results/peers.json", whole=True) == Path("results/peers.json")
    assert place_of_results("results/peers.json", whole=False) == Path("benchmarks/out/peers.json")


def test_a_page_of_the_projects_results_is_in_reports_and_one_of_others_beside_them(tmp_path):
    assert place_of_report(ROOT / "results" / "study") == ROOT / "reports" / "study"
    assert place_of_report(ROOT / "results" / "peers.json") == ROOT / "reports" / "peers"
    assert place_of_report(tmp_path / "mine.json") == tmp_path / "mine"


def test_a_folder_that_can_not_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match=r"expected a folder that can be made and written") as caught:
        make_folder(tmp_path / "file")
    assert caught.value.path == tmp_path / "file"
    make_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
