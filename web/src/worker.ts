/** Everything that takes time, off the page's thread: the engine, the detector, the faces. */
import { blazeface } from "./blazeface.js";
import { checkCard, checkDetectorCard } from "./card.js";
import { FACE_SIDE } from "./crop.js";
import { loadLiteRt, openNetwork, type Build, type LiteRt, type Network } from "./engine.js";
import { FerkitError, textOf } from "./errors.js";
import { ferkit } from "./ferkit.js";
import { readModel } from "./files.js";
import type { Answer, Opening, Question, Request } from "./messages.js";
import type { Frame } from "./pixels.js";
import { facesOf, FaceStream, type Eyes } from "./stream.js";
import type { Card, Face } from "./types.js";

const streams = new Map<number, FaceStream>();
let eyes: Eyes | undefined;
let canvas: OffscreenCanvasRenderingContext2D | undefined;

// One request after the other: the first one opens what the others need.
let last = Promise.resolve();
addEventListener("message", ({ data }: MessageEvent<Request>) => {
  last = last.then(() => answer(data)).catch((error: unknown) => report(error, data));
});

async function answer(request: Request): Promise<void> {
  if (request.kind === "open") return open(request);
  if (request.kind === "frame") return say({ kind: "faces", id: request.id, faces: look(request) });
  if (request.kind === "reset") streams.get(request.stream)?.reset();
  if (request.kind === "forget") streams.delete(request.stream);
}

function look({ pixels, stream, timeS }: Question): Face[] {
  if (!eyes) throw new FerkitError("closed", "The recognizer was not opened.");
  const frame = frameOf(pixels);
  if (!stream) return facesOf(eyes, frame);
  let known = streams.get(stream.id);
  if (!known) streams.set(stream.id, (known = new FaceStream(eyes, stream.options)));
  return known.next(frame, timeS);
}

/** The pixels of a frame, which is used up. */
function frameOf(pixels: ImageBitmap | ImageData): Frame {
  if (pixels instanceof ImageData) return pixels;
  const { width, height } = pixels;
  if (canvas?.canvas.width !== width || canvas.canvas.height !== height) {
    canvas = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
  }
  canvas.globalCompositeOperation = "copy";
  canvas.drawImage(pixels, 0, 0);
  pixels.close();
  return canvas.getImageData(0, 0, width, height);
}

async function open({ builds, model, detector, threads }: Opening): Promise<void> {
  const ability = await abilities();
  const used = ability.threads ? threads : 1;
  const build = used > 1 ? builds.threaded : ability.relaxedSimd ? builds.plain : builds.compatible;
  const [litert, { card, file }, finder] = await Promise.all([
    load(build),
    readModel(model, checkCard),
    readModel(detector, checkDetectorCard),
  ]);
  const network = await openModel(litert, file, card, model.url, used);
  const finding = await openNetwork(litert, finder.file, detector.url, used);
  const found = finder.card ? ferkit(finding, finder.card, detector.url) : blazeface(finding);
  eyes = { card, detector: found, classify: (face) => network.run(Float32Array.from(face))[0] };
  // Both once, so that the first frame is as fast as the others.
  eyes.classify(new Uint8Array(FACE_SIDE * FACE_SIDE));
  found.detect({ data: new Uint8Array(4), width: 1, height: 1 });
  say({ kind: "opened", card, detector: found.name, threads: used });
}

/** Opens a classifier, which has to have the input and output of its card. */
async function openModel(
  litert: LiteRt,
  file: Uint8Array,
  card: Card,
  url: string,
  threads: number,
): Promise<Network> {
  for (const [field, { dtype }] of Object.entries({ input: card.input, output: card.output })) {
    if (dtype === "float32") continue;
    throw new FerkitError(
      "model",
      `${url}: expected float32 input and output, got ${field} ${dtype}, which LiteRT.js doesn't take. ` +
        `Take the file whose name lacks "_io".`,
      url,
    );
  }
  const network = await openNetwork(litert, file, url, threads);
  const got = `${network.inputShape.join("x")} -> ${network.outputShapes.map((shape) => shape.join("x")).join(", ")}`;
  const expected = `1x${FACE_SIDE}x${FACE_SIDE}x1 -> 1x${card.labels.length}`;
  if (got === expected) return network;
  throw new FerkitError("model", `${url}: expected a classifier of faces, ${expected}, got ${got}.`, url);
}

async function load(build: Build): Promise<LiteRt> {
  try {
    return await loadLiteRt(build);
  } catch (error) {
    if (error instanceof FerkitError) throw error;
    throw new FerkitError(
      "engine",
      `${build.glue}: LiteRT.js can't be started: ${textOf(error)}.`,
      build.glue,
    );
  }
}

/** What this browser's WebAssembly has. The bytes are LiteRT.js's own: a function with one instruction. */
async function abilities(): Promise<{ relaxedSimd: boolean; threads: boolean }> {
  const relaxed = [
    1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11,
  ];
  const relaxedSimd = WebAssembly.validate(Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, ...relaxed]));
  return { relaxedSimd, threads: relaxedSimd && globalThis.crossOriginIsolated === true };
}

function say(answer: Answer): void {
  postMessage(answer);
}

function report(error: unknown, request: Request): void {
  const id = request.kind === "frame" ? request.id : null;
  const known =
    error instanceof FerkitError ? error : new FerkitError("engine", `The engine failed: ${textOf(error)}.`);
  say({ kind: "error", id, code: known.code, message: known.message, subject: known.subject });
}
