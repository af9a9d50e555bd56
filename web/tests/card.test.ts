import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkCard, checkDetectorCard, checkFile } from "../src/card.js";
import { FerkitError } from "../src/errors.js";
import { ROOT } from "./golden.js";

const MODELS = new URL("runtime/models/", ROOT);
const CARDS = readdirSync(MODELS).filter((name) => name.endsWith(".json"));
const DETECTORS = readdirSync(new URL("detectors/", MODELS)).filter((name) => name.endsWith(".json"));

function readCard(name = "edge_int8.tflite.json") {
  return JSON.parse(readFileSync(new URL(name, MODELS), "utf8"));
}

type Check = typeof checkCard | typeof checkDetectorCard;

function isTaken(card: unknown, fileName = "edge_int8.tflite", check: Check = checkCard): boolean {
  try {
    check(card, "card.json", fileName);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(FerkitError);
    expect(error).toMatchObject({ code: "card", subject: "card.json" });
    return false;
  }
}

test.each(CARDS)("%s is taken", (name) => {
  expect(isTaken(readCard(name), name.replace(/\.json$/, ""))).toBe(true);
});

test.each(DETECTORS)("the detector's %s is taken", (name) => {
  expect(isTaken(readCard(`detectors/${name}`), name.replace(/\.json$/, ""), checkDetectorCard)).toBe(true);
});

interface Verdict {
  card: string;
  kind: "classifier" | "detector";
  at: (string | number)[];
  optional: boolean;
  valid: unknown[];
  refused: unknown[];
}
const DATA = new URL("tests/data/", ROOT);
const VERDICTS: Verdict[] = JSON.parse(readFileSync(new URL("card_verdicts.json", DATA), "utf8"));

/** A card with another value at a place; undefined: without the place. */
function changedCard({ card, at }: Verdict, value: unknown): unknown {
  const changed = JSON.parse(readFileSync(new URL(card, DATA), "utf8"));
  const owner = at.slice(0, -1).reduce((inner, key) => inner[key], changed);
  const key = at.at(-1)!;
  if (value !== undefined) owner[key] = value;
  else if (Array.isArray(owner)) owner.splice(Number(key), 1);
  else delete owner[key];
  return changed;
}

test.each(VERDICTS)("$card at $at: what the schema refuses is refused, and nothing else", (verdict) => {
  const fileName = verdict.card.replace(/\.json$/, "");
  const check = verdict.kind === "detector" ? checkDetectorCard : checkCard;
  const answer = (value: unknown) => isTaken(changedCard(verdict, value), fileName, check);
  expect(answer(undefined)).toBe(verdict.optional);
  for (const value of verdict.valid) expect(answer(value), JSON.stringify(value)).toBe(true);
  for (const value of verdict.refused) expect(answer(value), JSON.stringify(value)).toBe(false);
});

test("a face detector's card is no model's, nor a model's a detector's", () => {
  const card = JSON.parse(readFileSync(new URL("detector.tflite.json", DATA), "utf8"));
  expect(() => checkCard(card, "card.json", "detector.tflite")).toThrow("which has no kind");
  expect(() => checkDetectorCard(readCard(), "card.json", "edge_int8.tflite")).toThrow('kind "detector"');
});

test.each([["text"], [null], [[]], [3], [undefined]])("%j is no card", (card) => {
  expect(isTaken(card)).toBe(false);
});

test("a file that is not its card's is refused", async () => {
  const card = readCard();
  const file = new Uint8Array(readFileSync(new URL(card.file, MODELS)));
  await checkFile(file, card, card.file);
  await expect(checkFile(file.slice(1), card, card.file)).rejects.toMatchObject({ code: "card" });
  const changed = file.slice();
  changed[1000] ^= 1;
  const digest = createHash("sha256").update(changed).digest("hex");
  await expect(checkFile(changed, card, card.file)).rejects.toThrow(
    `expected sha256 ${card.sha256}, got "${digest}"`,
  );
});
