/** The table of results/web.json, for docs/browser.md. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const BEGIN = "<!-- web-benchmark -->";
const END = "<!-- /web-benchmark -->";

/** Puts the table between its marks in a page, where that is there. */
export function writeTable(results, path) {
  if (!existsSync(path)) return;
  const text = readFileSync(path, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) return;
  writeFileSync(path, `${text.slice(0, begin + BEGIN.length)}\n${tableOf(results)}\n${text.slice(end)}`);
}

export function tableOf({ first = {}, speed = {}, accuracy = {} }) {
  const names = Object.keys(speed).filter((name) => speed[name]?.median_ms !== undefined);
  const rows = names.map((name) => [
    name,
    megabytes(first[name]?.bytes),
    megabytes(first[name]?.gzip_bytes),
    first[name] ? (first[name].median_ms / 1000).toFixed(2) : "-",
    speed[name].median_ms.toFixed(1),
    speed[name].p95_ms.toFixed(1),
    speed[name].cpu_ms.toFixed(1),
    speed[name].frames_per_s.toFixed(0),
    accuracy[name] ? `${(100 * accuracy[name].right).toFixed(1)} %` : "-",
    accuracy[name] ? `${(100 * accuracy[name].found).toFixed(1)} %` : "-",
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
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, column) => (column ? "---:" : "---"))), ...rows.map(line)].join("\n");
}

function megabytes(bytes) {
  return bytes === undefined ? "-" : (bytes / 1e6).toFixed(2);
}
