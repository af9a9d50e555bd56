import { expect, test } from "vitest";
import { blazeface, decode, fitted } from "../src/blazeface.js";
import type { Network } from "../src/engine.js";
import { ferkit } from "../src/ferkit.js";
import { letterbox } from "../src/letterbox.js";
import type { Frame } from "../src/pixels.js";
import type { DetectorCard } from "../src/types.js";
import { crc32, frameOf, GOLDEN } from "./golden.js";

function plain(width: number, height: number, colour: number[]): Frame {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let place = 0; place < data.length; place += 4) data.set([...colour, 255], place);
  return { data, width, height };
}

test("a frame is reduced into the upper left corner, black beside it", () => {
  const { pixels, ratios } = letterbox(plain(640, 360, [100, 100, 100]), 320, 256);
  expect(ratios).toEqual([0.5, 0.5]);
  expect(pixels.subarray(0, 180 * 320).every((gray) => gray === 100)).toBe(true);
  expect(pixels.subarray(180 * 320).every((gray) => gray === 0)).toBe(true);
});

test("only a small frame is enlarged, to 200 pixels", () => {
  expect(letterbox(plain(100, 50, [1, 2, 3]), 320, 256).ratios).toEqual([2, 2]);
  expect(letterbox(plain(210, 50, [1, 2, 3]), 320, 256).ratios).toEqual([1, 1]);
  expect(letterbox(plain(1, 2, [1, 2, 3]), 320, 256).ratios).toEqual([100, 100]);
});

test("a long frame keeps a pixel of height", () => {
  expect(letterbox(plain(4000, 3, [9, 9, 9]), 320, 256).ratios).toEqual([0.08, 1 / 3]);
});

test("for BlazeFace a frame keeps its shape and colour, in the middle", () => {
  const { pixels, fit } = fitted(plain(640, 480, [10, 20, 30]));
  expect(fit).toEqual({ ratio: 5, left: 0, top: 16 });
  expect([...pixels.slice(0, 3)]).toEqual([0, 0, 0]);
  expect([...pixels.slice(3 * 128 * 16, 3 * 128 * 16 + 3)]).toEqual([10, 20, 30]);
  expect(pixels.at(-1)).toBe(0);
});

test("BlazeFace's boxes lie around their cells' centres", () => {
  const boxes = new Float32Array(896 * 16);
  const logits = new Float32Array(896).fill(-9);
  logits[2 * (16 * 3 + 5)] = 2; // of the finer grid the cell in row 3, column 5: centre 44, 28
  boxes.set([1, 2, 20, 30], 16 * 2 * (16 * 3 + 5));
  const [found] = decode(boxes, logits, { ratio: 2, left: 0, top: 8 });
  expect(found.box).toEqual([2 * (44 + 1 - 10), 2 * (28 + 2 - 15 - 8), 40, 60]);
  expect(found.confidence).toBeCloseTo(0.8808, 4);
});

/** What `ferkit` reads of a card. */
function cardOf({ width = 320, height = 256, candidates = 1680, threshold = 0.4, overlap = 0.4 } = {}) {
  const tensor = (name: string, shape: number[]) => ({ name, shape, dtype: "float32" });
  return {
    input: tensor("pixels", [1, height, width, 1]),
    outputs: {
      boxes: tensor("boxes", [1, candidates, 4]),
      confidences: tensor("confidences", [1, candidates]),
      eyes: tensor("eyes", [1, candidates, 4]),
    },
    threshold,
    overlap,
  } as DetectorCard;
}
const CARD = cardOf();

/** A network that finds these boxes, each x, y, width, height and a confidence. */
function finding(found: number[][], card = CARD): Network {
  const { boxes, confidences, eyes } = card.outputs;
  const candidates = confidences.shape[1]!;
  const outputs = [
    { ...eyes, data: new Float32Array(4 * candidates) },
    { ...confidences, data: Float32Array.from({ length: candidates }, (_, place) => found[place]?.[4] ?? 0) },
    { ...boxes, data: new Float32Array(4 * candidates) },
  ];
  found.forEach((box, place) => outputs[2].data.set(box.slice(0, 4), 4 * place));
  return {
    inputShape: card.input.shape as number[],
    outputs: outputs.map(({ name }) => name),
    outputShapes: outputs.map(({ shape }) => shape as number[]),
    run: () => outputs.map(({ data }) => data),
  };
}

test("boxes come back in pixels of the frame, one a face, the surest first", () => {
  const network = finding([
    [100, 100, 20, 20, 0.7],
    [10, 20, 30, 40, 0.8],
    [11, 20, 30, 40, 0.9],
    [0, 0, 9, 9, 0.39],
    [200, 100, 9, 9, Math.fround(0.4)],
  ]);
  const found = ferkit(network, CARD, "detector.tflite").detect(plain(640, 480, [100, 100, 100]));
  expect(found.map(({ box }) => box)).toEqual([
    [22, 40, 60, 80],
    [200, 200, 40, 40],
    [400, 200, 18, 18],
  ]);
});

interface GoldenLetterbox {
  name: string;
  frame: string;
  width: number;
  height: number;
  crc32: number;
  box: number[];
  on_frame: number[];
}
test.each(GOLDEN.letterboxes as GoldenLetterbox[])(
  "$name: pixels and box are Python's",
  ({ frame, width, height, crc32: sum, box, on_frame }) => {
    expect(crc32(Uint8Array.from(letterbox(frameOf(frame), width, height).pixels))).toBe(sum);
    const card = cardOf({ width, height });
    const [found] = ferkit(finding([[...box, 0.9]], card), card, "detector.tflite").detect(frameOf(frame));
    expect(found.box).toEqual(on_frame.map(Math.fround));
  },
);

test("letterboxes of every side have Python's pixels", () => {
  const { frame: name, crc32: sums } = GOLDEN.letterbox_sweep;
  const frame = frameOf(name);
  const got = sums.map((_: number, index: number) =>
    crc32(Uint8Array.from(letterbox(frame, index + 1, index + 1).pixels)),
  );
  expect(got).toEqual(sums);
});

interface GoldenSuppression {
  name: string;
  threshold: number;
  overlap: number;
  boxes: number[][];
  confidences: number[];
  kept: number[];
}
test.each(GOLDEN.suppressions as GoldenSuppression[])(
  "$name: the boxes kept are Python's",
  ({ threshold, overlap, boxes, confidences, kept }) => {
    const card = cardOf({ candidates: boxes.length, threshold, overlap });
    const network = finding(
      boxes.map((box, place) => [...box, confidences[place]]),
      card,
    );
    const found = ferkit(network, card, "detector.tflite").detect(plain(320, 256, [0, 0, 0])); // as large as the input
    expect(found.map(({ box }) => box)).toEqual(kept.map((place) => boxes[place].map(Math.fround)));
  },
);

test("a network that isn't its card's is refused", () => {
  const network = finding([]);
  for (const other of [
    { ...network, inputShape: [1, 128, 128, 3] },
    { ...network, outputs: ["a", "b", "c"] },
    { ...network, outputShapes: network.outputShapes.map(() => [1, 2]) },
  ])
    expect(() => ferkit(other, CARD, "detector.tflite")).toThrow(
      /^detector.tflite: expected the detector of its card/,
    );
});

test("a card's own rule is taken, else YuNet's, whose boxes ferkit's imitate", () => {
  const detector = ferkit(finding([]), CARD, "detector.tflite");
  const yunet = { scale: 1.1, shift_x: 0, shift_y: 0.02 };
  const own = { scale: 1.4, shift_x: 0, shift_y: 0 };
  const card = (crop: object) => ({ input: { crop } }) as never;
  expect(detector.cropFor(card({ yunet }))).toEqual(yunet);
  expect(detector.cropFor(card({ yunet, ferkit: own }))).toEqual(own);
});

test("a card's own rule for BlazeFace is taken, else one made from YuNet's", () => {
  const detector = blazeface({ inputShape: [], outputs: [], outputShapes: [], run: () => [] });
  const yunet = { scale: 1.1, shift_x: 0, shift_y: 0.02 };
  const own = { scale: 1.4, shift_x: 0, shift_y: 0 };
  const card = (crop: object) => ({ input: { crop } }) as never;
  expect(detector.cropFor(card({ yunet })).scale).toBeCloseTo(1.32);
  expect(detector.cropFor(card({ yunet, blazeface: own }))).toEqual(own);
});
