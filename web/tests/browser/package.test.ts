/** The package in a page without a bundler: sources, streams, errors, the end. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { serve } from "../../scripts/serve.js";
import { CHROMIUM, launch } from "./chromium.js";
import { cameraFilm } from "./media.js";
import { plainSite } from "./sites.js";
import type * as Ferkit from "../../src/index.js";

declare global {
  interface Window {
    ferkit: typeof Ferkit;
    image: HTMLImageElement;
    recognize: Ferkit.Recognizer;
  }
}

describe.skipIf(!CHROMIUM)("the package", () => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof serve>>;
  let page: Page;

  beforeAll(async () => {
    server = await serve(plainSite());
    browser = await launch({
      camera: cameraFilm(),
      args: ["--host-resolver-rules=MAP insecure.test 127.0.0.1"],
    });
    const context = await browser.newContext({ permissions: ["camera"] });
    page = await context.newPage();
    await page.goto(server.url);
    await page.waitForFunction(() => "ferkit" in window);
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

  /** The code and message of what `Recognizer.create` rejects with. */
  function refusal(options: object | null): Promise<string> {
    return page.evaluate(async (options) => {
      try {
        (await window.ferkit.Recognizer.create(options as Ferkit.RecognizerOptions)).close();
        return "none";
      } catch (error) {
        if (!(error instanceof window.ferkit.FerkitError)) return `another error: ${error}`;
        return `${error.code}: ${error.message}`;
      }
    }, options);
  }

  test("every kind of image gives the same face", async () => {
    const faces = await page.evaluate(async () => {
      const { image, recognize } = window;
      const canvas = Object.assign(document.createElement("canvas"), { width: 512, height: 512 });
      canvas.getContext("2d")!.drawImage(image, 0, 0);
      const offscreen = new OffscreenCanvas(512, 512);
      offscreen.getContext("2d")!.drawImage(image, 0, 0);
      const bitmap = await createImageBitmap(image);
      const pixels = canvas.getContext("2d")!.getImageData(0, 0, 512, 512);
      const answers = [];
      for (const source of [image, canvas, offscreen, bitmap, pixels]) answers.push(await recognize(source));
      if (!bitmap.width) throw new Error("the bitmap was used up");
      return answers.map((faces) =>
        faces.map(({ box, label, scores, id }) => ({ box, label, score: scores[3], id })),
      );
    });
    for (const answer of faces) {
      expect(answer).toHaveLength(1);
      expect(answer[0]).toMatchObject({ label: "happy", id: null });
      expect(answer[0].box).toEqual(faces[0][0].box);
      expect(answer[0].score).toBeCloseTo(faces[0][0].score, 5);
    }
  });

  // tests/web/test_vitest.py says what Python finds.
  const inPython = process.env.FERKIT_FACES_IN_PYTHON;
  test.skipIf(!inPython)("the portrait's face is Python's", async () => {
    const faces = await page.evaluate(async () =>
      (await window.recognize(window.image)).map(({ box, label, confidence, scores }) => ({
        box,
        label,
        confidence,
        scores: [...scores],
      })),
    );
    const expected: typeof faces = JSON.parse(inPython!);
    expect(faces.map(({ box, label }) => ({ box, label }))).toEqual(
      expected.map(({ box, label }) => ({ box, label })),
    );
    faces.forEach(({ confidence, scores }, face) => {
      expect(confidence).toBeCloseTo(expected[face].confidence, 3);
      scores.forEach((score, label) => expect(score).toBeCloseTo(expected[face].scores[label], 3));
    });
  });

  test.each([
    ["blazeface", "blazeface"],
    ["detector_int8.tflite", "ferkit"],
  ])("with the detector %s the portrait is happy", async (detector, expected) => {
    const [name, label] = await page.evaluate(async (detector) => {
      const recognize = await window.ferkit.Recognizer.create({ detector });
      const [face] = await recognize(window.image);
      recognize.close();
      return [recognize.detector, face.label];
    }, detector);
    expect([name, label]).toEqual([expected, "happy"]);
  });

  test("images asked for at once are all answered, in their order", async () => {
    const counts = await page.evaluate(async () => {
      const nobody = new ImageData(64, 48);
      const answers = await Promise.all(
        [window.image, nobody, window.image].map((source) => window.recognize(source)),
      );
      return answers.map((faces) => faces.length);
    });
    expect(counts).toEqual([1, 0, 1]);
  });

  test("a camera's face keeps its id, and calls made meanwhile share an answer", async () => {
    const { ids, shared, smoothed } = await page.evaluate(async () => {
      const { ferkit, recognize } = window;
      const stream = await ferkit.openCamera();
      const ids: (number | null)[] = [];
      let smoothed = true;
      for (let frame = 0; frame < 10; frame++) {
        for (const face of await recognize(stream)) {
          ids.push(face.id);
          smoothed &&= face.smoothed && face.frameScores !== null;
        }
      }
      const answers = await Promise.all(Array.from({ length: 5 }, () => recognize(stream)));
      stream.getTracks().forEach((track) => track.stop());
      return { ids, shared: new Set(answers).size, smoothed };
    });
    expect(new Set(ids)).toEqual(new Set([1]));
    expect(ids.length).toBe(10);
    expect(smoothed).toBe(true);
    expect(shared).toBeLessThanOrEqual(2);
  });

  test("each call looks at another frame of a camera", async () => {
    const [before, after] = await page.evaluate(async () => {
      const video = document.createElement("video");
      video.srcObject = await window.ferkit.openCamera();
      await video.play();
      const before = video.getVideoPlaybackQuality().totalVideoFrames;
      for (let call = 0; call < 8; call++) await window.recognize(video);
      (video.srcObject as MediaStream).getTracks().forEach((track) => track.stop());
      return [before, video.getVideoPlaybackQuality().totalVideoFrames];
    });
    expect(after).toBeGreaterThanOrEqual(before + 7);
  });

  test("a video that jumps is waited for, and closing ends that", async () => {
    const answers = await page.evaluate(async () => {
      const video = document.createElement("video");
      video.muted = true;
      video.src = URL.createObjectURL(await (await fetch("portrait.webm")).blob());
      await video.play();
      const counts = [];
      for (const timeS of [1, 0.2, 1.5]) {
        video.currentTime = timeS;
        counts.push((await window.recognize(video)).length);
      }
      const recognize = await window.ferkit.Recognizer.create();
      Object.defineProperty(video, "seeking", { value: true }); // it never arrives
      const waiting = recognize(video).catch((error) => error.code);
      recognize.close();
      return [...counts, await waiting];
    });
    expect(answers).toEqual([1, 1, 1, "closed"]);
  });

  test("a video that is paused is looked at as it stands", async () => {
    const counts = await page.evaluate(async () => {
      const video = document.createElement("video");
      video.srcObject = await window.ferkit.openCamera();
      await video.play();
      video.pause();
      const counts = [];
      for (let call = 0; call < 3; call++) counts.push((await window.recognize(video)).length);
      (video.srcObject as MediaStream).getTracks().forEach((track) => track.stop());
      return counts;
    });
    expect(counts).toEqual([1, 1, 1]);
  });

  test("without isolation headers one thread runs, whatever is asked for", async () => {
    const threads = await page.evaluate(async () => {
      const recognize = await window.ferkit.Recognizer.create({ threads: 4 });
      await recognize(window.image);
      recognize.close();
      return recognize.threads;
    });
    expect(threads).toBe(1);
  });

  test("frames that a camera showed meanwhile are counted as dropped", async () => {
    const [before, after] = await page.evaluate(async () => {
      const video = document.createElement("video");
      video.srcObject = await window.ferkit.openCamera();
      await video.play();
      await window.recognize(video);
      const before = window.recognize.dropped;
      const first = video.getVideoPlaybackQuality().totalVideoFrames;
      while (video.getVideoPlaybackQuality().totalVideoFrames < first + 10)
        await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
      await window.recognize(video);
      (video.srcObject as MediaStream).getTracks().forEach((track) => track.stop());
      return [before, window.recognize.dropped];
    });
    expect(after).toBeGreaterThanOrEqual(before + 9);
  });

  test.each([
    ["NotAllowedError", "permission-denied"],
    ["NotFoundError", "no-camera"],
    ["NotReadableError", "camera-busy"],
  ])("a browser that answers %s is explained as %s", async (name, code) => {
    const answer = await page.evaluate(async (name) => {
      const { mediaDevices } = navigator;
      mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", name));
      const answer = await window.ferkit.openCamera().catch((error) => error.code);
      delete (mediaDevices as Partial<MediaDevices>).getUserMedia; // the browser's own is there again
      return answer;
    }, name);
    expect(answer).toBe(code);
  });

  test("a browser without WebAssembly is told so", async () => {
    const other = await browser.newPage();
    await other.addInitScript(() => delete (globalThis as { WebAssembly?: unknown }).WebAssembly);
    await other.goto(server.url);
    await other.waitForFunction(() => "ferkit" in window);
    expect(await other.evaluate(() => window.ferkit.Recognizer.create().catch((error) => error.code))).toBe(
      "no-webassembly",
    );
    await other.close();
  });

  test("a stream of one's own follows frames, smoothed as asked", async () => {
    const faces = await page.evaluate(async () => {
      const follow = window.recognize.stream({ smoothing: false });
      const answers = [];
      for (let frame = 0; frame < 3; frame++) answers.push(...(await follow(window.image, frame / 25)));
      follow.reset();
      answers.push(...(await follow(window.image, 1)));
      return answers.map(({ id, smoothed, frameScores }) => ({ id, smoothed, frameScores }));
    });
    expect(faces.map(({ id }) => id)).toEqual([1, 1, 1, 2]);
    expect(faces.every(({ smoothed, frameScores }) => !smoothed && frameScores === null)).toBe(true);
  });

  test("frames handed over at once are followed in their order", async () => {
    const lefts = await page.evaluate(async () => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
      const context = canvas.getContext("2d")!;
      const follow = window.recognize.stream({ detectEvery: 1 });
      const answers = Array.from({ length: 8 }, (_, frame) => {
        context.drawImage(window.image, 10 * frame, 0, 480, 480);
        return follow(canvas, frame / 25);
      });
      return (await Promise.all(answers)).map((faces) => ({ id: faces[0].id, left: faces[0].box[0] }));
    });
    expect(lefts.every(({ id }) => id === 1)).toBe(true);
    lefts.slice(1).forEach(({ left }, index) => expect(left).toBeGreaterThan(lefts[index].left));
  });

  test("a threshold above the score makes the label uncertain", async () => {
    const face = await page.evaluate(async () => {
      const follow = window.recognize.stream({ threshold: 0.999 });
      return (await follow(window.image, 0))[0];
    });
    expect(face).toMatchObject({ label: "uncertain", uncertain: true });
    expect(face.score).toBeGreaterThan(0.9);
  });

  test.each([
    [{ model: "nobody" }, /^option: Expected model to be one of .*edge, .*got "nobody"/],
    [{ detector: "nobody" }, /^option: Expected detector to be one of ferkit, blazeface/],
    [{ threads: 0 }, /^option: Expected threads/],
    [{ threshold: 2 }, /^option: Expected threshold/],
    [{ smoothing: -1 }, /^option: Expected smoothing/],
    [{ threshold: "0.4" }, /^option: Expected threshold .*, got "0.4"/],
    [{ treshold: 0.5 }, /^option: Expected options of .*, got treshold/],
    [{ toString: 1 }, /^option: Expected options of .*, got toString/],
    [null, /^option: Expected options as an object, got null/],
    [{ model: "missing.tflite" }, /^file: .*missing\.tflite.*404.*the card lies beside the file/],
    [{ model: "tiny_int8_io.tflite" }, /^model: .*float32 input and output/],
    [
      { model: "ferkit/models/face_detection_short_range.tflite" },
      /^file: .*short_range\.tflite\.json: .*404/,
    ],
    [{ detector: "missing.tflite" }, /^file: .*missing\.tflite.*404/],
    [{ detector: "tiny_fp32.tflite" }, /^card: .*kind "detector", got none/],
    [{ model: "detector_int8.tflite" }, /^card: .*a model's card, which has no kind/],
    [{ detector: "changed/detector_int8.tflite" }, /^card: .*expected sha256/],
    [{ baseUrl: "broken" }, /^engine: .*broken\/litert\/plain\.js/],
    [{ baseUrl: "unlinkable" }, /^engine: .*unlinkable\/litert\/plain\.js/],
    [{ baseUrl: "nowhere/" }, /^no-worker: .*Serve ferkit's folder/],
    [{ model: "tiny_fp32.tflite" }, /^none$/],
    [{ model: "three_fp32.tflite" }, /^none$/],
    [{ model: "twelve_fp32.tflite" }, /^none$/],
    [{ baseUrl: "ferkit" }, /^none$/],
  ])("%j: %s", async (options, expected) => {
    expect(await refusal(options)).toMatch(expected);
  });

  test("what is no source is refused in words", async () => {
    const messages = await page.evaluate(async () => {
      const sources = [null, 3, "image.jpg", new Image(), document.createElement("video")];
      const found = [];
      for (const source of sources) {
        found.push(
          await window.recognize(source as never).catch((error) => `${error.code}: ${error.message}`),
        );
      }
      return found;
    });
    for (const message of messages)
      expect(message).toMatch(/^source: Expected a video, camera stream, image/);
    expect(messages[3]).toContain("HTMLImageElement");
  });

  test("options that JSON can't hold are refused in words", async () => {
    const messages = await page.evaluate(async () => {
      const found = [];
      for (const options of [{ threshold: NaN }, { smoothing: Infinity }, { threads: 2n }]) {
        const refused = window.ferkit.Recognizer.create(options as never);
        found.push(await refused.catch((error) => `${error.code}: ${error.message}`));
      }
      return found;
    });
    expect(messages[0]).toMatch(/^option: .*got NaN/);
    expect(messages[1]).toMatch(/^option: .*got Infinity/);
    expect(messages[2]).toMatch(/^option: .*got 2/);
  });

  test("a stream takes a stream's options alone; those left out are the recognizer's", async () => {
    const [unknown, model, none, label] = await page.evaluate(async () => {
      const recognize = await window.ferkit.Recognizer.create({ threshold: 0.999 });
      const refused = (options: unknown) => {
        try {
          recognize.stream(options as Ferkit.StreamOptions);
          return "none";
        } catch (error) {
          return `${(error as Ferkit.FerkitError).code}: ${(error as Error).message}`;
        }
      };
      const [face] = await recognize.stream({ threshold: undefined })(window.image, 0);
      const answers = [refused({ treshold: 1 }), refused({ model: "cnn" }), refused(null), face.label];
      recognize.close();
      return answers;
    });
    expect(unknown).toMatch(/^option: Expected options of smoothing, .*, got treshold/);
    expect(model).toMatch(/^option: Expected options of smoothing, .*, got model/);
    expect(none).toMatch(/^option: Expected options as an object/);
    expect(label).toBe("uncertain");
  });

  test("a stream forgets its faces between the frames before and after", async () => {
    const ids = await page.evaluate(async () => {
      const follow = window.recognize.stream();
      const before = follow(window.image, 0);
      follow.reset();
      const after = follow(window.image, 0.04);
      return [(await before)[0].id, (await after)[0].id];
    });
    expect(ids).toEqual([1, 2]);
  });

  test("an image from elsewhere without CORS is refused in words, and the next image is answered", async () => {
    const [message, count] = await page.evaluate(async () => {
      const image = new Image();
      image.src = new URL("astronaut.jpg", location.href.replace("localhost", "127.0.0.1")).href;
      await image.decode();
      const message = await window.recognize(image).catch((error) => `${error.code}: ${error.message}`);
      return [message, (await window.recognize(window.image)).length];
    });
    expect(message).toMatch(/^source: .*crossOrigin/);
    expect(count).toBe(1);
  });

  test("pixels that were handed away are refused, and the next image is answered", async () => {
    const [code, count] = await page.evaluate(async () => {
      const pixels = new ImageData(64, 64);
      structuredClone(pixels.data.buffer, { transfer: [pixels.data.buffer] });
      const code = await window.recognize(pixels).catch((error) => error.code);
      return [code, (await window.recognize(window.image)).length];
    });
    expect([code, count]).toEqual(["source", 1]);
  });

  test("pixels that are no bytes, or of another colour space, are converted", async () => {
    const answers = await page.evaluate(async () => {
      const pixelsIn = (settings: ImageDataSettings) => {
        const context = new OffscreenCanvas(512, 512).getContext("2d", settings)!;
        context.drawImage(window.image, 0, 0);
        return context.getImageData(0, 0, 512, 512, settings);
      };
      const kinds = [{}, { colorSpace: "display-p3" }, { pixelFormat: "rgba-float16" }];
      const answers = [];
      for (const settings of kinds) {
        const [{ box, scores }] = await window.recognize(pixelsIn(settings as ImageDataSettings));
        answers.push({ box, score: scores[3] });
      }
      return answers;
    });
    for (const { box, score } of answers.slice(1)) {
      box.forEach((side, index) => expect(Math.abs(side - answers[0].box[index])).toBeLessThanOrEqual(1));
      expect(score).toBeCloseTo(answers[0].score, 1); // the box may be a pixel off
    }
  });

  test("streams without video are refused instead of waited for", async () => {
    const codes = await page.evaluate(async () => {
      const camera = await window.ferkit.openCamera();
      camera.getTracks().forEach((track) => track.stop());
      const streams = [new MediaStream(), new AudioContext().createMediaStreamDestination().stream, camera];
      const codes = [];
      for (const stream of streams) codes.push(await window.recognize(stream).catch((error) => error.code));
      return codes;
    });
    expect(codes).toEqual(["source", "source", "source"]);
  });

  test("who closes while a camera's first frame is waited for is told so", async () => {
    const code = await page.evaluate(async () => {
      const recognize = await window.ferkit.Recognizer.create();
      const camera = await window.ferkit.openCamera();
      const waiting = recognize(camera).catch((error) => error.code);
      recognize.close();
      camera.getTracks().forEach((track) => track.stop());
      return waiting;
    });
    expect(code).toBe("closed");
  });

  test("odd sizes are looked at, too", async () => {
    const counts = await page.evaluate(async () => {
      const sizes = [
        [1, 1],
        [1, 500],
        [500, 1],
        [31, 17],
        [4000, 16],
      ];
      const found = [];
      for (const [width, height] of sizes)
        found.push((await window.recognize(new ImageData(width, height))).length);
      return found;
    });
    expect(counts).toEqual([0, 0, 0, 0, 0]);
  });

  test("a closed recognizer refuses, and whoever waits gets the reason", async () => {
    const codes = await page.evaluate(async () => {
      const recognize = await window.ferkit.Recognizer.create();
      const follow = recognize.stream();
      const waiting = recognize(window.image).catch((error) => error.code);
      recognize.close();
      recognize.close();
      return [
        await waiting,
        await recognize(window.image).catch((e) => e.code),
        await follow(window.image, 0).catch((e) => e.code),
      ];
    });
    expect(codes).toEqual(["closed", "closed", "closed"]);
  });

  test("a policy without wasm-unsafe-eval is named", async () => {
    const strict = await serve(plainSite(), {
      headers: { "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline'" },
    });
    const other = await browser.newPage();
    await other.goto(strict.url);
    await other.waitForFunction(() => "ferkit" in window);
    const text = await other.evaluate(() =>
      window.ferkit.Recognizer.create().then(
        () => "none",
        (e) => `${e.code}: ${e.message}`,
      ),
    );
    expect(text).toMatch(/^no-webassembly: .*'wasm-unsafe-eval'/);
    await other.close();
    await strict.close();
  });

  test("on an insecure origin images are labelled, and the camera's refusal says why", async () => {
    const other = await browser.newPage();
    await other.goto(server.url.replace("localhost", "insecure.test"));
    await other.waitForFunction(() => "ferkit" in window);
    const answers = await other.evaluate(async () => {
      const image = new Image();
      image.src = "astronaut.jpg";
      await image.decode();
      const recognize = await window.ferkit.Recognizer.create();
      const [face] = await recognize(image);
      return [face.label, await window.ferkit.openCamera().catch((error) => error.code)];
    });
    expect(answers).toEqual(["happy", "insecure-origin"]);
    await other.close();
  });
});
