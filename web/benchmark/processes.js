/** What a process and those that it started use, from /proc. */
import { readdirSync, readFileSync } from "node:fs";

const LOOK_MS = 500;

/** CPU milliseconds used so far. */
export function cpuMs(id) {
  return family(id).reduce((sum, { ticks }) => sum + 10 * ticks, 0);
}

/** Megabytes of memory that are theirs: not of files, and shared ones once. */
export function memoryMb(id) {
  const kilobytes = family(id).map(({ id }) => {
    const sizes = textOf(`/proc/${id}/smaps_rollup`).matchAll(/^Pss_(?:Anon|Shmem):\s+(\d+)/gm);
    return [...sizes].reduce((sum, match) => sum + Number(match[1]), 0);
  });
  return kilobytes.reduce((sum, size) => sum + size, 0) / 1024;
}

/**
 * Starts to watch how much of the processor other programs use; the function that it returns ends that, and gives the
 * cores that they used in the mean. It gives undefined where /proc doesn't tell.
 */
export function watchOthers(id) {
  const used = new Map(); // ticks by process: one that has ended keeps its last
  const look = () => family(id).forEach(({ id, ticks }) => used.set(id, ticks));
  const sum = () => [...used.values()].reduce((one, other) => one + other, 0);
  look();
  const [ownBefore, allBefore, start] = [sum(), busyTicks(), Date.now()];
  const timer = setInterval(look, LOOK_MS);
  return () => {
    clearInterval(timer);
    look();
    const ticks = busyTicks() - allBefore - (sum() - ownBefore);
    return Number.isFinite(ticks) ? Math.max(0, (10 * ticks) / (Date.now() - start)) : undefined;
  };
}

/** Ticks that all processors were busy for, since the machine was started; NaN where nothing tells. */
function busyTicks() {
  const [user, nice, system, , , irq, softirq] = textOf("/proc/stat").split(/\s+/).slice(1, 8).map(Number);
  return user + nice + system + irq + softirq;
}

function family(id) {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      const text = textOf(`/proc/${name}/stat`);
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      return { id: Number(name), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
    })
    .filter(({ ticks }) => ticks >= 0);
  const own = new Set([id]);
  for (let before = 0; before < own.size;) {
    before = own.size;
    for (const { id, parent } of all) if (own.has(parent)) own.add(id);
  }
  return all.filter(({ id }) => own.has(id));
}

function textOf(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it has ended since
  }
}
