import { expect, test } from "vitest";
import { chooseLabel, Expression } from "../src/smoothing.js";
import { GOLDEN } from "./golden.js";

test("a face's scores and labels over time are Python's", () => {
  const { labels, time_constant_s, margin, threshold, change, frames } = GOLDEN.smoothing;
  for (const number of [time_constant_s, margin, threshold, change]) expect(number).toBeGreaterThan(0);
  const expression = new Expression(labels, time_constant_s, margin, threshold, change);
  for (const { time_s, scores, smoothed, label } of frames) {
    const got = expression.update(Float32Array.from(scores), time_s);
    expect(got.label).toBe(label);
    got.scores.forEach((score, index) => expect(score).toBeCloseTo(smoothed[index], 6));
  }
});

test("the likeliest label is chosen at first", () => {
  expect(chooseLabel([0.2, 0.5, 0.3], undefined)).toBe(1);
});

test("no label is chosen below the threshold", () => {
  expect(chooseLabel([0.2, 0.3, 0.3], undefined)).toBe(3);
});

test("the shown label stays until another is ahead by the margin", () => {
  expect(chooseLabel([0.46, 0.54], 0)).toBe(0);
  expect(chooseLabel([0.44, 0.56], 0)).toBe(1);
});

test("a high threshold leaves uncertain for what can still be had", () => {
  expect(chooseLabel([0.98, 0.02], 2, 0.1, 0.9)).toBe(0);
});
