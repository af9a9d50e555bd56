/**
 * What is compared, inside the browser. Each contestant loads all that it needs, then takes canvases.
 *
 * All run on WebAssembly: every visitor's machine has it.
 */

/** @typedef {{ label: string | null, box: number[] | null }} Answer */
/** @typedef {{ follow(canvas: HTMLCanvasElement, timeS: number): Promise<Answer>, look(canvas: HTMLCanvasElement): Promise<Answer> }} Contestant */

/** The words of others, in ours. */
const WORDS = { angry: "angry", disgusted: "disgust", fearful: "fear", surprised: "surprise" };
const NOBODY = { label: null, box: null };

/** @type {Record<string, () => Promise<Contestant>>} */
export const CONTESTANTS = {
  ferkit: () => ferkit({}),
  "ferkit, edge_tiny": () => ferkit({ model: "edge_tiny" }),
  "ferkit, BlazeFace": () => ferkit({ detector: "blazeface" }),
  "face-api, tiny": () => faceApi("tiny"),
  "face-api, SSD": () => faceApi("ssd"),
  human: () => human(),
};

/** @param {object} options */
async function ferkit(options) {
  const { Recognizer } = await import("./ferkit/index.js");
  const recognize = await Recognizer.create(options);
  const follow = recognize.stream();
  const largest = (faces) => {
    const [face] = [...faces].sort((one, other) => other.box[2] * other.box[3] - one.box[2] * one.box[3]);
    return face ? { label: face.label, box: [...face.box] } : NOBODY;
  };
  return {
    follow: async (canvas, timeS) => largest(await follow(canvas, timeS)),
    look: async (canvas) => largest(await recognize(canvas)),
  };
}

/** @param {"tiny" | "ssd"} detector */
async function faceApi(detector) {
  const api = await import("./peers/@vladmandic/face-api/dist/face-api.esm.js");
  api.tf.setWasmPaths("peers/@tensorflow/tfjs-backend-wasm/dist/");
  await api.tf.setBackend("wasm");
  await api.tf.ready();
  const models = "peers/@vladmandic/face-api/model";
  const net = detector === "tiny" ? api.nets.tinyFaceDetector : api.nets.ssdMobilenetv1;
  await Promise.all([net.loadFromUri(models), api.nets.faceExpressionNet.loadFromUri(models)]);
  const options = detector === "tiny" ? new api.TinyFaceDetectorOptions() : new api.SsdMobilenetv1Options();
  const look = async (canvas) => {
    const found = await api.detectSingleFace(canvas, options).withFaceExpressions();
    if (!found) return NOBODY;
    const [best] = found.expressions.asSortedArray();
    const { x, y, width, height } = found.detection.box;
    return { label: WORDS[best.expression] ?? best.expression, box: [x, y, width, height] };
  };
  return { follow: look, look };
}

async function human() {
  const { default: Human } = await import("./peers/@vladmandic/human/dist/human.esm.js");
  const off = { enabled: false };
  const made = new Human({
    backend: "wasm",
    wasmPath: "peers/@tensorflow/tfjs-backend-wasm/dist/",
    modelBasePath: "peers/@vladmandic/human/models/",
    filter: off,
    body: off,
    hand: off,
    object: off,
    gesture: off,
    segmentation: off,
    face: { enabled: true, iris: off, description: off, emotion: { enabled: true } },
  });
  await made.load();
  const ask = async (canvas, options) => {
    const { face } = await made.detect(canvas, options);
    if (!face.length || !face[0].emotion?.length) return { label: null, box: face[0]?.box ?? null };
    const { emotion } = face[0].emotion[0];
    return { label: emotion, box: face[0].box };
  };
  return {
    follow: (canvas) => ask(canvas), // by itself it leaves out frames that are alike
    look: (canvas) => ask(canvas, { cacheSensitivity: 0 }),
  };
}
