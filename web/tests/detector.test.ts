import { expect, test } from "vitest";
import { blazeface, decode } from "../src/blazeface.js";
import { decodedBoxes } from "../src/decoded.js";
import { letterbox } from "../src/detector.js";
import type { Network } from "../src/engine.js";
import type { Frame } from "../src/pixels.js";
import { frameOf } from "./golden.js";

function plain(width: number, height: number, colour: number[]): Frame {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let place = 0; place < data.length; place += 4) data.set([...colour, 255], place);
  return { data, width, height };
}

test("a frame keeps its shape and colour in another size", () => {
  const { pixels, fit } = letterbox(plain(640, 480, [10, 20, 30]), 128, 128, { around: 7, centred: true });
  expect(fit).toEqual({ ratio: 5, left: 0, top: 16 });
  expect([...pixels.slice(0, 3)]).toEqual([7, 7, 7]);
  expect([...pixels.slice(3 * 128 * 16, 3 * 128 * 16 + 3)]).toEqual([10, 20, 30]);
  expect(pixels.at(-1)).toBe(7);
});

test("a smaller frame is enlarged", () => {
  const { pixels, fit } = letterbox(plain(1, 2, [1, 2, 3]), 8, 8, { around: 0, centred: false });
  expect(fit).toEqual({ ratio: 0.25, left: 0, top: 0 });
  expect([...pixels.slice(0, 3)]).toEqual([1, 2, 3]);
  expect([...pixels.slice(12, 15)]).toEqual([0, 0, 0]);
});

test("every pixel of a frame counts once", () => {
  const frame = frameOf("noise");
  const { pixels } = letterbox(frame, frame.width, frame.height, { around: 0, centred: false });
  expect(pixels.every((value, index) => value === frame.data[4 * Math.floor(index / 3) + (index % 3)])).toBe(
    true,
  );
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

test("of a decoded detector the boxes come back in pixels of the frame", () => {
  let given: Float32Array | undefined;
  const network: Network = {
    inputShape: [1, 192, 256, 1],
    outputs: ["confidences", "eyes", "boxes"],
    outputShapes: [],
    run(input) {
      given = input;
      const boxes = Float32Array.from([10, 20, 30, 40, 11, 20, 30, 40, 100, 100, 20, 20, 0, 0, 9, 9]);
      return [Float32Array.from([0.8, 0.9, 0.7, 0.1]), new Float32Array(16), boxes];
    },
  };
  const rule = { scale: 1.2, shift_x: 0, shift_y: 0 };
  const detector = decodedBoxes(network, "own", { leastConfidence: 0.5, cropFor: () => rule });
  const found = detector.detect(plain(640, 480, [100, 100, 100]));
  expect(given![0]).toBeCloseTo(100, 3);
  expect(found.map(({ box }) => box)).toEqual([
    [27.5, 50, 75, 100],
    [250, 250, 50, 50],
  ]);
  expect(() =>
    decodedBoxes({ ...network, outputs: ["a"] }, "own", { leastConfidence: 0.5, cropFor: () => rule }),
  ).toThrow(/boxes and confidences/);
});

test("a card's own rule for BlazeFace is taken, else one made from YuNet's", () => {
  const detector = blazeface({ inputShape: [], outputs: [], outputShapes: [], run: () => [] });
  const yunet = { scale: 1.1, shift_x: 0, shift_y: 0.02 };
  const own = { scale: 1.4, shift_x: 0, shift_y: 0 };
  const card = (crop: object) => ({ input: { crop } }) as never;
  expect(detector.cropFor(card({ yunet })).scale).toBeCloseTo(1.32);
  expect(detector.cropFor(card({ yunet, blazeface: own }))).toEqual(own);
});
