/** The files inside the package: each is found beside the code, wherever a bundler puts it. */
import detectorCard from "../../runtime/models/detectors/detector_int8.tflite.json";
import { MODELS } from "./models.js";
import type { Card, DetectorCard } from "./types.js";

/** A file of the package: its place in the package's folder, and where it is. */
export interface Place {
  path: string;
  /** Written out in each case, because bundlers look for just this form and may rename the file. */
  url: URL;
}

/** A released model or detector; BlazeFace has no card. */
export interface Released<C> extends Place {
  card: C;
}

/** Models by name: all that lie in runtime/models. */
export { MODELS };
export const DEFAULT_MODEL = "edge";

/** A released model: its name for `Recognizer.create({ model })`, and its card. */
export interface ReleasedModel {
  readonly name: string;
  readonly card: Card;
}

/** The models inside the package, the default first. */
export function releasedModels(): ReleasedModel[] {
  const names = [DEFAULT_MODEL, ...Object.keys(MODELS).filter((name) => name !== DEFAULT_MODEL)];
  return names.map((name) => ({ name, card: MODELS[name].card }));
}

/** Detectors by name. */
export const DETECTORS: Record<string, Released<DetectorCard | null>> = {
  ferkit: {
    card: detectorCard as DetectorCard,
    path: "models/detectors/detector_int8.tflite",
    url: new URL("./models/detectors/detector_int8.tflite", import.meta.url),
  },
  blazeface: {
    card: null,
    path: "models/face_detection_short_range.tflite",
    url: new URL("./models/face_detection_short_range.tflite", import.meta.url),
  },
};
export const DEFAULT_DETECTOR = "ferkit";

/** The builds of LiteRT.js: with relaxed SIMD, without it, and with threads. */
export const BUILDS: Record<string, { glue: Place; wasm: Place; script?: Place }> = {
  plain: {
    glue: { path: "litert/plain.js", url: new URL("./litert/plain.js", import.meta.url) },
    wasm: { path: "litert/plain.wasm.gz", url: new URL("./litert/plain.wasm.gz", import.meta.url) },
  },
  compatible: {
    glue: { path: "litert/compatible.js", url: new URL("./litert/compatible.js", import.meta.url) },
    wasm: { path: "litert/compatible.wasm.gz", url: new URL("./litert/compatible.wasm.gz", import.meta.url) },
  },
  threaded: {
    glue: { path: "litert/threaded.js", url: new URL("./litert/threaded.js", import.meta.url) },
    wasm: { path: "litert/threaded.wasm.gz", url: new URL("./litert/threaded.wasm.gz", import.meta.url) },
    script: { path: "litert/threads.js", url: new URL("./litert/threads.js", import.meta.url) },
  },
};
