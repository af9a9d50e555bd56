/** BlazeFace, short range: MediaPipe's detector of faces within two metres (Bazarevsky and others 2019). */
import { merge, type Detection, type FloatBox } from "./boxes.js";
import type { Detector } from "./detector.js";
import type { Network } from "./engine.js";
import type { Frame } from "./pixels.js";
import type { Card, CropRule } from "./types.js";

const SIDE = 128;
const LEAST_CONFIDENCE = 0.5; // as MediaPipe has it
const MOST_OVERLAP = 0.3; // boxes that overlap more are one face's; as MediaPipe has it
const VALUES = 16; // of a cell: x, y, width, height and six points
// Strides and boxes a cell, and of a cell of 8 pixels two boxes, of one of 16 pixels six.
const GRIDS = [
  { stride: 8, boxes: 2 },
  { stride: 16, boxes: 6 },
];
// YuNet's boxes, for which the cards have rules, against these: medians of 394 generated portraits. They reach
// further up, to the hair. In sides: of this box, then of YuNet's.
const LARGER = 1.2;
const HIGHER = -0.095;

/** The centres of the cells, in pixels of the input: x, y of every box. */
const CENTRES = GRIDS.flatMap(({ stride, boxes }) => {
  const cells = SIDE / stride;
  return Array.from({ length: cells * cells * boxes }, (_, index) => {
    const cell = Math.floor(index / boxes);
    return [((cell % cells) + 0.5) * stride, (Math.floor(cell / cells) + 0.5) * stride];
  });
});

/** How a frame was made to fit into the input. */
export interface Fit {
  /** Pixels of the frame to one of the input. */
  readonly ratio: number;
  /** Where the frame's upper left corner lies in the input. */
  readonly left: number;
  readonly top: number;
}

export function blazeface(network: Network): Detector {
  return {
    name: "blazeface",
    detect(frame: Frame): Detection[] {
      const { pixels, fit } = fitted(frame);
      const [one, other] = network.run(pixels.map((value) => value / 127.5 - 1));
      const [boxes, logits] = one.length > other.length ? [one, other] : [other, one];
      return merge(decode(boxes, logits, fit), MOST_OVERLAP);
    },
    cropFor(card: Card): CropRule {
      if (card.input.crop.blazeface) return card.input.crop.blazeface;
      const { scale, shift_x, shift_y } = card.input.crop.yunet;
      return { scale: LARGER * scale, shift_x, shift_y: shift_y + HIGHER / scale };
    },
  };
}

/**
 * @param boxes 16 numbers a box in pixels of the input, x and y from the cell's centre
 * @param logits one a box
 */
export function decode(boxes: Float32Array, logits: Float32Array, fit: Fit): Detection[] {
  const detections: Detection[] = [];
  logits.forEach((logit, index) => {
    const confidence = 1 / (1 + Math.exp(-logit));
    if (confidence < LEAST_CONFIDENCE) return;
    const [x, y, width, height] = boxes.subarray(index * VALUES, index * VALUES + 4);
    const left = CENTRES[index][0] + x - width / 2 - fit.left;
    const top = CENTRES[index][1] + y - height / 2 - fit.top;
    const box = [left, top, width, height].map((value) => value * fit.ratio) as FloatBox;
    if (width > 0 && height > 0) detections.push({ box, confidence });
  });
  return detections;
}

/**
 * The frame in the middle of the input, black beside it: each pixel is the mean colour of the frame's pixels there.
 *
 * @returns pixels: red, green, blue of each
 */
export function fitted(frame: Frame): { pixels: Float32Array; fit: Fit } {
  const ratio = Math.max(frame.width, frame.height) / SIDE;
  const [width, height] = [frame.width, frame.height].map((size) => Math.max(1, Math.round(size / ratio)));
  const fit = { ratio, left: (SIDE - width) >> 1, top: (SIDE - height) >> 1 };
  const pixels = new Float32Array(3 * SIDE * SIDE);
  const columns = places(frame.width, width);
  const rows = places(frame.height, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const to = 3 * ((fit.top + y) * SIDE + fit.left + x);
      meanColour(frame, columns[x], columns[x + 1], rows[y], rows[y + 1], pixels, to);
    }
  }
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
