/**
 * Times and scores ours beside what users can have elsewhere, in one Chromium, into results/web.json.
 *
 *     node benchmark/run.js [--data FOLDER] [--sections first,page,speed,accuracy,parity,tasks,endurance] [--frames N]
 *         [--long N]
 *
 * FOLDER holds a folder of images per label. Peers are installed into a cache, outside of the checkout; they
 * are no dependency. Chromium has one core where `taskset` is there. Each section is saved when it is done.
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { cpus, homedir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { serve } from "../scripts/serve.js";
import { cpuMs, memoryMb, watchOthers } from "./processes.js";
import { writeFigures } from "./figures.js";
import { watchMemory } from "./memory.js";
import { demoScript, DONE, FIRST_LABEL, watchTasks } from "./tasks.js";

const WEB = dirname(dirname(fileURLToPath(import.meta.url)));
const ROOT = dirname(WEB);
const RESULTS = join(ROOT, "results", "web.json");
const SITE = join(ROOT, "build", "web-benchmark");
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "ferkit", "web-peers");
const PEERS = [
  "@vladmandic/face-api@1.7.15",
  "@vladmandic/human@3.3.6",
  "@tensorflow/tfjs-backend-wasm@4.22.0",
];
const CHROMIUM = process.env.FERKIT_CHROMIUM ?? "/usr/bin/chromium";
const QUIET = [
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const WARM_UP = 10;
const STARTS = 5;
const FACES = 500;
const PARTS = 5; // of the frames through which memory is watched
const WARM_UP_FRAMES = 1000; // until all code that is often run has been compiled
const CAMERA_S = 8;

const { values: options } = parseArgs({
  options: {
    data: { type: "string" },
    sections: { type: "string", default: "first,page,speed,accuracy,parity,tasks,endurance" },
    frames: { type: "string", default: "150" },
    long: { type: "string", default: "10000" },
  },
});

function installPeers() {
  mkdirSync(CACHE, { recursive: true });
  const names = PEERS.map((peer) => peer.slice(0, peer.lastIndexOf("@")));
  if (names.every((name) => existsSync(join(CACHE, "node_modules", name)))) return;
  writeFileSync(join(CACHE, "package.json"), '{ "private": true }');
  // Their own dependencies are bundled; install scripts would fetch what is not needed.
  execFileSync(
    "npm",
    ["install", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund", ...PEERS],
    { cwd: CACHE },
  );
}

function makeSite() {
  rmSync(SITE, { recursive: true, force: true });
  mkdirSync(SITE, { recursive: true });
  cpSync(join(WEB, "dist"), join(SITE, "ferkit"), { recursive: true });
  for (const file of ["page.js", "contestants.js", "tasks.js"])
    cpSync(join(WEB, "benchmark", file), join(SITE, file));
  cpSync(join(ROOT, "demo", "astronaut.jpg"), join(SITE, "portrait.jpg"));
  symlinkSync(join(CACHE, "node_modules"), join(SITE, "peers"));
  if (options.data)
    symlinkSync(join(process.cwd(), relative(process.cwd(), options.data)), join(SITE, "data"));
  const style = "<style>body { font: 16px sans-serif }</style>"; // a page has text, and its fonts at hand
  const script = '<script type="module" src="page.js"></script>';
  writeFileSync(join(SITE, "index.html"), `<!doctype html>${style}<p>Happy?</p>${script}`);
}

/** Chromium on one core, where the system can do that; resolves to the browser and the id of its process. */
async function launchOn(flags = []) {
  const script = join(SITE, "one-core.sh");
  const taskset = spawnSync("taskset", ["--version"]).status === 0 ? "taskset -c 0 " : "";
  writeFileSync(script, `#!/bin/sh\nexec ${taskset}${CHROMIUM} "$@"\n`);
  chmodSync(script, 0o755);
  const started = await chromium.launchServer({
    executablePath: script,
    headless: true,
    chromiumSandbox: false,
    args: [...QUIET, ...flags],
  });
  const browser = await chromium.connect(started.wsEndpoint());
  return { browser, id: started.process().pid, close: () => started.close() };
}

async function openPage(browser, url) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => "bench" in window);
  return page;
}

/** What a first visit loads, and how long it takes to the first label; each time with an empty cache. */
async function first(server, names) {
  const found = Object.fromEntries(names.map((name) => [name, { ms: [], cpu_ms: [] }]));
  for (let start = 0; start < STARTS; start++) {
    for (const name of names) {
      const { browser, id, close } = await launchOn();
      server.requests.length = 0;
      const before = cpuMs(id);
      const page = await openPage(browser, server.url);
      const { label, ms } = await page.evaluate((name) => window.bench.first(name, "portrait.jpg"), name);
      Object.assign(found[name], { label, ...bytesOf(server.requests) });
      found[name].ms.push(Math.round(ms));
      found[name].cpu_ms.push(cpuMs(id) - before);
      await close();
    }
  }
  for (const entry of Object.values(found))
    Object.assign(entry, { median_ms: median(entry.ms), median_cpu_ms: median(entry.cpu_ms) });
  return found;
}

/** Bytes of the contestant's own files. */
function bytesOf(requests) {
  return sizesOf(
    requests.filter(({ path }) => /^\/(ferkit|peers)\//.test(path)).map(({ path }) => join(SITE, path)),
  );
}

/** Bytes of files, as they are and gzipped. */
function sizesOf(paths) {
  const files = paths.map((path) => readFileSync(path));
  const sum = (sizes) => sizes.reduce((total, size) => total + size, 0);
  return {
    files: files.length,
    bytes: sum(files.map((file) => file.length)),
    gzip_bytes: sum(files.map((file) => gzipSync(file).length)),
  };
}

/** What a first visit to the page loads, and how long it takes to the example's label; then the package's size. */
async function page() {
  const folder = join(ROOT, "build", "web");
  const site = await serve(folder);
  const times = [];
  let files = [];
  for (let start = 0; start < STARTS; start++) {
    const { browser, close } = await launchOn();
    site.requests.length = 0;
    const opened = await (await browser.newContext()).newPage();
    await opened.addInitScript({ content: demoScript(0) });
    const done = opened.waitForEvent("console", { predicate: (message) => message.text() === DONE });
    await opened.goto(site.url, { waitUntil: "commit" });
    await done;
    await opened.waitForSelector("html[data-offline]");
    const ms = await opened.evaluate((mark) => performance.getEntriesByName(mark)[0].startTime, FIRST_LABEL);
    times.push(Math.round(ms));
    files = site.requests.map(({ path }) => join(folder, path.endsWith("/") ? `${path}index.html` : path));
    await close();
  }
  await site.close();
  const packed = execFileSync("npm", ["pack", "--dry-run", "--json"], { cwd: WEB, encoding: "utf8" });
  return {
    ms: times,
    median_ms: median(times),
    ...sizesOf([...new Set(files)]),
    package_bytes: JSON.parse(packed)[0].unpackedSize,
  };
}

/** Milliseconds a frame, interleaved in one page; then the CPU time of each one's frames by themselves. */
async function speed(server, names) {
  const { browser, id, close } = await launchOn();
  const page = await openPage(browser, server.url);
  const frames = Number(options.frames);
  const { times, labels } = await page.evaluate(
    ([names, frames, warmUp]) => window.bench.speed(names, "portrait.jpg", frames, warmUp),
    [names, frames, WARM_UP],
  );
  const cpu = {};
  for (const name of names) {
    const before = cpuMs(id);
    await page.evaluate(
      ([name, frames]) => window.bench.speed([name], "portrait.jpg", frames, 0),
      [name, frames],
    );
    cpu[name] = (cpuMs(id) - before) / frames;
  }
  await close();
  const summary = (name) => {
    const sorted = [...times[name]].sort((one, other) => one - other);
    const mean = sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length;
    return {
      median_ms: round(median(sorted)),
      p95_ms: round(sorted[Math.floor(0.95 * sorted.length)]),
      frames_per_s: round(1000 / mean),
      cpu_ms: round(cpu[name]),
      labels: labels[name],
    };
  };
  return { frames, size: "640x480", ...Object.fromEntries(names.map((name) => [name, summary(name)])) };
}

/** Shares of labelled images that are labelled right; a face that isn't found counts as wrong. */
async function accuracy(server, names) {
  if (!options.data) return undefined;
  const images = readdirSync(options.data).flatMap((label) =>
    readdirSync(join(options.data, label))
      .sort()
      .map((file) => `${label}/${file}`),
  );
  const { browser, close } = await launchOn();
  const found = {};
  for (const name of names) {
    const page = await openPage(browser, server.url);
    found[name] = await page.evaluate(
      ([name, paths]) => window.bench.labels(name, paths),
      [name, images.map((image) => `data/${image}`)],
    );
    await page.context().close();
  }
  await close();
  const python = fromPython("images", options.data);
  if (python) found["ferkit in Python"] = images.map((image) => python[image]);
  const score = (labels) => ({
    right: round(
      labels.filter((label, index) => label === images[index].split("/")[0]).length / images.length,
      4,
    ),
    found: round(labels.filter((label) => label !== null).length / images.length, 4),
  });
  const differing = python && images.filter((image, index) => python[image] !== found.ferkit[index]).length;
  return {
    images: images.length,
    labels_differing: differing,
    ...Object.fromEntries(Object.entries(found).map(([name, labels]) => [name, score(labels)])),
  };
}

/** Labels and scores of FER2013 faces, the same file in the browser and in Python. */
async function parity(server) {
  const python = fromPython("faces", String(FACES));
  if (!python) return undefined;
  const faces = python.faces.map((text) => [...Buffer.from(text, "base64")]);
  const { browser, close } = await launchOn();
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${server.url}engine.html`);
  await page.waitForFunction(() => "scoresOf" in window);
  const scores = await page.evaluate(
    (faces) => window.scoresOf("plain", "models/edge_int8.tflite", faces, 1),
    faces,
  );
  await close();
  const likeliest = (row) => row.indexOf(Math.max(...row));
  const gaps = scores.map((row, face) =>
    Math.max(...row.map((score, label) => Math.abs(score - python.scores[face][label]))),
  );
  const differing = scores.filter((row, face) => likeliest(row) !== likeliest(python.scores[face])).length;
  return { faces: scores.length, labels_differing: differing, largest_gap: Math.max(...gaps) };
}

/** How long a page's thread is busy at a time: an empty page's, the page's with a camera, one's that hands over frames. */
async function tasks(server) {
  const film = join(SITE, "camera.mjpeg"); // motion JPEG: JPEG after JPEG
  writeFileSync(film, Buffer.concat(Array(30).fill(readFileSync(join(SITE, "portrait.jpg")))));
  const camera = ["--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${film}`];
  const site = await serve(join(ROOT, "build", "web"));
  const wait = (ms) => `await new Promise((resolve) => setTimeout(resolve, ${ms}));`;
  const script = `${wait(1500)} performance.mark("${FIRST_LABEL}"); ${wait(500)} console.log("${DONE}");`;
  writeFileSync(
    join(SITE, "empty.html"),
    `<!doctype html><p>Happy?</p><script type="module">${script}</script>`,
  );
  const pages = {
    empty: [`${server.url}empty.html`], // what any page's opening takes here
    page: [site.url, demoScript(CAMERA_S)],
    frames: [`${server.url}#frames=${options.frames}`],
  };
  const found = {};
  for (let start = 0; start < STARTS; start++) {
    for (const [name, [url, script]] of Object.entries(pages)) {
      const { browser, close } = await launchOn(camera);
      const context = await browser.newContext({ permissions: ["camera"] });
      const summary = await watchTasks(browser, await context.newPage(), url, script);
      (found[name] ??= []).push(summary);
      await close();
    }
  }
  await site.close();
  return found;
}

/** What page and worker hold as frames go by, and the memory of all of the browser's processes. */
async function endurance(server) {
  const { browser, id, close } = await launchOn();
  const page = await openPage(browser, server.url);
  const measure = await watchMemory(page);
  const frames = Number(options.long);
  const found = { frames, page_mb: [], worker_mb: [], wasm_mb: [], open_bitmaps: [], processes_mb: [] };
  for (const part of [WARM_UP_FRAMES, ...Array(PARTS).fill(frames / PARTS)]) {
    await page.evaluate((part) => window.bench.speed(["ferkit"], "portrait.jpg", part, 0), part);
    const held = await measure();
    found.page_mb.push(round(held.page / 1e6));
    found.worker_mb.push(round(held.worker / 1e6));
    found.wasm_mb.push(round(held.wasm / 1e6));
    found.open_bitmaps.push(held.bitmaps);
    found.processes_mb.push(round(memoryMb(id), 1));
  }
  await close();
  return found;
}

/** What the Python runtime says; undefined where it, or its data, is not there. */
function fromPython(kind, argument) {
  const python = process.env.FERKIT_PYTHON ?? join(ROOT, ".venv", "bin", "python");
  if (!existsSync(python)) return undefined;
  const run = spawnSync(python, ["-m", "benchmarks.comparison.python_answers", kind, argument], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (run.status === 0) return JSON.parse(run.stdout);
  console.error(run.stderr.split("\n").slice(-3).join("\n"));
  return undefined;
}

function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function round(value, digits = 2) {
  return Number(value.toFixed(digits));
}

installPeers();
makeSite();
if (options.sections.includes("parity")) {
  const { engineSite } = await import("./engine_site.js");
  await engineSite(SITE);
}
const server = await serve(SITE);
const { CONTESTANTS } = await import("./contestants.js");
const names = Object.keys(CONTESTANTS);
const SECTIONS = { first, page, speed, accuracy, parity, tasks, endurance };
const results = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, "utf8")) : { web_version: 1 };
results.peers = PEERS;
for (const section of options.sections.split(",")) {
  const others = watchOthers(process.pid);
  const found = await SECTIONS[section](server, names);
  const cores = others();
  if (!found) continue;
  const device = {
    processor: cpus()[0].model,
    cores_of_chromium: 1,
    cores_of_others: cores === undefined ? undefined : round(cores),
  };
  results[section] = { measured: new Date().toISOString().slice(0, 10), device, ...found };
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 1)}\n`);
  console.log(section, JSON.stringify(results[section], null, 1));
}
await server.close();
const { browser, close } = await launchOn();
results.browser = `Chromium ${browser.version()}`;
await close();
writeFileSync(RESULTS, `${JSON.stringify(results, null, 1)}\n`);
writeFigures(results, join(ROOT, "docs", "browser.md"));
