"""Readers of boxes, with whole and with damaged files."""

import json

import cv2
import numpy as np
import pytest

from dataset.detection.annotations import find_annotations, read_coco, read_csv, read_voc, read_wider
from dataset.detection.images import DataError, ImageStore

VOC = """<annotation><filename>{name}</filename>
<object><name>{kind}</name><difficult>{difficult}</difficult>
<bndbox><xmin>10</xmin><ymin>20</ymin><xmax>40</xmax><ymax>60</ymax></bndbox></object></annotation>"""


def test_a_csv():
    text = "file,x,y,width,height,kind\na.jpg,1,2,30,40,mask\na.jpg,5,6,7.5,8,none\nb.jpg,0,0,0,9,none\n"
    found = read_csv(text, "boxes.csv")
    assert found["a.jpg"].tolist() == [[1, 2, 30, 40, 0], [5, 6, 7.5, 8, 0]]
    assert found["b.jpg"].shape == (0, 5)  # a box without width


def test_wider_face():
    text = (
        "0--Parade/a.jpg\n2\n10 20 30 40 0 0 0 0 0 0\n50 60 7 8 2 0 0 1 0 0\n"
        "0--Parade/none.jpg\n0\n0 0 0 0 0 0 0 0 0 0\n"
    )
    found = read_wider(text, "wider_face_train_bbx_gt.txt")
    assert found["0--Parade/a.jpg"].tolist() == [[10, 20, 30, 40, 0], [50, 60, 7, 8, 1]]
    assert found["0--Parade/none.jpg"].shape == (0, 5)


def coco(**changes):
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}],
        "categories": [{"id": 7, "name": "human face"}, {"id": 8, "name": "dog"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 7, "bbox": [1, 2, 30, 40]},
            {"id": 2, "image_id": 1, "category_id": 8, "bbox": [5, 5, 5, 5]},
            {"id": 3, "image_id": 1, "category_id": 7, "bbox": [6, 7, 8, 9], "iscrowd": 1},
        ],
    }
    return json.dumps(content | changes)


PETS = [{"id": 7, "name": "cat"}, {"id": 8, "name": "dog"}]


def annotation(image, width):
    return {"id": 9, "image_id": image, "category_id": 7, "bbox": [1, 2, width, 4]}


def test_coco():
    found = read_coco(coco(), "faces.json")
    assert found["a.jpg"].tolist() == [[1, 2, 30, 40, 0], [6, 7, 8, 9, 1]]
    assert found["b.jpg"].shape == (0, 5)


def test_voc():
    files = [
        (VOC.format(name="a.jpg", kind="with_mask", difficult=0), "a.xml"),
        (VOC.format(name="b.jpg", kind="dog", difficult=0), "b.xml"),
        (VOC.format(name="c.jpg", kind="face", difficult=1), "c.xml"),
    ]
    found = read_voc(files)
    assert found["a.jpg"].tolist() == [[10, 20, 30, 40, 0]]
    assert found["b.jpg"].shape == (0, 5)
    assert found["c.jpg"].tolist() == [[10, 20, 30, 40, 1]]


@pytest.mark.parametrize(
    ("reader", "text", "message"),
    [
        (read_csv, "file,x,y,width\na,1,2,3\n", "expected a column height"),
        (read_csv, "file,x,y,width,height\na.jpg,1,2,three,4\n", "line 2, width: .* number, got 'three'"),
        (read_csv, "file,x,y,width,height\na.jpg,1,2,inf,4\n", "expected a number, got 'inf'"),
        (read_wider, "a.jpg\n3\n1 2 3 4\n", "expected 3 faces of a.jpg, got 1"),
        (read_wider, "a.jpg\nmany\n", "line 2, the number of faces: expected a number, got 'many'"),
        (read_wider, "a.jpg\n1\n1 2 3\n", "line 3: expected x y width height"),
        (read_wider, "a.jpg", "expected a number"),
        (read_coco, "{", "expected COCO's images"),
        (read_coco, "[1, 2]", "expected COCO's images"),
        (read_coco, coco(images=None), "expected COCO's images"),
        (read_coco, coco(categories=PETS), "expected a class"),
        (read_coco, coco(annotations=[annotation(1, "x")]), "expected a number"),
        (read_coco, coco(annotations=[annotation(5, 3)]), "expected COCO's images"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_named_with_what_is_wrong(reader, text, message):
    with pytest.raises(DataError, match=message) as caught:
        reader(text, "damaged.file")
    assert "damaged.file" in str(caught.value)
    assert caught.value.path == "damaged.file"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<annotation>", "expected VOC's XML"),
        ("<annotation></annotation>", "expected VOC's <filename>"),
        (VOC.format(name="a.jpg", kind="face", difficult=0).replace(">10<", ">ten<"), "expected a number"),
    ],
)
def test_a_damaged_voc_file(text, message):
    with pytest.raises(DataError, match=message):
        read_voc([(text, "a.xml")])


def write_image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((40, 60, 3), 128, np.uint8))


def test_annotations_are_found_beside_the_images(tmp_path):
    write_image(tmp_path / "images" / "0--Parade" / "a.jpg")
    assert find_annotations(ImageStore(tmp_path)) is None
    (tmp_path / "wider_face_train_bbx_gt.txt").write_text("0--Parade/a.jpg\n1\n1 2 3 4 0 0 0 0 0 0\n")
    found = find_annotations(ImageStore(tmp_path))
    assert list(found) == ["images/0--Parade/a.jpg"]
    (tmp_path / "other.csv").write_text("id,age\n1,2\n")  # a CSV of something else is left alone
    assert list(find_annotations(ImageStore(tmp_path))) == ["images/0--Parade/a.jpg"]
    (tmp_path / "boxes.csv").write_text("file,x,y,width,height\na.jpg,1,2,3,4\n")
    assert find_annotations(ImageStore(tmp_path))["images/0--Parade/a.jpg"].tolist() == [[1, 2, 3, 4, 0]]


def test_annotations_of_images_that_are_not_there_are_refused(tmp_path):
    write_image(tmp_path / "a.jpg")
    (tmp_path / "boxes.csv").write_text("file,x,y,width,height\nother.jpg,1,2,3,4\n")
    with pytest.raises(DataError, match=r"such as other.jpg, got none of them; give the folder"):
        find_annotations(ImageStore(tmp_path))


def test_a_name_that_two_images_have_is_refused(tmp_path):
    write_image(tmp_path / "one" / "a.jpg")
    write_image(tmp_path / "two" / "a.jpg")
    (tmp_path / "boxes.csv").write_text("file,x,y,width,height\na.jpg,1,2,3,4\n")
    with pytest.raises(DataError, match=r"expected one image a.jpg, got 2"):
        find_annotations(ImageStore(tmp_path))
