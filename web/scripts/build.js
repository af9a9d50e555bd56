/**
 * Builds the package into dist/ and, with --site, the page into a folder: `node scripts/build.js [--site FOLDER]`.
 *
 * Models and cards are those of runtime/models; LiteRT.js and the detector come from the packages that
 * package.json pins. Nothing is fetched.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import Ajv from "ajv/dist/2020.js";
import { rolldown } from "rolldown";
import { MODELS, releasedFiles, writeTable } from "./released.js";

const WEB = dirname(dirname(fileURLToPath(import.meta.url)));
const ROOT = dirname(WEB);
const DIST = join(WEB, "dist");
const DETECTOR = join("detectors", "detector_int8.tflite");
const SCHEMA = join(ROOT, "runtime", "card.schema.json");
const LITERT = join(WEB, "node_modules", "@litertjs", "core", "wasm");
const BLAZEFACE = join(
  WEB,
  "node_modules",
  "@mediapipe",
  "face_detection",
  "face_detection_short_range.tflite",
);
const BUILDS = { plain: "internal", compatible: "compat_internal", threaded: "threaded_internal" };

export async function buildPackage() {
  rmSync(DIST, { recursive: true, force: true });
  for (const folder of ["models", "litert"]) mkdirSync(join(DIST, folder), { recursive: true });
  writeTable();
  copyModels();
  copyEngine();
  cpSync(join(ROOT, "LICENSE"), join(DIST, "LICENSE"));
  await bundle();
  execFileSync(join(WEB, "node_modules", ".bin", "tsc"), ["--declaration", "--emitDeclarationOnly"], {
    cwd: WEB,
    stdio: "inherit",
  });
}

/** The released models and the detector: each file is checked against its card, and the card against the schema. */
function copyModels() {
  mkdirSync(join(DIST, "models", "detectors"), { recursive: true });
  const files = [...releasedFiles().map(([, file]) => file), DETECTOR];
  const check = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(SCHEMA, "utf8")));
  for (const file of files) {
    const card = JSON.parse(readFileSync(join(MODELS, `${file}.json`), "utf8"));
    if (!check(card)) throw new Error(`${file}.json: ${JSON.stringify(check.errors)}`);
    if (card.file !== basename(file))
      throw new Error(`${file}.json: expected file ${file}, got ${card.file}.`);
    const bytes = readFileSync(join(MODELS, file));
    if (createHash("sha256").update(bytes).digest("hex") !== card.sha256)
      throw new Error(`${file}: its sha256 is not its card's.`);
    writeFileSync(join(DIST, "models", file), bytes);
  }
  cpSync(BLAZEFACE, join(DIST, "models", basename(BLAZEFACE)));
}

/** LiteRT.js, packed: it is unpacked while it comes in, so that no server has to do it. */
function copyEngine() {
  cpSync(join(WEB, "LICENSE-APACHE"), join(DIST, "litert", "LICENSE"));
  cpSync(join(WEB, "NOTICE"), join(DIST, "litert", "NOTICE"));
  for (const [name, build] of Object.entries(BUILDS)) {
    const glue = readFileSync(join(LITERT, `litert_wasm_${build}.js`), "utf8");
    // The glue is a script that leaves `ModuleFactory`; a module worker takes modules alone. Webpack's minifier
    // takes the file for a script, too: without "use strict" it writes what no module may hold.
    writeFileSync(
      join(DIST, "litert", `${name}.js`),
      `"use strict";\n${glue}\nexport default ModuleFactory;\n`,
    );
    if (name === "threaded") writeFileSync(join(DIST, "litert", "threads.js"), glue);
    const wasm = gzipSync(readFileSync(join(LITERT, `litert_wasm_${build}.wasm`)), { level: 9 });
    writeFileSync(join(DIST, "litert", `${name}.wasm.gz`), wasm);
  }
}

async function bundle() {
  for (const name of ["index", "worker"]) {
    const built = await rolldown({
      input: join(WEB, "src", `${name}.ts`),
      resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
    });
    await built.write({ file: join(DIST, `${name}.js`), format: "esm" });
  }
}

/** The page: its own files, the package beside them, and a service worker that knows them all. */
export function buildSite(folder) {
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(WEB, "demo"), folder, { recursive: true, filter: (path) => !path.endsWith("tsconfig.json") });
  cpSync(DIST, join(folder, "ferkit"), { recursive: true, filter: (path) => !path.endsWith(".d.ts") });
  cpSync(join(ROOT, "demo", "astronaut.jpg"), join(folder, "astronaut.jpg"));
  for (const file of ["page.js", "drawing.js", "timeline.js"]) {
    const path = join(folder, file);
    if (existsSync(path))
      writeFileSync(path, readFileSync(path, "utf8").replaceAll('"../dist/', '"./ferkit/'));
  }
  const worker = join(folder, "service-worker.js");
  if (!existsSync(worker)) return;
  const files = filesOf(folder).filter((file) => file !== "service-worker.js");
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update(readFileSync(join(folder, file)));
  const text = readFileSync(worker, "utf8")
    .replace("/* FILES */ []", JSON.stringify(files))
    .replace('/* VERSION */ ""', JSON.stringify(hash.digest("hex").slice(0, 16)));
  writeFileSync(worker, text);
}

function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildPackage();
  const place = process.argv.indexOf("--site");
  if (place > 0) buildSite(join(process.cwd(), process.argv[place + 1]));
}
