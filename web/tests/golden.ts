/** The golden vectors that Python, Java and JavaScript are held to. */
import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { Frame } from "../src/pixels.js";
import type { CropRule } from "../src/types.js";

export const ROOT = new URL("../../", import.meta.url);
export const GOLDEN = JSON.parse(readFileSync(new URL("runtime/golden.json", ROOT), "utf8"));

/** A box, the rule that it is cut by, and what comes of it. */
export interface Crop extends CropRule {
  name: string;
  frame: string;
  box: number[];
  square: number[];
  /** base64 of 48 * 48 gray bytes. */
  face: string;
}
export const CROPS: Crop[] = GOLDEN.crops;

export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}

/** A golden frame, which is blue first, as a canvas would give it. */
export function frameOf(name: string): Frame {
  const { bgr, width, height } = GOLDEN.frames.find((frame: { name: string }) => frame.name === name);
  const bytes = bytesOf(bgr);
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (const channel of [0, 1, 2]) data[4 * pixel + channel] = bytes[3 * pixel + 2 - channel];
  }
  return { data, width, height };
}

export { crc32 };
