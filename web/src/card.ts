/**
 * The card of a model file: `cnn_int8.tflite` travels with `cnn_int8.tflite.json`.
 *
 * runtime/card.schema.json defines the card; the check here refuses the same cards and says why.
 */
import { FerkitError } from "./errors.js";
import type { Card } from "./types.js";

const CARD_VERSION = 1;
const MOST_CROP = 10; // sides of a box: beyond it a crop shows no face

type Kind = "a whole number" | "a number" | "text" | "a list" | "an object" | "an object or null";

/** The fields of a card, and what each has to be. */
const FIELDS: Record<string, Kind> = {
  file: "text",
  model: "text",
  precision: "text",
  description: "text",
  licence: "text",
  sha256: "text",
  bytes: "a whole number",
  labels: "a list",
  input: "an object",
  output: "an object",
  parity: "an object",
  versions: "an object",
};

/**
 * Checks what a card says; the model file itself is not looked at.
 *
 * @param card what the card's JSON holds
 * @param path names the card in errors
 * @param fileName the model file that it has to belong to
 */
export function checkCard(card: unknown, path: string, fileName: string): Card {
  const fields = expectKind(card, "the card", "an object", path) as Record<string, unknown>;
  if (fields.card_version !== CARD_VERSION) {
    throw wrong(
      path,
      `card_version ${CARD_VERSION}`,
      fields.card_version,
      "Export the model again with this release.",
    );
  }
  if ("kind" in fields) throw wrong(path, "a model's card, which has no kind", fields.kind, "Name a model.");
  for (const [field, kind] of Object.entries(FIELDS)) expectKind(fields[field], field, kind, path);
  expectKind(fields.accuracy ?? null, "accuracy", "an object or null", path);
  const checked = card as Card;
  if (checked.file !== fileName) {
    throw wrong(path, `file ${fileName}`, checked.file, "Copy the card that belongs to the file.");
  }
  if (!/^[0-9a-f]{64}$/.test(checked.sha256)) {
    throw wrong(path, "sha256 as 64 hexadecimal digits", checked.sha256, "Copy the card again.");
  }
  checkLabels(checked.labels, path);
  checkTensor(checked.input, "input", [48, 48, 1], path);
  checkTensor(checked.output, "output", [checked.labels.length], path);
  if (JSON.stringify(checked.input.range) !== "[0,255]") {
    throw wrong(path, "input.range [0, 255] (gray pixels)", checked.input.range, "Export the model again.");
  }
  expectKind(checked.parity.largest_gap, "parity.largest_gap", "a number", path);
  checkCrop(checked.input.crop, path);
  return checked;
}

/** Checks that a model file is the one that its card describes, byte for byte. */
export async function checkFile(file: Uint8Array<ArrayBuffer>, card: Card, path: string): Promise<void> {
  const again = "The file is incomplete, or the card belongs to another: copy both again.";
  if (file.length !== card.bytes) throw wrong(path, `a file of ${card.bytes} bytes`, file.length, again);
  if (!globalThis.crypto?.subtle) return; // not on insecure origins
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", file));
  const text = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (text !== card.sha256) throw wrong(path, `sha256 ${card.sha256}`, text, again);
}

function checkLabels(labels: unknown[], path: string): void {
  // Printable, as Python has it: no controls, no white space but U+0020, which alone is no name.
  const isName = (label: unknown) =>
    typeof label === "string" && /[^ ]/.test(label) && !/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(label);
  const names = labels.filter(isName);
  if (!names.length || names.length !== labels.length || new Set(names).size !== labels.length) {
    throw wrong(path, "labels as a list of different names", labels, "Export the model again.");
  }
}

/** Checks name, shape (batch of 1 or null, then `tail`), dtype and quantization of a tensor. */
function checkTensor(tensor: Card["output"], field: string, tail: number[], path: string): void {
  expectKind(tensor.name, `${field}.name`, "text", path);
  const shapes = [
    [1, ...tail],
    [null, ...tail],
  ].map((shape) => JSON.stringify(shape));
  if (!shapes.includes(JSON.stringify(tensor.shape))) {
    throw wrong(path, `${field}.shape ${shapes.join(" or ")}`, tensor.shape, "Export the model again.");
  }
  if (!["float32", "int8", "uint8"].includes(tensor.dtype)) {
    throw wrong(path, `${field}.dtype float32, int8 or uint8`, tensor.dtype, "Export the model again.");
  }
  if (tensor.dtype === "float32") {
    if ((tensor.quantization ?? null) !== null) {
      throw wrong(path, `${field}.quantization null`, tensor.quantization, "Export the model again.");
    }
    return;
  }
  const numbers = expectKind(tensor.quantization, `${field}.quantization`, "an object", path) as Record<
    string,
    unknown
  >;
  if (!((expectKind(numbers.scale, `${field}.quantization.scale`, "a number", path) as number) > 0)) {
    throw wrong(path, `${field}.quantization.scale above 0`, numbers.scale, "Export the model again.");
  }
  expectKind(numbers.zero_point, `${field}.quantization.zero_point`, "a whole number", path);
}

function checkCrop(crop: unknown, path: string): void {
  const rules = expectKind(crop, "input.crop", "an object", path) as Record<string, unknown>;
  for (const detector of ["yunet", "haar"]) {
    const rule = expectKind(rules[detector], `input.crop.${detector}`, "an object", path) as Record<
      string,
      number
    >;
    for (const field of ["scale", "shift_x", "shift_y"]) {
      const name = `input.crop.${detector}.${field}`;
      const value = expectKind(rule[field], name, "a number", path) as number;
      const least = field === "scale" ? 0.1 : -MOST_CROP;
      if (!(least <= value && value <= MOST_CROP)) {
        throw wrong(path, `${name} from ${least} to ${MOST_CROP}`, value, "Export the model again.");
      }
    }
  }
}

function expectKind(value: unknown, field: string, kind: Kind, path: string): unknown {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const fits: Record<Kind, boolean> = {
    "a whole number": Number.isInteger(value),
    "a number": typeof value === "number",
    text: typeof value === "string",
    "a list": Array.isArray(value),
    "an object": isObject,
    "an object or null": isObject || value === null,
  };
  if (!fits[kind]) throw wrong(path, `${field} to be ${kind}`, value, "Export the model again.");
  return value;
}

function wrong(path: string, expected: string, got: unknown, advice: string): FerkitError {
  const text = got === undefined ? "none" : (JSON.stringify(got) ?? String(got));
  const short = text.length > 200 ? `${text.slice(0, 200)}...` : text;
  return new FerkitError("card", `${path}: expected ${expected}, got ${short}. ${advice}`, path);
}
