/** The figures of results/web.json, for docs/browser.md. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const BEGIN = "<!-- web-benchmark -->";
const END = "<!-- /web-benchmark -->";
const BUSY = 0.2; // cores that other programs used meanwhile, from which on times are too long

/** Puts the figures between their marks in a page, where that is there. */
export function writeFigures(results, path) {
  if (!existsSync(path)) return;
  const text = readFileSync(path, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) return;
  writeFileSync(path, `${text.slice(0, begin + BEGIN.length)}\n${figuresOf(results)}\n${text.slice(end)}`);
}

export function figuresOf(results) {
  return [machineOf(results), tableOf(results), goalsOf(results)].filter(Boolean).join("\n\n");
}

/** Where and when it was measured, and whether the machine was quiet. */
function machineOf({ browser, speed }) {
  if (!speed) return "";
  const { measured, device } = speed;
  const place = `${browser ?? "Chromium"} on one core of ${device.processor}, ${measured}.`;
  if (!isBusy(device)) return place;
  return (
    `${place} Other programs used ${device.cores_of_others.toFixed(1)} cores meanwhile, so seconds and milliseconds ` +
    "are too long.\nThe ratios hold, because the contestants take turns."
  );
}

/** Whether other programs took much of the processor while a section was measured. */
function isBusy({ cores_of_others: cores = 0 }) {
  return cores > BUSY;
}

export function tableOf({ first = {}, speed = {}, accuracy = {} }) {
  const names = Object.keys(speed).filter((name) => speed[name]?.median_ms !== undefined);
  const rows = names.map((name) => [
    name,
    megabytes(first[name]?.bytes),
    megabytes(first[name]?.gzip_bytes),
    first[name] ? seconds(first[name].median_ms) : "-",
    speed[name].median_ms.toFixed(1),
    speed[name].p95_ms.toFixed(1),
    speed[name].cpu_ms.toFixed(1),
    speed[name].frames_per_s.toFixed(0),
    accuracy[name] ? percent(accuracy[name].right) : "-",
    accuracy[name] ? percent(accuracy[name].found) : "-",
  ]);
  const head = [
    "",
    "MB",
    "MB gzip",
    "first label, s",
    "ms a frame",
    "p95 ms",
    "CPU ms a frame",
    "frames/s",
    "right",
    "faces found",
  ];
  return table(head, rows);
}

/** What was to be reached, and what was. */
export function goalsOf({ page, first, speed, accuracy, parity, tasks, endurance }) {
  const rows = [];
  const add = (words, goal, got) => rows.push([words, goal, got]);
  if (page) {
    add("a first visit to the page, gzip, MB", "at most 4.0", megabytes(page.gzip_bytes));
    add("the example's label after opening the page, s", "at most 2", seconds(page.median_ms));
    add("the package, unpacked, MB", "at most 15", megabytes(page.package_bytes));
  }
  if (first) add("first label of a bare page, cache empty, s", "at most 2", seconds(first.ferkit.median_ms));
  if (speed) {
    const others = Object.entries(speed).filter(
      ([name, entry]) => entry.frames_per_s && !/^ferkit/.test(name),
    );
    const best = Math.max(...others.map(([, entry]) => entry.frames_per_s));
    const goal = `at least 30, and more than every peer's (${best.toFixed(0)})`;
    add("frames/s", goal, speed.ferkit.frames_per_s.toFixed(0));
  }
  if (parity) {
    const words = `labels that differ from Python's on ${parity.faces} PrivateTest faces`;
    add(
      words,
      "at most 2",
      `${parity.labels_differing} (scores within ${parity.largest_gap.toExponential(0)})`,
    );
  }
  const python = accuracy?.["ferkit in Python"];
  if (python) {
    const { labels_differing: differing } = accuracy;
    const got = `${percent(accuracy.ferkit.right)}${differing === undefined ? "" : `; ${differing} labels differ`}`;
    add(
      `right on ${accuracy.images} photographs`,
      `within 1 point of Python's ${percent(python.right)}`,
      got,
    );
  }
  if (tasks) rows.push(...taskRows(tasks));
  if (endurance) rows.push(...memoryRows(endurance));
  return rows.length ? table(["", "goal", "measured"], rows) : "";
}

/** The longest task of each start: the middle one of the starts, and the worst. */
function taskRows({ device, empty, page, frames }) {
  const longest = (starts, part) => {
    const of = (name) => starts.map((start) => start[part][name]);
    const worst = Math.max(...of("longest_ms")).toFixed(0);
    const cpuMs = Math.max(...of("longest_cpu_ms")).toFixed(0);
    return `${middle(of("longest_ms")).toFixed(0)}, at worst ${worst} (on the processor ${cpuMs})`;
  };
  const busy = isBusy(device) ? ", on a busy machine" : "";
  const row = (words, goal, starts, part) => [
    `longest task of the page's thread, ms: ${words}`,
    goal,
    longest(starts, part) + busy,
  ];
  return [
    row("the page opens, to the first label", "under 50", page, "opening"),
    row("the page follows a camera", "under 50", page, "running"),
    row("a bare page opens, to the first label", "under 50", frames, "opening"),
    row("a bare page hands over frame after frame", "under 50", frames, "running"),
    row("an empty page opens, for comparison", "", empty, "opening"),
  ];
}

function memoryRows({ frames, page_mb: page, worker_mb: worker, wasm_mb: wasm, processes_mb: processes }) {
  const watched = `through ${frames.toLocaleString("en")} frames`;
  const list = (sizes, digits) => sizes.map((size) => size.toFixed(digits)).join(", ");
  return [
    [`MB that the page holds ${watched}`, "no growth", list(page, 2)],
    [`MB that the worker holds ${watched}`, "no growth", list(worker, 2)],
    [`MB of the engine's WebAssembly ${watched}`, "no growth", list(wasm, 2)],
    [`MB of all processes of the browser ${watched}`, "no growth", list(processes, 0)],
  ];
}

function middle(values) {
  return [...values].sort((one, other) => one - other)[values.length >> 1];
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, column) => (column ? "---:" : "---"))), ...rows.map(line)].join("\n");
}

function megabytes(bytes) {
  return bytes === undefined ? "-" : (bytes / 1e6).toFixed(2);
}

function seconds(ms) {
  return (ms / 1000).toFixed(2);
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
