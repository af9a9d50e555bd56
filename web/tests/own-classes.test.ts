/** Models of three and of twelve classes: their labels are their cards', and each has a colour of its own. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { colourOf } from "../demo/colours.js";
import { checkCard } from "../src/card.js";
import { Expression } from "../src/smoothing.js";
import { GOLDEN, ROOT } from "./golden.js";

interface Golden {
  file: string;
  scores: number[][];
}
const MODELS: Golden[] = GOLDEN.models.filter(({ file }: Golden) =>
  /^tests\/data\/(three|twelve)_.*\.tflite$/.test(file),
);

test.each(MODELS)("$file: a face has the label of its likeliest score", ({ file, scores }) => {
  const card = JSON.parse(readFileSync(new URL(`${file}.json`, ROOT), "utf8"));
  checkCard(card, `${file}.json`, file.split("/").pop()!);
  const { labels } = card;
  expect(labels.length).toBe(card.model === "three" ? 3 : 12);
  for (const row of scores) {
    expect(row.length).toBe(labels.length);
    const likeliest = row.indexOf(Math.max(...row));
    const { label } = new Expression(labels, 1, 0.1, 0).update(Float32Array.from(row), 0);
    expect(label).toBe(labels[likeliest]);
  }
});

test("a hundred labels have a hundred colours", () => {
  const labels = Array.from({ length: 100 }, (_, number) => `label ${number}`);
  expect(new Set(labels.map((label) => colourOf(label, labels))).size).toBe(100);
  expect(colourOf("happy", labels)).toBe(colourOf("happy", []));
});
