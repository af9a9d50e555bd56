/** The package in a project with Vite, built and in development: nothing is copied, no path is set. */
import { afterEach, beforeAll, afterAll, describe, expect, test } from "vitest";
import type { Browser } from "playwright-core";
import { join } from "node:path";
import { build, createServer } from "vite";
import { serve } from "../../scripts/serve.js";
import { CHROMIUM, launch } from "./chromium.js";
import { project } from "./sites.js";

const SCRIPT = `
import { Recognizer } from "ferkit";
const recognize = await Recognizer.create();
const image = new Image();
image.src = "/astronaut.jpg";
await image.decode();
const faces = await recognize(image);
document.title = faces.map((face) => face.label).join();
`;

describe.skipIf(!CHROMIUM)("with Vite", () => {
  let browser: Browser;
  const open: { close(): Promise<unknown> }[] = [];

  beforeAll(async () => {
    browser = await launch();
  });
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });
  afterAll(() => browser?.close());

  async function titleOf(address: string): Promise<string> {
    const page = await browser.newPage();
    open.push(page);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(address);
    await page.waitForFunction(() => document.title, undefined, { timeout: 20_000 }).catch(() => {});
    expect(complaints).toEqual([]);
    return page.title();
  }

  test("it runs when built", async () => {
    const root = project("vite-build", SCRIPT);
    await build({ root, configFile: false, logLevel: "error", build: { target: "esnext" } });
    const server = await serve(join(root, "dist"));
    open.push(server);
    expect(await titleOf(server.url)).toBe("happy");
  });

  test("it runs in development", async () => {
    const root = project("vite-dev", SCRIPT);
    const server = await createServer({
      root,
      configFile: false,
      logLevel: "error",
      server: { port: 0, host: "localhost" },
    });
    open.push(server);
    await server.listen();
    expect(await titleOf(server.resolvedUrls!.local[0])).toBe("happy");
  });
});
