/** The page's thread stays free, and memory stays what it is: 1,000 frames, or FERKIT_FRAMES of them. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { watchMemory } from "../../benchmark/memory.js";
import { demoScript, DONE, FIRST_LABEL, watchTasks } from "../../benchmark/tasks.js";
import { serve } from "../../scripts/serve.js";
import { CHROMIUM, launch } from "./chromium.js";
import { cameraFilm } from "./media.js";
import { plainSite, SITE } from "./sites.js";

const FRAMES = Number(process.env.FERKIT_FRAMES ?? 1000);
const PARTS = 5;
const WARM_UP_FRAMES = 500; // code that is often run is compiled, and what it saw is kept
const MOST_GROWTH_BYTES = 300_000; // no more than a frame of 320x240 pixels
const LONGEST_TASK_MS = 50;
const CAMERA_S = 3;
const FRAME_AFTER_FRAME = `<!doctype html>
<p>Happy?</p>
<script type="module">
  import { Recognizer } from "./ferkit/index.js";
  const image = new Image();
  image.src = "astronaut.jpg";
  await image.decode();
  const recognize = await Recognizer.create();
  const follow = recognize.stream();
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
  const context = canvas.getContext("2d");
  for (let frame = 0; frame < 100; frame++) {
    context.drawImage(image, frame, 0, 480, 480);
    await follow(canvas, frame / 30);
    if (frame === 0) performance.mark("${FIRST_LABEL}");
  }
  console.log("${DONE}");
</script>`;

describe.skipIf(!CHROMIUM)("no task of the page's thread is long", () => {
  /** From opening the page to its end. On a busy machine other programs' time counts as the task's own. */
  async function expectShortTasks(folder: string, path: string, script?: string): Promise<void> {
    const server = await serve(folder);
    const browser = await launch({ camera: cameraFilm() });
    const context = await browser.newContext({ permissions: ["camera"] });
    const found = await watchTasks(browser, await context.newPage(), server.url + path, script);
    await browser.close();
    await server.close();
    console.log(found);
    for (const part of [found.opening, found.running]) {
      expect(part.tasks).toBeGreaterThan(50);
      expect(process.env.FERKIT_QUIET ? part.longest_ms : part.longest_cpu_ms).toBeLessThan(LONGEST_TASK_MS);
    }
  }

  test("of a bare page that hands over frame after frame", async () => {
    const folder = plainSite();
    writeFileSync(join(folder, "frames.html"), FRAME_AFTER_FRAME);
    await expectShortTasks(folder, "frames.html");
  }, 180_000);

  test.skipIf(!existsSync(SITE))(
    "of the page with a camera",
    () => expectShortTasks(SITE, "", demoScript(CAMERA_S)),
    180_000,
  );
});

describe.skipIf(!CHROMIUM)("frame after frame", () => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof serve>>;
  let page: Page;
  let measure: Awaited<ReturnType<typeof watchMemory>>;

  beforeAll(async () => {
    server = await serve(plainSite());
    browser = await launch();
    page = await browser.newPage();
    await page.goto(server.url);
    await page.waitForFunction(() => "ferkit" in window);
    measure = await watchMemory(page);
    await page.evaluate(async () => {
      window.image = new Image();
      window.image.src = "astronaut.jpg";
      await window.image.decode();
      window.recognize = await window.ferkit.Recognizer.create();
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
      return found;
    }, frames);
  }

  test("page and worker hold no more than before, once their garbage is collected", async () => {
    expect(await look(WARM_UP_FRAMES)).toBeGreaterThan(0.97 * WARM_UP_FRAMES);
    const before = await measure();
    const sizes = [before.page + before.worker!];
    for (let part = 0; part < PARTS; part++) {
      expect(await look(FRAMES / PARTS)).toBeGreaterThan((0.97 * FRAMES) / PARTS);
      const now = await measure();
      sizes.push(now.page + now.worker!);
      expect(now.wasm).toBe(before.wasm);
      expect(now.bitmaps).toBe(0);
    }
    console.log(`${FRAMES} frames, KB held: ${sizes.map((size) => (size / 1e3).toFixed(0)).join(", ")}`);
    expect(sizes.at(-1)! - sizes[0]).toBeLessThan(MOST_GROWTH_BYTES);
  }, 1_200_000);

  test("a closed recognizer's worker is gone, and the page holds no more than before", async () => {
    const again = (times: number) =>
      page.evaluate(async (times) => {
        for (let time = 0; time < times; time++) {
          const recognize = await window.ferkit.Recognizer.create({ model: "edge_tiny" });
          await recognize(window.image);
          recognize.close();
        }
      }, times);
    await page.evaluate(() => window.recognize.close());
    await again(2);
    await expect.poll(async () => (await measure()).workers).toBe(0);
    const before = (await measure()).page;
    await again(8);
    await expect.poll(async () => (await measure()).workers).toBe(0);
    expect((await measure()).page - before).toBeLessThan(MOST_GROWTH_BYTES);
  }, 180_000);
});
