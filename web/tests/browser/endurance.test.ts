/** The page stays responsive, and memory stays what it is: 1,000 frames, or FERKIT_FRAMES of them. */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { serve } from "../../scripts/serve.js";
import { CHROMIUM, launch } from "./chromium.js";
import { plainSite } from "./sites.js";

const FRAMES = Number(process.env.FERKIT_FRAMES ?? 1000);
const PARTS = 5;
const MOST_GROWTH_MB = 30; // garbage that is collected at some time
const LONGEST_TASK_MS = 50;
// The seed, which its pages' processes are given, tells this browser from others.
const FLAGS = `--expose-gc --random-seed=${process.pid}`;

describe.skipIf(!CHROMIUM)("frame after frame", () => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof serve>>;
  let page: Page;

  beforeAll(async () => {
    server = await serve(plainSite());
    browser = await launch({ args: [`--js-flags=${FLAGS}`] });
    page = await browser.newPage();
    await page.goto(server.url);
    await page.waitForFunction(() => "ferkit" in window);
    await page.evaluate(async () => {
      window.image = new Image();
      window.image.src = "astronaut.jpg";
      await window.image.decode();
    });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  /** Looks at frames in which the portrait moves; every tenth is an image by itself. */
  function look(frames: number): Promise<number> {
    return page.evaluate(async (frames) => {
      const follow = window.recognize.stream();
      const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
      const context = canvas.getContext("2d")!;
      let found = 0;
      for (let frame = 0; frame < frames; frame++) {
        context.clearRect(0, 0, 320, 240);
        context.drawImage(window.image, 40 + 30 * Math.sin(frame / 10), 0, 240, 240);
        const faces = frame % 10 ? await follow(canvas, frame / 30) : await window.recognize(canvas);
        found += faces.length;
      }
      (globalThis as unknown as { gc(): void }).gc();
      return found;
    }, frames);
  }

  test("no task of the page is long", async () => {
    const longest = await page.evaluate(async () => {
      const tasks: number[] = [];
      new PerformanceObserver((list) =>
        tasks.push(...list.getEntries().map((entry) => entry.duration)),
      ).observe({ entryTypes: ["longtask"] });
      window.recognize = await window.ferkit.Recognizer.create();
      const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
      const context = canvas.getContext("2d")!;
      const follow = window.recognize.stream();
      for (let frame = 0; frame < 100; frame++) {
        context.drawImage(window.image, frame, 0, 480, 480);
        await follow(canvas, frame / 30);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
      return Math.max(0, ...tasks);
    });
    console.log(`the longest task took ${longest.toFixed(0)} ms`);
    // On a busy machine other programs' time counts as the task's own.
    expect(longest).toBeLessThan(process.env.FERKIT_QUIET ? LONGEST_TASK_MS : 10 * LONGEST_TASK_MS);
  });

  test("memory doesn't grow", async () => {
    expect(await look(300)).toBeGreaterThan(290);
    const sizes = [megabytes()];
    for (let part = 0; part < PARTS; part++) {
      expect(await look(FRAMES / PARTS)).toBeGreaterThan((0.97 * FRAMES) / PARTS);
      sizes.push(megabytes());
    }
    console.log(`${FRAMES} frames, MB by and by: ${sizes.map((size) => size.toFixed(0)).join(", ")}`);
    expect(sizes.at(-1)! - sizes[0]).toBeLessThan(MOST_GROWTH_MB);
  }, 1_200_000);

  test("closed recognizers leave nothing behind", async () => {
    const again = (times: number) =>
      page.evaluate(async (times) => {
        for (let time = 0; time < times; time++) {
          const recognize = await window.ferkit.Recognizer.create({ model: "edge_tiny" });
          await recognize(window.image);
          recognize.close();
        }
        (globalThis as unknown as { gc(): void }).gc();
        await new Promise((resolve) => setTimeout(resolve, 500));
      }, times);
    await again(3);
    const before = megabytes();
    await again(8);
    expect(megabytes() - before).toBeLessThan(2 * MOST_GROWTH_MB);
  });
});

/** Memory of this browser's pages that is their own. */
function megabytes(): number {
  let kilobytes = 0;
  for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${id}/cmdline`, "utf8");
      if (!command.includes("--type=renderer") || !command.includes(FLAGS)) continue;
      kilobytes += Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1] ?? 0);
    } catch {
      // It has ended since.
    }
  }
  return kilobytes / 1024;
}
