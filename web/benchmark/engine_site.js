/** The engine by itself in a page, for the comparison of scores. */
import { cpSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const WEB = dirname(dirname(fileURLToPath(import.meta.url)));

/** Adds `engine.html`, whose `window.scoresOf` runs a model file, to a folder. */
export async function engineSite(folder) {
  for (const part of ["models", "litert"])
    cpSync(join(WEB, "dist", part), join(folder, part), { recursive: true });
  const built = await rolldown({
    input: join(WEB, "tests", "browser", "engine-page.ts"),
    resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
  });
  await built.write({ file: join(folder, "engine-page.js"), format: "esm" });
  writeFileSync(
    join(folder, "engine.html"),
    '<!doctype html><script type="module" src="engine-page.js"></script>',
  );
}
