/** A frame as ferkit's detector takes it: gray, made to fit, in the upper left corner, black beside it. */
import { cutGray, resizeLinear, rint, shrink, type Frame } from "./pixels.js";

const SMALLEST_PX = 200; // a frame whose longer side is below it is enlarged: its faces would be too small

export interface Letterbox {
  /** Gray 0-255 of the input, row by row. */
  readonly pixels: Float32Array;
  /** Pixels of the input to one of the frame, across and down. */
  readonly ratios: readonly [number, number];
}

/**
 * @param width of the input in pixels
 * @param height of the input in pixels
 */
export function letterbox(frame: Frame, width: number, height: number): Letterbox {
  const fit = Math.min(height / frame.height, width / frame.width);
  const scale = Math.min(fit, Math.max(1, SMALLEST_PX / Math.max(frame.width, frame.height)));
  const innerWidth = Math.max(1, rint(frame.width * scale));
  const innerHeight = Math.max(1, rint(frame.height * scale));
  const gray = cutGray(frame, 0, 0, frame.width, frame.height);
  const inner = (scale < 1 ? shrink : resizeLinear)(gray, innerWidth, innerHeight);
  const pixels = new Float32Array(width * height);
  for (let y = 0; y < innerHeight; y++) {
    pixels.set(inner.data.subarray(y * innerWidth, (y + 1) * innerWidth), y * width);
  }
  return { pixels, ratios: [innerWidth / frame.width, innerHeight / frame.height] };
}
