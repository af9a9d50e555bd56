/** What options may be. */
import { FerkitError } from "./errors.js";
import { DETECTORS, MODELS } from "./released.js";
import type { RecognizerOptions } from "./types.js";

const MOST_THREADS = 256;

/** Refuses options that are not what their documentation says, unknown ones included. */
export function checkOptions(options: RecognizerOptions): void {
  const checks: Record<keyof RecognizerOptions, [string, (value: never) => boolean]> = {
    model: [oneOf(MODELS), (value) => isFile(MODELS, value)],
    detector: [oneOf(DETECTORS), (value) => isFile(DETECTORS, value)],
    threads: [`a whole number from 1 to ${MOST_THREADS}`, (value) => isWhole(value) && value <= MOST_THREADS],
    smoothing: [
      "true, false or seconds, 0 or more",
      (value) => typeof value === "boolean" || isAtLeast(value, 0),
    ],
    threshold: ["a probability from 0 to 1", isProbability],
    margin: ["a probability from 0 to 1", isProbability],
    detectEvery: ["a whole number of 1 or more", isWhole],
    baseUrl: ["an address", isAddress],
  };
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const check = checks[option as keyof RecognizerOptions];
    if (!check) {
      throw new FerkitError(
        "option",
        `Expected options of ${Object.keys(checks).join(", ")}, got ${option}.`,
        option,
      );
    }
    if (check[1](value as never)) continue;
    throw new FerkitError(
      "option",
      `Expected ${option} to be ${check[0]}, got ${JSON.stringify(value)}.`,
      option,
    );
  }
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

function isWhole(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1;
}

function isAtLeast(value: unknown, least: number): boolean {
  return Number.isFinite(value) && (value as number) >= least;
}

function isProbability(value: unknown): boolean {
  return isAtLeast(value, 0) && (value as number) <= 1;
}
