/** From a detector's box to the face that a model takes: box -> square -> 48x48 gray pixels. */
import { FerkitError } from "./errors.js";
import { cutGray, resizeLinear, shrink, type Frame } from "./pixels.js";
import type { CropRule } from "./types.js";

export const FACE_SIDE = 48;
const LARGEST_SIDE = 16384; // a box this large is a mistake

/**
 * The square `[left, top, side]` of a box, in whole pixels; it may leave the frame on any side.
 *
 * @param box x, y, width, height in pixels, the last two above 0
 */
export function squareOf(box: ArrayLike<number>, rule: CropRule): [number, number, number] {
  const [x, y, width, height] = Array.from(box);
  const longer = Math.max(width, height) * rule.scale;
  if (
    ![x, y, width, height].every(Number.isFinite) ||
    width <= 0 ||
    height <= 0 ||
    !(longer <= LARGEST_SIDE)
  ) {
    throw new FerkitError(
      "source",
      `Expected a box (x, y, width, height) of up to ${LARGEST_SIDE} pixels, got ${Array.from(box).join(", ")}.`,
    );
  }
  const side = Math.max(1, round(longer));
  const left = round(x + width / 2 + rule.shift_x * side - side / 2);
  const top = round(y + height / 2 + rule.shift_y * side - side / 2);
  return [left, top, side];
}

/** The face in a box, 48 * 48 bytes of gray 0-255, row by row; the arithmetic of Python's `crop_face`. */
export function cropFace(frame: Frame, box: ArrayLike<number>, rule: CropRule): Uint8Array {
  const [left, top, side] = squareOf(box, rule);
  const square = cutGray(frame, left, top, side, side);
  if (side > FACE_SIDE) return shrink(square, FACE_SIDE, FACE_SIDE).data;
  return resizeLinear(square, FACE_SIDE, FACE_SIDE).data;
}

/** Rounds to the nearest whole number, halves up. */
export function round(value: number): number {
  return Math.floor(value + 0.5);
}
