/**
 * Writes src/models.ts, the table of the released models, from the cards in runtime/models: `node scripts/released.js`.
 *
 * A bundler has to see each file's address written out, so the table can't be made when the page runs.
 */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const WEB = dirname(dirname(fileURLToPath(import.meta.url)));
export const MODELS = join(dirname(WEB), "runtime", "models");
const TABLE = join(WEB, "src", "models.ts");

/** A model's name and its file: of models with several files the smallest, as Python takes it. */
export function releasedFiles() {
  const cards = readdirSync(MODELS)
    .filter((file) => file.endsWith(".tflite.json"))
    .map((file) => JSON.parse(readFileSync(join(MODELS, file), "utf8")))
    .sort((one, other) => other.bytes - one.bytes);
  const files = Object.fromEntries(cards.map(({ model, file }) => [model, file]));
  return Object.entries(files).sort(([one], [other]) => (one < other ? -1 : 1));
}

export function writeTable() {
  const files = releasedFiles();
  const imports = files.map(
    ([, file], index) => `import card${index} from "../../runtime/models/${file}.json";`,
  );
  const entries = files.map(([model, file], index) => {
    const path = JSON.stringify(`models/${file}`);
    const url = `new URL("./models/${file}", import.meta.url)`;
    return `  ${JSON.stringify(model)}: { card: card${index}, path: ${path}, url: ${url} },`;
  });
  const text = [
    "// Written by scripts/released.js from the cards in runtime/models: don't change it.",
    ...imports,
    'import type { Released } from "./released.js";',
    'import type { Card } from "./types.js";',
    "",
    "export const MODELS: Record<string, Released<Card>> = {",
    ...entries,
    "};",
    "",
  ].join("\n");
  writeFileSync(TABLE, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeTable();
