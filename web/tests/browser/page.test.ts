/** The page in a real browser: a camera, a video and an image, refused and without a network. */
import { appendFileSync, cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import axe from "axe-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { ISOLATION, serve } from "../../scripts/serve.js";
import { GOLDEN, ROOT } from "../golden.js";
import { CHROMIUM, launch } from "./chromium.js";
import { cameraFilm, PORTRAIT, VIDEO } from "./media.js";
import { empty, SITE } from "./sites.js";

const cardOf = (file: string) => JSON.parse(readFileSync(new URL(`${file}.json`, ROOT), "utf8"));

type Server = Awaited<ReturnType<typeof serve>>;

describe.skipIf(!CHROMIUM || !existsSync(SITE))("the page", () => {
  let browser: Browser;
  let server: Server;
  const contexts: BrowserContext[] = [];

  beforeAll(async () => {
    server = await serve(SITE);
    browser = await launch({ camera: cameraFilm() });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  /** The page, loaded, and what it complained of. */
  async function open(options: BrowserContextOptions = {}, address = server.url) {
    const context = await browser.newContext({ permissions: ["camera"], ...options });
    contexts.push(context);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    await page.goto(address);
    await page.waitForSelector("html[data-ready][data-offline]");
    return { page, context, complaints };
  }

  const textOf = (page: Page, id: string) => page.textContent(`#${id}`);
  const framesOf = async (page: Page) =>
    Number(/(\d+) frames,/.exec((await textOf(page, "numbers"))!)?.[1] ?? 0);

  test("the camera's face is happy, and nothing leaves the device", async () => {
    const { page, complaints } = await open();
    const before = server.requests.length;
    const requests: string[] = [];
    page.context().on("request", (request) => requests.push(request.url()));
    await page.click("#camera");
    await page.waitForFunction(() =>
      /^Face \d+: happy$/.test(document.querySelector("#faces h3")?.textContent ?? ""),
    );
    const first = await framesOf(page);
    await page.waitForFunction(
      (first) =>
        Number(/(\d+) frames,/.exec(document.querySelector("#numbers")!.textContent!)![1]) > first + 10,
      first,
    );
    expect(await page.getAttribute("#timeline", "aria-label")).toMatch(/^happy \d+ %/);
    await page.click("#stop");
    expect(await textOf(page, "message")).toBe("Stopped.");
    expect(requests).toEqual([]);
    expect(server.requests.length).toBe(before);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("once it is loaded, neither example, image, video nor camera asks a server for anything", async () => {
    const { page, context } = await open();
    const asked = server.requests.length;
    const addresses: string[] = [];
    context.on("request", (request) => {
      if (!request.url().startsWith("blob:")) addresses.push(new URL(request.url()).pathname);
    });
    await page.click("#example");
    await page.waitForFunction(
      () => document.getElementById("message")!.textContent === "astronaut.jpg: 1 face.",
    );
    for (const [file, words] of [
      [VIDEO, "portrait.webm: done."],
      [PORTRAIT, "astronaut.jpg: 1 face."],
    ]) {
      await page.setInputFiles("#chosen", file);
      await page.waitForFunction((words) => document.getElementById("message")!.textContent === words, words);
    }
    await page.click("#camera");
    await page.waitForSelector("#faces h3");
    await page.click("#stop");
    expect(addresses.filter((address) => address !== "/astronaut.jpg")).toEqual([]); // out of the page's cache
    expect(server.requests.length).toBe(asked);
    await context.close();
  });

  test("in a folder of another site it works, too", async () => {
    const outer = await serve(dirname(SITE));
    const { page, complaints } = await open({}, `${outer.url}${basename(SITE)}/`);
    await outer.close();
    await page.reload();
    await page.waitForSelector("html[data-ready]");
    await page.click("#example");
    await page.waitForFunction(
      () => document.getElementById("message")!.textContent === "astronaut.jpg: 1 face.",
    );
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("a first visit loads one model, one detector and one engine: 4.0 MB, gzipped, at most", async () => {
    const own = await serve(SITE);
    const { page } = await open({}, own.url);
    await page.click("#example");
    await page.waitForFunction(
      () => document.getElementById("message")!.textContent === "astronaut.jpg: 1 face.",
    );
    const files = [...new Set(own.requests.map(({ path }) => path))].filter((path) => !path.endsWith("/"));
    expect(files.filter((path) => path.endsWith(".tflite")).sort()).toEqual([
      "/ferkit/models/detectors/detector_int8.tflite",
      "/ferkit/models/edge_int8.tflite",
    ]);
    expect(files.filter((path) => path.endsWith(".wasm.gz"))).toHaveLength(1);
    const sizes = ["index.html", ...files].map((path) => gzipSync(readFileSync(join(SITE, path))).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(4_000_000);
    await page.context().close();
    await own.close();
  });

  test("an image is labelled, and its line has the fields of ferkit run", async () => {
    const { page, complaints } = await open();
    await page.setInputFiles("#chosen", PORTRAIT);
    await page.waitForFunction(
      () => document.getElementById("message")!.textContent === "astronaut.jpg: 1 face.",
    );
    expect(await textOf(page, "faces")).toContain("Face 1: happy");
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#export")]);
    const line = JSON.parse(readFileSync((await download.path())!, "utf8"));
    expect(Object.keys(line)).toEqual([
      "source",
      "frame",
      "time_s",
      "face",
      "id",
      "box",
      "label",
      "scores",
      "smoothed",
      "confidence",
    ]);
    expect(line).toMatchObject({
      source: "astronaut.jpg",
      frame: 0,
      time_s: 0,
      face: 0,
      id: null,
      label: "happy",
      smoothed: false,
    });
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("a video's face keeps its id to the end", async () => {
    const { page, complaints } = await open();
    // Slowly, so that a busy machine sees enough of its frames.
    await page.evaluate(() => (document.querySelector("video")!.defaultPlaybackRate = 0.25));
    await page.setInputFiles("#chosen", VIDEO);
    await page.waitForFunction(
      () => document.getElementById("message")!.textContent === "portrait.webm: done.",
    );
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#export")]);
    const lines = readFileSync((await download.path())!, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.length).toBeGreaterThan(5);
    expect(new Set(lines.map((line) => line.id))).toEqual(new Set([1]));
    expect(lines.at(-1).label).toBe("happy");
    expect(lines.at(-1).box[0]).toBeGreaterThan(lines[0].box[0] + 10);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("each video's frames are counted from its beginning", async () => {
    const { page } = await open();
    const playsToItsEnd = async () => {
      await page.setInputFiles("#chosen", VIDEO);
      await page.waitForFunction(() => document.getElementById("message")!.textContent!.endsWith("plays."));
      await page.waitForFunction(() => document.getElementById("message")!.textContent!.endsWith("done."));
      return (await textOf(page, "numbers"))!;
    };
    await page.evaluate(() => (document.querySelector("video")!.defaultPlaybackRate = 4)); // so that frames are dropped
    const dropped = Number(/(\d+) dropped/.exec(await playsToItsEnd())![1]);
    expect(dropped).toBeGreaterThan(0);
    await page.evaluate(() => (document.querySelector("video")!.defaultPlaybackRate = 0.25));
    const frames = /(\d+) frames, (\d+) dropped/.exec(await playsToItsEnd())!;
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#export")]);
    const lines = readFileSync((await download.path())!, "utf8")
      .trim()
      .split("\n");
    const last = JSON.parse(lines.at(-1)!).frame;
    expect(last).toBe(Number(frames[1]) - 1 + Number(frames[2]));
    expect(JSON.parse(lines[0]).frame).toBe(0);
    await page.context().close();
  });

  test("what can't be shown leaves nothing of the run before", async () => {
    const { page } = await open();
    await page.click("#example");
    await page.waitForSelector("#faces h3");
    await page.setInputFiles("#chosen", { name: "no.mp4", mimeType: "video/mp4", buffer: Buffer.from("no") });
    await page.waitForFunction(() =>
      document.getElementById("message")!.textContent!.startsWith("no.mp4: this browser can't play it"),
    );
    expect(await page.$$("#faces h3")).toEqual([]);
    expect(await textOf(page, "numbers")).toBe("");
    expect(await page.isDisabled("#export")).toBe(true);
    expect(await page.getAttribute("#timeline", "aria-label")).toBe("No labels yet.");
    expect(await page.isVisible(".hint")).toBe(true);
    const isBlank = await page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>("#overlay")!;
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      return data.every((value) => value === 0);
    });
    expect(isBlank).toBe(true);
    await page.context().close();
  });

  test("a file that is dropped before the model is there is not called empty", async () => {
    const { page } = await open();
    const message = await page.evaluate(async () => {
      const example = await (await fetch("astronaut.jpg")).blob();
      const files = new DataTransfer();
      files.items.add(new File([example], "astronaut.jpg", { type: "image/jpeg" }));
      document.getElementById("model")!.dispatchEvent(new Event("change")); // loads a model
      dispatchEvent(new DragEvent("drop", { dataTransfer: files, cancelable: true }));
      await new Promise((resolve) => setTimeout(resolve));
      return document.getElementById("message")!.textContent;
    });
    expect(message).toMatch(/^There is no model yet/);
    await page.context().close();
  });

  test("every released model can be chosen, the default first", async () => {
    const { page, complaints } = await open();
    const names = await page.$$eval("#model option", (options) =>
      options.map((option) => (option as HTMLOptionElement).value),
    );
    const released = GOLDEN.models
      .filter(({ file }: { file: string }) => /^runtime\/models\/[^/]+\.tflite$/.test(file))
      .map(({ file }: { file: string }) => cardOf(file).model);
    expect(names[0]).toBe(GOLDEN.default_model);
    expect([...names].sort()).toEqual([...new Set(released)].sort());
    for (const name of names.slice(1)) {
      await page.selectOption("#model", name);
      await page.waitForFunction(() => document.getElementById("message")!.textContent!.startsWith("Ready"));
      await page.click("#example");
      await page.waitForFunction(
        (name) => document.getElementById("numbers")!.textContent!.includes(`${name} with`),
        name,
      );
      expect(await textOf(page, "faces")).toContain("Face 1: happy");
    }
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("of models that are chosen one after the other the last one stays, alone", async () => {
    const { page, complaints } = await open();
    for (const name of ["cnn", "edge_tiny", "cnn_lstm", "edge_large", "edge"])
      await page.selectOption("#model", name);
    await page.waitForFunction(() => document.getElementById("message")!.textContent!.startsWith("Ready"));
    await expect.poll(() => page.workers().length, { timeout: 10_000 }).toBe(1);
    await page.click("#example");
    await page.waitForFunction(() => document.getElementById("numbers")!.textContent!.includes("edge with"));
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("below the chosen threshold a camera's face is uncertain", async () => {
    const { page } = await open();
    await page.fill("#threshold", "100");
    await page.waitForFunction(() => document.getElementById("message")!.textContent!.startsWith("Ready"));
    expect(await textOf(page, "threshold-shown")).toBe("100 %");
    await page.click("#camera");
    await page.waitForFunction(() =>
      /uncertain$/.test(document.querySelector("#faces h3")?.textContent ?? ""),
    );
    await page.context().close();
  });

  test("with isolation headers the engine has threads", async () => {
    const isolated = await serve(SITE, { headers: ISOLATION });
    const { page, complaints } = await open({}, isolated.url);
    await page.click("#camera");
    await page.waitForFunction(() => /happy/.test(document.querySelector("#faces h3")?.textContent ?? ""));
    expect(await textOf(page, "numbers")).toMatch(/[2-9] threads/);
    expect(complaints).toEqual([]);
    await page.context().close();
    await isolated.close();
  });

  test("it works without a network after the first visit", async () => {
    const own = await serve(SITE);
    const { page, context } = await open({}, own.url);
    await own.close();
    await context.setOffline(true);
    await page.reload();
    await page.waitForSelector("html[data-ready]");
    await page.click("#example");
    await page.waitForFunction(
      () => document.getElementById("message")!.textContent === "astronaut.jpg: 1 face.",
    );
    expect(await textOf(page, "faces")).toContain("happy");
    await context.close();
  });

  test("a new version waits until the page is closed, then works without a network, too", async () => {
    const folder = empty("update");
    cpSync(SITE, folder, { recursive: true });
    // As many servers do: the browser may take files out of its own cache.
    const own = await serve(folder, { headers: { "Cache-Control": "max-age=600" } });
    const { page, context } = await open({}, own.url);
    appendFileSync(join(folder, "page.css"), "body { --version: new; }");
    const worker = join(folder, "service-worker.js");
    writeFileSync(worker, readFileSync(worker, "utf8").replace(/`ferkit-.*`/, "`ferkit-new`"));
    await page.reload();
    const isWaiting = () =>
      page.evaluate(async () => Boolean((await navigator.serviceWorker.getRegistration())?.waiting));
    await expect.poll(isWaiting, { timeout: 30_000, interval: 200 }).toBe(true);
    const versionOf = (page: Page) =>
      page.evaluate(() => getComputedStyle(document.body).getPropertyValue("--version"));
    expect(await versionOf(page)).toBe("");
    await page.close();
    await own.close();
    await context.setOffline(true);
    let later = await context.newPage();
    const version = async () => {
      await later.close(); // as long as it is there, the old version stays
      later = await context.newPage();
      await later.goto(own.url);
      return versionOf(later);
    };
    await expect.poll(version, { timeout: 30_000, interval: 500 }).toBe("new");
    await later.waitForSelector("html[data-ready]");
    await later.click("#example");
    await later.waitForFunction(
      () => document.getElementById("message")!.textContent === "astronaut.jpg: 1 face.",
    );
    expect(await later.evaluate(() => caches.keys())).toEqual(["ferkit-new"]);
    await context.close();
  });

  test("a file that is no image is refused in words", async () => {
    const { page } = await open();
    await page.setInputFiles("#chosen", {
      name: "notes.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("no image"),
    });
    await page.waitForFunction(() =>
      document.getElementById("message")!.textContent!.startsWith("notes.txt: expected an image"),
    );
    await page.context().close();
  });

  test.each(["light", "dark"] as const)("axe finds nothing in the %s page", async (colorScheme) => {
    const { page } = await open({ colorScheme });
    await page.click("#example");
    await page.waitForFunction(
      () => document.getElementById("message")!.textContent === "astronaut.jpg: 1 face.",
    );
    await page.evaluate(axe.source); // the page's own policy lets no other script in
    const { violations } = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html)}`)).toEqual([]);
    await page.context().close();
  });

  test("on a phone nothing is wider than the screen", async () => {
    const { page } = await open({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
    await page.tap("#example");
    await page.waitForFunction(
      () => document.getElementById("message")!.textContent === "astronaut.jpg: 1 face.",
    );
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await page.context().close();
  });

  test("every control is reached and worked by the keyboard", async () => {
    const { page } = await open();
    const reached: string[] = [];
    for (let step = 0; step < 6; step++) {
      await page.keyboard.press("Tab");
      reached.push(await page.evaluate(() => document.activeElement!.id));
    }
    expect(reached).toEqual(expect.arrayContaining(["camera", "file", "example", "model", "threshold"]));
    await page.getByRole("combobox", { name: "Model, accuracy on FER2013, size" }).focus();
    await page.getByRole("slider", { name: "Uncertain below" }).press("ArrowRight");
    expect(await page.getAttribute("#threshold", "aria-valuetext")).toBe("45 %");
    await page.waitForFunction(() => document.getElementById("message")!.textContent!.startsWith("Ready"));
    await page.focus("#example");
    await page.keyboard.press("Enter");
    await page.waitForFunction(
      () => document.getElementById("message")!.textContent === "astronaut.jpg: 1 face.",
    );
    await page.context().close();
  });
});

describe.skipIf(!CHROMIUM || !existsSync(SITE))("the page without a camera", () => {
  test.each([
    { name: "there is none", args: [], permissions: ["camera"], words: "There is no camera" },
    {
      name: "it is refused",
      args: ["--use-fake-device-for-media-stream", "--deny-permission-prompts"],
      permissions: [],
      words: "The camera is not allowed here",
    },
  ])("$name", async ({ args, permissions, words }) => {
    const server = await serve(SITE);
    const browser = await launch({ args });
    const page = await (await browser.newContext({ permissions })).newPage();
    await page.goto(server.url);
    await page.waitForSelector("html[data-ready]");
    await page.click("#camera");
    await page.waitForFunction(
      (words) => document.getElementById("message")!.textContent!.startsWith(words),
      words,
    );
    await browser.close();
    await server.close();
  });
});
