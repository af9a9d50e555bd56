/** Face detectors: a frame in, boxes out. */
import type { Detection } from "./boxes.js";
import type { Frame } from "./pixels.js";
import type { Card, CropRule } from "./types.js";

export type { Detection };

/** A loaded face detector. */
export interface Detector {
  readonly name: string;
  /** The faces of a frame, the surest first. */
  detect(frame: Frame): Detection[];
  /** How this detector's boxes are cut for a model. */
  cropFor(card: Card): CropRule;
}

/** What is known of a detector besides its file. */
export interface Rules {
  /** Below it a box is no face. */
  leastConfidence: number;
  cropFor(card: Card): CropRule;
}

/** How a frame was made to fit into a detector's input. */
export interface Fit {
  /** Pixels of the frame to one of the input. */
  readonly ratio: number;
  /** Where the frame's upper left corner lies in the input. */
  readonly left: number;
  readonly top: number;
}

/**
 * The frame in an input of another size: each pixel is the mean colour of the area of the frame that falls on it.
 *
 * @param around what the input holds beside the frame
 * @param centred whether the frame lies in the middle; else at the upper left
 * @returns pixels: red, green, blue of each
 */
export function letterbox(
  frame: Frame,
  width: number,
  height: number,
  { around, centred }: { around: number; centred: boolean },
) {
  const ratio = Math.max(frame.width / width, frame.height / height);
  const inner = [frame.width / ratio, frame.height / ratio].map((size) => Math.max(1, Math.round(size)));
  const left = centred ? (width - inner[0]) >> 1 : 0;
  const top = centred ? (height - inner[1]) >> 1 : 0;
  const pixels = new Float32Array(3 * width * height).fill(around);
  const columns = places(frame.width, inner[0]);
  const rows = places(frame.height, inner[1]);
  for (let y = 0; y < inner[1]; y++) {
    for (let x = 0; x < inner[0]; x++) {
      const to = 3 * ((top + y) * width + left + x);
      meanColour(frame, columns[x], columns[x + 1], rows[y], rows[y + 1], pixels, to);
    }
  }
  const fit: Fit = { ratio, left, top };
  return { pixels, fit };
}

/** The first pixel of each part, and the end of the last; no part is empty. */
function places(size: number, parts: number): number[] {
  return Array.from({ length: parts + 1 }, (_, part) => Math.floor((part * size) / parts));
}

function meanColour(
  { data, width }: Frame,
  left: number,
  right: number,
  top: number,
  bottom: number,
  pixels: Float32Array,
  to: number,
): void {
  let [red, green, blue] = [0, 0, 0];
  const end = Math.max(right, left + 1); // a frame that is enlarged has less than a pixel for each part
  const under = Math.max(bottom, top + 1);
  for (let y = top; y < under; y++) {
    for (let x = left, from = 4 * (y * width + left); x < end; x++, from += 4) {
      red += data[from];
      green += data[from + 1];
      blue += data[from + 2];
    }
  }
  const count = (end - left) * (under - top);
  pixels[to] = red / count;
  pixels[to + 1] = green / count;
  pixels[to + 2] = blue / count;
}
