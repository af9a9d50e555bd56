import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { associate, merge, overlap, suppress, type FloatBox } from "../src/boxes.js";
import type { Frame } from "../src/pixels.js";
import { Tracker } from "../src/tracking.js";
import { frameOf } from "./golden.js";

const TRACKING = JSON.parse(readFileSync(new URL("data/tracking.json", import.meta.url), "utf8"));
const PORTRAIT = frameOf("portrait");
const CLOSE_PX = 0.05; // OpenCV correlates in float32, by way of Fourier transforms

/** The frame that tests/web/make_tracking.py makes. */
function frameWith(faces: number[][]): Frame {
  const { width, height } = TRACKING;
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 4) data.fill((x * 7 + y * 3) % 64, to, to + 4);
  }
  for (const [left, top, percent] of faces) {
    const rows = Math.floor((PORTRAIT.height * percent) / 100);
    const columns = Math.floor((PORTRAIT.width * percent) / 100);
    for (let y = Math.max(0, -top); y < rows && top + y < height; y++) {
      for (let x = Math.max(0, -left); x < columns && left + x < width; x++) {
        const row = Math.floor((y * 100) / percent);
        const from = 4 * (row * PORTRAIT.width + Math.floor((x * 100) / percent));
        data.set(PORTRAIT.data.subarray(from, from + 4), 4 * ((top + y) * width + left + x));
      }
    }
  }
  return { data, width, height };
}

test("faces are followed as Python follows them", () => {
  let boxes: number[][] = [];
  const detect = () =>
    boxes.map(([x, y, width, height, confidence]) => ({
      box: [x, y, width, height] as FloatBox,
      confidence,
    }));
  const rule = { scale: 1, shift_x: 0, shift_y: 0 };
  const tracker = new Tracker({ name: "scripted", detect, cropFor: () => rule }, TRACKING.detect_every);
  TRACKING.frames.forEach(
    (
      frame: { faces: number[][]; boxes: number[][]; tracks: { id: number; box: number[] }[] },
      number: number,
    ) => {
      boxes = frame.boxes;
      const tracks = tracker.follow(frameWith(frame.faces), number / 25);
      expect(
        tracks.map(({ id }) => id),
        `frame ${number}`,
      ).toEqual(frame.tracks.map(({ id }) => id));
      tracks.forEach(({ box }, place) =>
        box.forEach((side, index) =>
          expect(Math.abs(side - frame.tracks[place].box[index]), `frame ${number}`).toBeLessThan(CLOSE_PX),
        ),
      );
    },
  );
  expect(tracker.detections).toBe(TRACKING.detections);
});

test("a slow detector is asked seldom, and at least every 12 frames", () => {
  let nowMs = 0;
  const detect = () => ((nowMs += 50), []);
  const tracker = new Tracker(
    { name: "slow", detect, cropFor: () => ({ scale: 1, shift_x: 0, shift_y: 0 }) },
    undefined,
    () => nowMs,
  );
  for (let number = 0; number < 24; number++) tracker.follow(frameWith([]), number / 100);
  expect(tracker.detections).toBe(2);
});

test("boxes share their intersection over their union", () => {
  expect(overlap([0, 0, 2, 2], [1, 0, 2, 2])).toBeCloseTo(1 / 3);
  expect(overlap([0, 0, 2, 2], [2, 0, 2, 2])).toBe(0);
});

test("pairs go by falling overlap, each box once", () => {
  const boxes: FloatBox[] = [
    [0, 0, 10, 10],
    [2, 0, 10, 10],
  ];
  expect(associate(boxes, [[2, 0, 10, 10]], 0.3)).toEqual(new Map([[0, 1]]));
});

test("of boxes that overlap the surest stays", () => {
  const found = [
    { box: [0, 0, 10, 10] as FloatBox, confidence: 0.6 },
    { box: [1, 0, 10, 10] as FloatBox, confidence: 0.9 },
    { box: [50, 0, 10, 10] as FloatBox, confidence: 0.7 },
  ];
  expect(suppress(found, 0.3).map(({ confidence }) => confidence)).toEqual([0.9, 0.7]);
  expect(merge(found, 0.3)[0].box[0]).toBeCloseTo(0.6);
});
