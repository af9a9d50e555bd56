/**
 * The card of a model file: `cnn_int8.tflite` travels with `cnn_int8.tflite.json`.
 *
 * runtime/card.schema.json defines the card; the check here refuses the same cards and says why.
 */
import { FerkitError } from "./errors.js";
import type { Card, DetectorCard, FileCard, Tensor } from "./types.js";

const CARD_VERSION = 1;
const AGAIN = "Export the model again.";
const OUTPUTS = ["boxes", "confidences", "eyes"] as const;
const MOST_CROP = 10; // sides of a box: beyond it a crop shows no face

type Kind =
  "a whole number" | "a number" | "text" | "text or null" | "a list" | "an object" | "an object or null";

/** The fields of every card, and what each has to be. */
const FIELDS: Record<string, Kind> = {
  file: "text",
  model: "text",
  precision: "text",
  description: "text",
  licence: "text",
  sha256: "text",
  bytes: "a whole number",
  input: "an object",
  parity: "an object",
  versions: "an object",
};

/**
 * Checks what a model's card says; the model file itself is not looked at.
 *
 * @param card what the card's JSON holds
 * @param path names the card in errors
 * @param fileName the model file that it has to belong to
 */
export function checkCard(card: unknown, path: string, fileName: string): Card {
  const fields = checkFields(card, path, fileName);
  if ("kind" in fields) throw wrong(path, "a model's card, which has no kind", fields.kind, "Name a model.");
  expectKind(fields.labels, "labels", "a list", path);
  expectKind(fields.output, "output", "an object", path);
  const checked = card as Card;
  checkLabels(checked.labels, path);
  checkTensor(checked.input, "input", [48, 48, 1], path);
  checkTensor(checked.output, "output", [checked.labels.length], path);
  checkCrop(checked.input.crop, path);
  return checked;
}

/** Checks what a face detector's card says, as `checkCard` does. */
export function checkDetectorCard(card: unknown, path: string, fileName: string): DetectorCard {
  const fields = checkFields(card, path, fileName);
  if (fields.kind !== "detector") throw wrong(path, 'kind "detector"', fields.kind, "Name a face detector.");
  expectKind(fields.outputs, "outputs", "an object", path);
  const checked = card as DetectorCard;
  const { outputs } = checked;
  checkImage(checked.input, path);
  for (const name of OUTPUTS) expectKind(outputs[name], `outputs.${name}`, "an object", path);
  const [count] = countsOf(outputs.confidences.shape, 1, 2, "outputs.confidences", path);
  for (const name of OUTPUTS)
    checkFloats(outputs[name], `outputs.${name}`, name === "confidences" ? [1, count] : [1, count, 4], path);
  for (const name of ["threshold", "overlap"] as const) {
    const value = expectKind(fields[name], name, "a number", path) as number;
    if (!(0 <= value && value <= 1)) throw wrong(path, `${name} from 0 to 1`, value, AGAIN);
  }
  return checked;
}

/** Checks the fields that every card has. */
function checkFields(card: unknown, path: string, fileName: string): Record<string, unknown> {
  const fields = expectKind(card, "the card", "an object", path) as Record<string, unknown>;
  if (fields.card_version !== CARD_VERSION) {
    throw wrong(
      path,
      `card_version ${CARD_VERSION}`,
      fields.card_version,
      "Export the model again with this release.",
    );
  }
  for (const [field, kind] of Object.entries(FIELDS)) expectKind(fields[field], field, kind, path);
  expectKind(fields.accuracy ?? null, "accuracy", "an object or null", path);
  expectKind(fields.page ?? null, "page", "text or null", path);
  const { file, sha256, input, parity } = fields as unknown as FileCard;
  if (file !== fileName) {
    throw wrong(path, `file ${fileName}`, file, "Copy the card that belongs to the file.");
  }
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw wrong(path, "sha256 as 64 hexadecimal digits", sha256, "Copy the card again.");
  }
  if (JSON.stringify(input.range) !== "[0,255]") {
    throw wrong(path, "input.range [0, 255] (gray pixels)", input.range, AGAIN);
  }
  expectKind(parity.largest_gap, "parity.largest_gap", "a number", path);
  return fields;
}

/** Checks that a model file is the one that its card describes, byte for byte. */
export async function checkFile(file: Uint8Array<ArrayBuffer>, card: FileCard, path: string): Promise<void> {
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
    throw wrong(path, "labels as a list of different names", labels, AGAIN);
  }
}

/** Checks name, shape (batch of 1 or null, then `tail`), dtype and quantization of a tensor. */
function checkTensor(tensor: Tensor, field: string, tail: unknown[], path: string): void {
  expectKind(tensor.name, `${field}.name`, "text", path);
  const shapes = [
    [1, ...tail],
    [null, ...tail],
  ].map((shape) => JSON.stringify(shape));
  if (!shapes.includes(JSON.stringify(tensor.shape))) {
    throw wrong(path, `${field}.shape ${shapes.join(" or ")}`, tensor.shape, AGAIN);
  }
  if (!["float32", "int8", "uint8"].includes(tensor.dtype)) {
    throw wrong(path, `${field}.dtype float32, int8 or uint8`, tensor.dtype, AGAIN);
  }
  if (tensor.dtype === "float32") {
    if ((tensor.quantization ?? null) !== null) {
      throw wrong(path, `${field}.quantization null`, tensor.quantization, AGAIN);
    }
    return;
  }
  const numbers = expectKind(tensor.quantization, `${field}.quantization`, "an object", path) as Record<
    string,
    unknown
  >;
  if (!((expectKind(numbers.scale, `${field}.quantization.scale`, "a number", path) as number) > 0)) {
    throw wrong(path, `${field}.quantization.scale above 0`, numbers.scale, AGAIN);
  }
  expectKind(numbers.zero_point, `${field}.quantization.zero_point`, "a whole number", path);
}

/** Checks a detector's input: one gray image, and where a frame lies in it. */
function checkImage(input: DetectorCard["input"], path: string): void {
  checkFloats(input, "input", [1, ...countsOf(input.shape, 1, 3, "input", path), 1], path);
  const { corner, fill, ...more } = Object(input.letterbox);
  if (corner !== "upper left" || fill !== 0 || Object.keys(more).length) {
    throw wrong(path, 'input.letterbox {"corner": "upper left", "fill": 0}', input.letterbox, AGAIN);
  }
}

/** Checks name, shape and dtype of a tensor that has to be float32. */
function checkFloats(tensor: Tensor, field: string, shape: unknown[], path: string): void {
  checkTensor(tensor, field, shape.slice(1), path);
  if (tensor.shape[0] !== 1) throw wrong(path, `${field}.shape of one image`, tensor.shape, AGAIN);
  if (tensor.dtype !== "float32") throw wrong(path, `${field}.dtype float32`, tensor.dtype, AGAIN);
}

/** The sides of a shape that may be any count. */
function countsOf(shape: unknown, from: number, to: number, field: string, path: string): unknown[] {
  const counts = Array.isArray(shape) ? shape.slice(from, to) : [];
  const areCounts = counts.every((count) => Number.isInteger(count) && count >= 1);
  if (counts.length === to - from && areCounts) return counts;
  throw wrong(path, `${field}.shape of whole numbers from 1`, shape, AGAIN);
}

function checkCrop(crop: unknown, path: string): void {
  const rules = expectKind(crop, "input.crop", "an object", path) as Record<string, unknown>;
  for (const detector of ["yunet", "haar", "ferkit"]) {
    if (detector === "ferkit" && rules.ferkit === undefined) continue; // older cards have none
    const rule = expectKind(rules[detector], `input.crop.${detector}`, "an object", path) as Record<
      string,
      number
    >;
    for (const field of ["scale", "shift_x", "shift_y"]) {
      const name = `input.crop.${detector}.${field}`;
      const value = expectKind(rule[field], name, "a number", path) as number;
      const least = field === "scale" ? 0.1 : -MOST_CROP;
      if (!(least <= value && value <= MOST_CROP)) {
        throw wrong(path, `${name} from ${least} to ${MOST_CROP}`, value, AGAIN);
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
    "text or null": typeof value === "string" || value === null,
    "a list": Array.isArray(value),
    "an object": isObject,
    "an object or null": isObject || value === null,
  };
  if (!fits[kind]) throw wrong(path, `${field} to be ${kind}`, value, AGAIN);
  return value;
}

function wrong(path: string, expected: string, got: unknown, advice: string): FerkitError {
  const text = got === undefined ? "none" : (JSON.stringify(got) ?? String(got));
  const short = text.length > 200 ? `${text.slice(0, 200)}...` : text;
  return new FerkitError("card", `${path}: expected ${expected}, got ${short}. ${advice}`, path);
}
