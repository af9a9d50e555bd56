/** Folders that tests serve, made below build/. */
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const WEB = fileURLToPath(new URL("../../", import.meta.url));
const ROOT = join(WEB, "..");
const BUILD = join(ROOT, "build", "web-tests");

export const SITE = join(ROOT, "build", "web");

/** A page that runs the engine by itself. */
export async function engineSite(): Promise<string> {
  const folder = empty("engine");
  cpSync(join(WEB, "dist"), folder, { recursive: true });
  cpSync(join(ROOT, "tests", "data", "tiny_int8_io.tflite"), join(folder, "models", "tiny_int8_io.tflite"));
  const built = await rolldown({
    input: join(WEB, "tests", "browser", "engine-page.ts"),
    resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
  });
  await built.write({ file: join(folder, "engine-page.js"), format: "esm" });
  writeFileSync(join(folder, "index.html"), '<!doctype html><script type="module" src="engine-page.js"></script>');
  return folder;
}

/** An empty folder of this name. */
export function empty(name: string): string {
  const folder = join(BUILD, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}
