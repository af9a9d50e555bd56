/** Folders that tests serve, made below build/. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
  for (const name of ["tiny_int8_io.tflite", "three_fp32.tflite", "twelve_fp32.tflite"]) {
    cpSync(join(ROOT, "tests", "data", name), join(folder, "models", name));
  }
  const built = await rolldown({
    input: join(WEB, "tests", "browser", "engine-page.ts"),
    resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
  });
  await built.write({ file: join(folder, "engine-page.js"), format: "esm" });
  writeFileSync(
    join(folder, "index.html"),
    '<!doctype html><script type="module" src="engine-page.js"></script>',
  );
  return folder;
}

/** An empty folder of this name. */
export function empty(name: string): string {
  const folder = join(BUILD, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The package as npm packs and unpacks it, in a project of its own with this page. */
export function project(name: string, script: string): string {
  const folder = empty(name);
  const installed = join(folder, "node_modules", "ferkit");
  mkdirSync(installed, { recursive: true });
  const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: WEB });
  const [{ filename }] = JSON.parse(packed.toString());
  execFileSync("tar", ["-xzf", join(folder, filename), "-C", installed, "--strip-components=1"]);
  cpSync(join(ROOT, "demo", "astronaut.jpg"), join(folder, "public", "astronaut.jpg"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "index.html"), '<!doctype html><script type="module" src="/main.js"></script>');
  writeFileSync(join(folder, "main.js"), script);
  return folder;
}

/** A detector by itself with its card, and one that was changed since its card was written. */
function detectors(folder: string): void {
  const name = "detector_int8.tflite";
  const models = join(ROOT, "runtime", "models", "detectors");
  for (const place of [".", "changed"]) {
    mkdirSync(join(folder, place), { recursive: true });
    for (const file of [name, `${name}.json`]) cpSync(join(models, file), join(folder, place, file));
  }
  const changed = readFileSync(join(models, name));
  changed[1000] ^= 1;
  writeFileSync(join(folder, "changed", name), changed);
}

/** The package with WebAssembly that compiles and asks for what the glue doesn't have. */
function unlinkable(folder: string): void {
  cpSync(join(WEB, "dist"), folder, { recursive: true });
  const importing = [2, 7, 1, 1, 109, 1, 102, 0, 0]; // the function m.f
  const wasm = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, ...importing];
  writeFileSync(join(folder, "litert", "plain.wasm.gz"), Uint8Array.from(wasm));
}

/** A page without a bundler: `window.ferkit` is the package. */
export function plainSite(): string {
  const folder = empty("plain");
  cpSync(join(WEB, "dist"), join(folder, "ferkit"), { recursive: true });
  cpSync(join(ROOT, "demo", "astronaut.jpg"), join(folder, "astronaut.jpg"));
  cpSync(join(WEB, "tests", "data", "portrait.webm"), join(folder, "portrait.webm"));
  for (const name of ["tiny_fp32.tflite", "tiny_int8_io.tflite", "three_fp32.tflite", "twelve_fp32.tflite"]) {
    cpSync(join(ROOT, "tests", "data", name), join(folder, name));
    cpSync(join(ROOT, "tests", "data", `${name}.json`), join(folder, `${name}.json`));
  }
  detectors(folder);
  cpSync(join(WEB, "dist", "worker.js"), join(folder, "broken", "worker.js"));
  cpSync(join(WEB, "dist", "models"), join(folder, "broken", "models"), { recursive: true });
  mkdirSync(join(folder, "broken", "litert"));
  writeFileSync(
    join(folder, "broken", "litert", "plain.js"),
    "export default () => { throw new Error('no'); };",
  );
  cpSync(join(WEB, "dist", "litert", "plain.wasm.gz"), join(folder, "broken", "litert", "plain.wasm.gz"));
  unlinkable(join(folder, "unlinkable"));
  const script = 'import * as ferkit from "./ferkit/index.js"; window.ferkit = ferkit;';
  writeFileSync(join(folder, "index.html"), `<!doctype html><script type="module">${script}</script>`);
  return folder;
}
