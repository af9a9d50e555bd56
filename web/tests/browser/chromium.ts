/** A real browser for tests: Debian's Chromium, without a window. */
import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
export const CHROMIUM = process.env.FERKIT_CHROMIUM ?? PLACES.find((place) => existsSync(place));

const QUIET = [
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** @param camera a .y4m or .mjpeg file that a camera shows; none: a machine without a camera */
export function launch({ camera, args = [] }: { camera?: string; args?: string[] } = {}): Promise<Browser> {
  const fake = ["--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${camera}`];
  return chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    chromiumSandbox: false,
    args: [...QUIET, ...(camera ? fake : []), ...args],
  });
}
