/** The files inside the package: each is found beside the code, wherever a bundler puts it. */
import cnnCard from "../../runtime/models/cnn_int8.tflite.json";
import cnnLstmCard from "../../runtime/models/cnn_lstm_dynamic.tflite.json";
import detectorCard from "../../runtime/models/detectors/detector_int8.tflite.json";
import edgeCard from "../../runtime/models/edge_int8.tflite.json";
import edgeTinyCard from "../../runtime/models/edge_tiny_int8.tflite.json";
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

/** Models by name. */
export const MODELS: Record<string, Released<Card>> = {
  edge: {
    card: edgeCard,
    path: "models/edge_int8.tflite",
    url: new URL("./models/edge_int8.tflite", import.meta.url),
  },
  edge_tiny: {
    card: edgeTinyCard,
    path: "models/edge_tiny_int8.tflite",
    url: new URL("./models/edge_tiny_int8.tflite", import.meta.url),
  },
  cnn: {
    card: cnnCard,
    path: "models/cnn_int8.tflite",
    url: new URL("./models/cnn_int8.tflite", import.meta.url),
  },
  cnn_lstm: {
    card: cnnLstmCard,
    path: "models/cnn_lstm_dynamic.tflite",
    url: new URL("./models/cnn_lstm_dynamic.tflite", import.meta.url),
  },
};
export const DEFAULT_MODEL = "edge";

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
