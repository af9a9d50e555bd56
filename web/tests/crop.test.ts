import { expect, test } from "vitest";
import { cropFace, squareOf } from "../src/crop.js";
import { FerkitError } from "../src/errors.js";
import { bytesOf, crc32, CROPS, frameOf, GOLDEN } from "./golden.js";

const RULE = { scale: 1, shift_x: 0, shift_y: 0 };

test.each(CROPS)("$name", ({ frame, box, scale, shift_x, shift_y, square, face }) => {
  const rule = { scale, shift_x, shift_y };
  expect(squareOf(box, rule)).toEqual(square);
  expect(cropFace(frameOf(frame), box, rule)).toEqual(bytesOf(face));
});

test("squares of every side give Python's faces", () => {
  const { frame: name, left, top, crc32: sums } = GOLDEN.sweep;
  const frame = frameOf(name);
  const got = sums.map((_: number, index: number) =>
    crc32(cropFace(frame, [left, top, index + 1, index + 1], RULE)),
  );
  expect(got).toEqual(sums);
});

test.each([[[0, 0, 0, 5]], [[0, 0, 5, -1]], [[NaN, 0, 5, 5]], [[0, Infinity, 5, 5]], [[0, 0, 20000, 5]]])(
  "the box %j is refused",
  (box) => {
    expect(() => squareOf(box, RULE)).toThrow(FerkitError);
  },
);
