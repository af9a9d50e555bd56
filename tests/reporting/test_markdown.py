import pytest

from reporting.markdown import BlockError, one_line, rewrite_block, table

START, END = "<!-- benchmark:start -->", "<!-- benchmark:end -->"


def test_a_table_has_words_on_the_left_and_numbers_on_the_right():
    text = table(["model", "ms", "bytes"], [["edge", "0.2", "691"], ["cnn", "0.5", "1,170"]])
    assert text == "| model | ms | bytes |\n|---|---:|---:|\n| edge | 0.2 | 691 |\n| cnn | 0.5 | 1,170 |"
    assert table(["model", "labels"], [], left=2) == "| model | labels |\n|---|---|"


def test_a_padded_table_reads_as_one_in_a_terminal():
    text = table(["name", "n"], [["a", "1"], ["long name", "35,887"]], padded=True)
    assert text == (
        "| name      |      n |\n| --------- | -----: |\n| a         |      1 |\n| long name | 35,887 |"
    )


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="expected 2 cells in a row of the table, got 1"):
        table(["model", "ms"], [["edge", "0.2"], ["cnn"]])


def test_a_cell_keeps_to_one_line_and_one_column():
    assert one_line("a\n  b | c") == "a b \\| c"


def test_a_page_gets_the_block_between_the_markers_and_keeps_the_rest(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"# Kit\n\n{START}\nold\n{END}\n\nMore.\n")
    for _ in range(2):
        rewrite_block(page, "| new |", name="benchmark")
        assert page.read_text() == f"# Kit\n\n{START}\n| new |\n{END}\n\nMore.\n"


@pytest.mark.parametrize("text", ["# Kit\n", f"{START}\n", f"{END}\n{START}\n"])
def test_a_page_without_both_markers_in_order_is_refused_and_left_alone(tmp_path, text):
    page = tmp_path / "README.md"
    page.write_text(text)
    with pytest.raises(BlockError, match=r"README\.md: expected the lines") as caught:
        rewrite_block(page, "| new |", name="benchmark")
    assert caught.value.path == page
    assert caught.value.missing == (END if START in text else START)
    assert page.read_text() == text


def test_a_missing_page_is_refused_by_name(tmp_path):
    with pytest.raises(BlockError, match="got no such file"):
        rewrite_block(tmp_path / "README.md", "", name="benchmark")
