/** Debian's Firefox, without a window: a page labels the portrait and asks its server for the answer's address. */
import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { serve } from "../../scripts/serve.js";
import { empty, plainSite } from "./sites.js";

const FIREFOX = ["/usr/bin/firefox-esr", "/usr/bin/firefox"].find((place) => existsSync(place));
const START_MS = 120_000; // it took 28 s to open a window on a busy machine
const SCRIPT = `
import { Recognizer } from "./ferkit/index.js";
const tell = (text) => fetch("answer/" + encodeURIComponent(text));
try {
  const recognize = await Recognizer.create();
  const image = new Image();
  image.src = "astronaut.jpg";
  await image.decode();
  const [face] = await recognize(image);
  const follow = recognize.stream();
  const [followed] = await follow(image, 0);
  await tell(face.label + " " + face.score.toFixed(3) + " " + followed.id);
} catch (error) {
  await tell(error.code + ": " + error.message);
}
`;

describe.skipIf(!FIREFOX)("Firefox", () => {
  test(
    "it finds the portrait's face and calls it happy",
    async () => {
      const folder = plainSite();
      writeFileSync(join(folder, "index.html"), `<!doctype html><script type="module">${SCRIPT}</script>`);
      const server = await serve(folder);
      const firefox = spawn(
        FIREFOX!,
        ["--headless", "--no-remote", "--profile", empty("firefox"), server.url],
        { stdio: "ignore" },
      );
      try {
        const answer = () =>
          server.requests.map(({ path }) => path).find((path) => path.startsWith("/answer/")) ?? "";
        await expect
          .poll(answer, { timeout: START_MS, interval: 200 })
          .toMatch(/^\/answer\/happy 0\.9\d+ 1$/);
      } finally {
        firefox.kill();
        await server.close();
      }
    },
    2 * START_MS,
  );
});
