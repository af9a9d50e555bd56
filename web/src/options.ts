/** What options may be. */
import { FerkitError } from "./errors.js";
import { DETECTORS, MODELS } from "./released.js";
import type { RecognizerOptions, StreamOptions } from "./types.js";

const MOST_THREADS = 256;

/** What an option has to be, in words and as a check. */
type Check = [string, (value: unknown) => boolean];

const OF_STREAMS: Record<keyof StreamOptions, Check> = {
  smoothing: [
    "true, false or seconds, 0 or more",
    (value) => typeof value === "boolean" || isAtLeast(value, 0),
  ],
  threshold: ["a probability from 0 to 1", isProbability],
  margin: ["a probability from 0 to 1", isProbability],
  detectEvery: ["a whole number of 1 or more", isWhole],
};
const ALL: Record<keyof RecognizerOptions, Check> = {
  model: [oneOf(MODELS), (value) => isFile(MODELS, value)],
  detector: [oneOf(DETECTORS), (value) => isFile(DETECTORS, value)],
  threads: [`a whole number from 1 to ${MOST_THREADS}`, (value) => isWhole(value) && value <= MOST_THREADS],
  ...OF_STREAMS,
  baseUrl: ["an address", isAddress],
};

/** Refuses options that are not what their documentation says, unknown ones included. */
export function checkOptions(options: RecognizerOptions): void {
  check(options, ALL);
}

/** The same for those of a stream, which has no model of its own. */
export function checkStreamOptions(options: StreamOptions): void {
  check(options, OF_STREAMS);
}

function check(options: unknown, checks: Record<string, Check>): void {
  if (typeof options !== "object" || options === null) {
    throw new FerkitError("option", `Expected options as an object, got ${shown(options)}.`);
  }
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(checks, option)) {
      throw new FerkitError(
        "option",
        `Expected options of ${Object.keys(checks).join(", ")}, got ${option}.`,
        option,
      );
    }
    const [expected, fits] = checks[option];
    if (fits(value)) continue;
    throw new FerkitError("option", `Expected ${option} to be ${expected}, got ${shown(value)}.`, option);
  }
}

function shown(value: unknown): string {
  return typeof value === "string" || typeof value === "object" ? JSON.stringify(value) : String(value);
}

function oneOf(table: object): string {
  return `one of ${Object.keys(table).join(", ")}, or the address of a .tflite file`;
}

/** Whether it is a name in a table, or the address of a model file. */
function isFile(table: object, value: unknown): boolean {
  if (typeof value === "string" && Object.hasOwn(table, value)) return true;
  return isAddress(value) && new URL(value as string, "https://host/").pathname.endsWith(".tflite");
}

function isAddress(value: unknown): boolean {
  return (typeof value === "string" || value instanceof URL) && URL.canParse(String(value), "https://host/");
}

function isWhole(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1;
}

function isAtLeast(value: unknown, least: number): value is number {
  return Number.isFinite(value) && (value as number) >= least;
}

function isProbability(value: unknown): boolean {
  return isAtLeast(value, 0) && value <= 1;
}
