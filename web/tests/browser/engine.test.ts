/** The engine in a real browser gives LiteRT's scores of the golden faces, with every build. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { ISOLATION, serve } from "../../scripts/serve.js";
import { bytesOf, GOLDEN } from "../golden.js";
import { CHROMIUM, launch } from "./chromium.js";
import { engineSite } from "./sites.js";

const FACES: number[][] = GOLDEN.crops.map((crop: { face: string }) => [...bytesOf(crop.face)]);
const MODELS = GOLDEN.models.filter(({ file }: { file: string }) =>
  /^(runtime\/models\/.*|tests\/data\/(three|twelve)_fp32)\.tflite$/.test(file),
);
const LARGEST_GAP = 1e-3;
// Dynamic-range products are rounded once a face, and the LSTM's 48 steps add up: 0.0012 was measured.
const LARGEST_GAP_OF_LSTM = 1.5e-3;

describe.skipIf(!CHROMIUM)("LiteRT.js", () => {
  let browser: Browser;
  let page: Page;
  let server: Awaited<ReturnType<typeof serve>>;

  beforeAll(async () => {
    server = await serve(await engineSite(), { headers: ISOLATION });
    browser = await launch();
    page = await browser.newPage();
    await page.goto(server.url);
    await page.waitForFunction(() => "scoresOf" in window);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const builds = ["plain", "compatible", "threaded"];
  test.each(builds.flatMap((build) => MODELS.map((model: { file: string }) => ({ build, ...model }))))(
    "$build: $file",
    async ({ build, file, scores }) => {
      const name = file.split("/").pop()!;
      const most = name.startsWith("cnn_lstm") ? LARGEST_GAP_OF_LSTM : LARGEST_GAP;
      const threads = build === "threaded" ? 2 : 1;
      const got: number[][] = await page.evaluate(
        ([build, model, faces, threads]) => window.scoresOf(build, model, faces, threads),
        [build, `models/${name}`, FACES, threads] as const,
      );
      got.forEach((row, index) => {
        expect(likeliest(row)).toBe(likeliest(scores[index]));
        row.forEach((score, label) => {
          expect(Math.abs(score - scores[index][label])).toBeLessThan(most);
        });
      });
    },
  );

  test("a model with int8 input is refused with the reason", async () => {
    const failed = page.evaluate(() => window.scoresOf("plain", "models/tiny_int8_io.tflite", [], 1));
    await expect(failed).rejects.toThrow(/float32 input and output/);
  });
});

function likeliest(scores: number[]): number {
  return scores.indexOf(Math.max(...scores));
}
