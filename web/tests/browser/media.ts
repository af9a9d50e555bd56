/** A camera, an image and a video for tests, made of the demo portrait. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { empty } from "./sites.js";

export const PORTRAIT = fileURLToPath(new URL("../../../demo/astronaut.jpg", import.meta.url));

/** A camera's film, motion JPEG: JPEG after JPEG. */
export function cameraFilm(): string {
  const path = join(empty("camera"), "portrait.mjpeg");
  writeFileSync(path, Buffer.concat(Array(30).fill(readFileSync(PORTRAIT))));
  return path;
}

/** A video of 1.8 s in which the portrait moves to the right. */
export const VIDEO = fileURLToPath(new URL("../data/portrait.webm", import.meta.url));
