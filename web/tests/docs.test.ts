import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { figuresOf } from "../benchmark/figures.js";
import { DEFAULT_MODEL } from "../src/released.js";
import { GOLDEN, ROOT } from "./golden.js";

const PAGE = readFileSync(new URL("docs/browser.md", ROOT), "utf8");

test.each([
  ["Expression.tsx", "tsx"],
  ["useExpression.ts", "ts"],
])("the page shows %s as it is checked", (file, language) => {
  const example = readFileSync(new URL(`../examples/${file}`, import.meta.url), "utf8");
  expect(PAGE).toContain(`\`\`\`${language}\n${example}\`\`\``);
});

test("the page names every option and every error", () => {
  const types = readFileSync(new URL("../src/types.ts", import.meta.url), "utf8");
  const options = [...types.matchAll(/^ {2}(\w+)\?: /gm)].map((match) => match[1]);
  const errors = readFileSync(new URL("../src/errors.ts", import.meta.url), "utf8");
  const codes = [...errors.matchAll(/^ {2}\| "([a-z-]+)"/gm)].map((match) => match[1]);
  expect(options).toContain("threshold");
  expect(codes).toContain("permission-denied");
  for (const name of [...options, ...codes]) expect(PAGE).toContain(`\`${name}\``);
});

test("the page's figures are those of results/web.json", () => {
  const results = JSON.parse(readFileSync(new URL("results/web.json", ROOT), "utf8"));
  expect(PAGE).toContain(`<!-- web-benchmark -->\n${figuresOf(results)}\n<!-- /web-benchmark -->`);
});

test("the default model is Python's", () => {
  expect(DEFAULT_MODEL).toBe(GOLDEN.default_model);
});
