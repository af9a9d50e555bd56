/** A WebView of WebKitGTK, Safari's engine: from a server, and from an app's own scheme. */
import { execFile, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { serve } from "../../scripts/serve.js";
import { plainSite } from "./sites.js";

const PYTHON = "/usr/bin/python3"; // Debian's own has the binding
const WEBVIEW = fileURLToPath(new URL("webview.py", import.meta.url));
const LONGEST_MS = 240_000;
const NEEDED = 'import gi; gi.require_version("WebKit2", "4.1"); from gi.repository import WebKit2';
const isThere =
  spawnSync(PYTHON, ["-c", NEEDED]).status === 0 && spawnSync("xvfb-run", ["--help"]).status === 0;
const SCRIPT = `
import { Recognizer } from "./ferkit/index.js";
try {
  const recognize = await Recognizer.create();
  const image = new Image();
  image.src = "astronaut.jpg";
  await image.decode();
  const [face] = await recognize(image);
  const [followed] = await recognize.stream()(image, 0);
  document.title = face.label + " " + face.score.toFixed(3) + " " + followed.id;
} catch (error) {
  document.title = error.code + ": " + error.message;
}
`;

describe.skipIf(!isThere)("a WebView", () => {
  test.each(["a server", "a scheme of an app"])(
    "from %s it finds the portrait's face and calls it happy",
    async (place) => {
      const folder = plainSite();
      writeFileSync(join(folder, "index.html"), `<!doctype html><script type="module">${SCRIPT}</script>`);
      const server = await serve(folder);
      const address = place === "a server" ? server.url : "app:///index.html";
      const { stdout } = await promisify(execFile)("xvfb-run", ["-a", PYTHON, WEBVIEW, folder, address], {
        timeout: LONGEST_MS,
        // Without a graphics card, and as root, where its sandbox can't be made.
        env: {
          ...process.env,
          WEBKIT_DISABLE_COMPOSITING_MODE: "1",
          WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
        },
      });
      await server.close();
      expect(stdout).toMatch(/^happy 0\.9\d+ 1$/m);
    },
    LONGEST_MS,
  );
});
