import { expect, test } from "vitest";
import { jsonLines } from "../src/lines.js";

const FACE = {
  box: [191, 67, 90, 112] as const,
  label: "happy",
  score: 0.9612345678,
  scores: Float32Array.from([0.0387654, 0.9612346]),
  labels: ["sad", "happy"],
  confidence: 0.93,
  id: 1,
  frameScores: null,
  smoothed: true,
  uncertain: false,
};

test("a face is a line with the fields of ferkit run --json", () => {
  const lines = jsonLines({ source: "clip.mp4", frame: 12, timeS: 0.48049 }, [FACE, { ...FACE, id: null }]);
  const [first, second, rest] = lines.split("\n");
  expect(JSON.parse(first)).toEqual({
    source: "clip.mp4",
    frame: 12,
    time_s: 0.48,
    face: 0,
    id: 1,
    box: [191, 67, 90, 112],
    label: "happy",
    scores: { sad: 0.038765, happy: 0.961235 },
    smoothed: true,
    confidence: 0.93,
  });
  expect(JSON.parse(second)).toMatchObject({ face: 1, id: null });
  expect(rest).toBe("");
});

test("a frame without faces has no line", () => {
  expect(jsonLines({ source: "clip.mp4", frame: 0, timeS: 0 }, [])).toBe("");
});
