import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import Ajv from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { checkCard, checkFile } from "../src/card.js";
import { FerkitError } from "../src/errors.js";
import { ROOT } from "./golden.js";

const MODELS = new URL("runtime/models/", ROOT);
const CARDS = readdirSync(MODELS).filter((name) => name.endsWith(".json"));
const SCHEMA = JSON.parse(readFileSync(new URL("runtime/card.schema.json", ROOT), "utf8"));
const fitsSchema = new Ajv({ strict: false }).compile(SCHEMA);

function readCard(name = "edge_int8.tflite.json") {
  return JSON.parse(readFileSync(new URL(name, MODELS), "utf8"));
}

function isTaken(card: unknown, fileName = "edge_int8.tflite"): boolean {
  try {
    checkCard(card, "card.json", fileName);
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

/** Every place in a card: its field names from the top. */
function* places(value: unknown, path: string[] = []): Generator<string[]> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    yield [...path, name];
    yield* places(inner, [...path, name]);
  }
}

const OTHERS = [null, true, 0, -1, 1, 2.5, 1e9, "", "x", " ", "a\nb", [], [0, 255], {}, ["a", "a"], [1, 48, 48, 1], [null, 7]];

test("what the schema refuses is refused, and nothing else", () => {
  const card = readCard();
  for (const path of places(card)) {
    for (const other of [undefined, ...OTHERS]) {
      const changed = structuredClone(card);
      const last = path.at(-1)!;
      const holder = path.slice(0, -1).reduce((inner, name) => inner[name], changed);
      if (other === undefined && !Array.isArray(holder)) delete holder[last];
      else holder[last] = other ?? null;
      // Two rules need more than the card: the file's name, and the number of labels.
      const isOfFile = changed.file === "edge_int8.tflite";
      const isOfLabels = changed.output?.shape?.[1] === changed.labels?.length;
      const expected = fitsSchema(changed) && isOfFile && isOfLabels;
      expect(isTaken(changed), `${path.join(".")} = ${JSON.stringify(other)}`).toBe(expected);
    }
  }
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
  await expect(checkFile(changed, card, card.file)).rejects.toThrow(`expected sha256 ${card.sha256}, got "${digest}"`);
});
