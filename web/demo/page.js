/** The page: a camera, a video or an image through the recognizer, and what came of it. */
import { FerkitError, jsonLines, openCamera, Recognizer } from "../dist/index.js";
import { drawFaces, percent, setText, writeFaces } from "./drawing.js";
import { Timeline } from "./timeline.js";

/** @typedef {import("../dist/index.js").Face} Face */

const MODELS = {
  edge: "edge, the most accurate",
  edge_tiny: "edge_tiny, the smallest",
  cnn: "cnn",
  cnn_lstm: "cnn_lstm",
};
const SPEAK_MS = 2000; // a screen reader hears no more often
const CONTROLLED_MS = 2000; // how long a service worker may take to begin

const at = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
const video = /** @type {HTMLVideoElement} */ (at("video"));
const overlay = /** @type {HTMLCanvasElement} */ (at("overlay"));

/** @type {Recognizer | undefined} */
let recognize;
let timeline = new Timeline();
let running = 0; // the run that may write; each new one stops the one before
/** @type {string[]} */
let lines = [];
let spokenMs = 0;

/** @param {string} text */
function say(text) {
  setText(at("message"), text);
}

/** @param {unknown} error */
function explain(error) {
  say(error instanceof Error ? error.message : String(error));
  if (!(error instanceof FerkitError)) console.error(error);
}

/** Loads the chosen model. */
async function load() {
  recognize?.close();
  recognize = undefined;
  setBusy(true);
  say("Loading the model…");
  const start = performance.now();
  recognize = await Recognizer.create({
    model: at("model").value,
    threshold: at("threshold").value / 100,
    threads: crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1,
  });
  setBusy(false);
  say(`Ready in ${((performance.now() - start) / 1000).toFixed(1)} s. Choose a source.`);
}

/** @param {boolean} busy */
function setBusy(busy) {
  for (const id of ["camera", "file", "example"]) at(id).disabled = busy;
}

/**
 * Begins a run: whatever ran before ends.
 *
 * @param {string} button the one that began it
 */
function begin(button) {
  stop();
  timeline = new Timeline();
  lines = [];
  for (const id of ["camera", "file", "example"]) at(id).setAttribute("aria-pressed", String(id === button));
  at("stop").disabled = false;
  return ++running;
}

function stop() {
  running++;
  const stream = video.srcObject;
  if (stream instanceof MediaStream) for (const track of stream.getTracks()) track.stop();
  video.pause();
  video.srcObject = null;
  if (video.src) URL.revokeObjectURL(video.src);
  video.removeAttribute("src");
  for (const id of ["camera", "file", "example"]) at(id).setAttribute("aria-pressed", "false");
  at("stop").disabled = true;
}

/**
 * Follows the video until it ends or another run begins.
 *
 * @param {number} run
 * @param {string} name
 */
async function follow(run, name) {
  const isCamera = video.srcObject !== null;
  at("stage").classList.toggle("mirrored", isCamera);
  const startS = performance.now() / 1000;
  /** @type {number[]} */
  const times = [];
  for (let number = 0; run === running && recognize && !video.ended; number++) {
    await nextFrame();
    if (run !== running || !recognize) return;
    const faces = await recognize(video);
    if (run !== running) return;
    const nowS = performance.now() / 1000;
    const timeS = isCamera ? nowS - startS : video.currentTime;
    times.push(nowS);
    while (nowS - times[0] > 2) times.shift();
    drawFaces(overlay, { width: video.videoWidth, height: video.videoHeight, mirrored: isCamera }, faces);
    show(
      faces,
      { source: name, frame: number + recognize.dropped, timeS },
      isCamera ? undefined : video.duration,
    );
    const rate = times.length > 1 ? (times.length - 1) / (nowS - times[0]) : 0;
    setText(
      at("numbers"),
      `${rate.toFixed(0)} frames/s, ${number + 1} frames, ${recognize.dropped} dropped, ${facts()}`,
    );
  }
}

/** The next frame of the video, or its end. */
function nextFrame() {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, 500); // a video that ended or was paused has no next frame
    const done = () => (clearTimeout(late), resolve(undefined));
    if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(done);
    else requestAnimationFrame(done);
  });
}

function facts() {
  if (!recognize) return "";
  return `${recognize.card.model} with ${recognize.detector}, ${recognize.threads} thread${recognize.threads > 1 ? "s" : ""}`;
}

/**
 * @param {readonly Face[]} faces
 * @param {import("../dist/index.js").Sample} sample
 * @param {number} [durationS]
 */
function show(faces, sample, durationS) {
  writeFaces(at("faces"), faces);
  at("nobody").hidden = faces.length > 0;
  timeline.add(faces, sample.timeS);
  timeline.draw(at("timeline"), at("legend"), durationS);
  if (faces.length) lines.push(jsonLines(sample, faces));
  at("export").disabled = !lines.length;
  const nowMs = performance.now();
  if (nowMs - spokenMs < SPEAK_MS) return;
  spokenMs = nowMs;
  const words = faces.map(
    (face, number) => `Face ${face.id ?? number + 1}: ${face.label}, ${percent(face.score)}`,
  );
  setText(at("spoken"), words.join(". ") || "Nobody.");
}

async function runCamera() {
  const run = begin("camera");
  say("Waiting for the camera…");
  const stream = await openCamera();
  if (run !== running) return stream.getTracks().forEach((track) => track.stop());
  video.srcObject = stream;
  await video.play();
  say("The camera is on.");
  await follow(run, "camera");
}

/**
 * @param {Blob} file
 * @param {string} name
 */
async function runVideo(file, name) {
  const run = begin("file");
  video.src = URL.createObjectURL(file);
  try {
    await video.play();
  } catch {
    throw new FerkitError(
      "source",
      `${name}: this browser can't play it. Convert it to MP4 (H.264) or WebM.`,
    );
  }
  say(`${name} plays.`);
  await follow(run, name);
  if (run !== running) return;
  say(`${name}: done.`);
  at("stop").disabled = true;
}

/**
 * @param {Blob} file
 * @param {string} name
 * @param {string} button
 */
async function runImage(file, name, button) {
  const run = begin(button);
  at("stage").classList.remove("mirrored");
  let image;
  try {
    image = await createImageBitmap(file);
  } catch {
    throw new FerkitError(
      "source",
      `${name}: expected an image that this browser reads, such as JPEG, PNG or WebP.`,
    );
  }
  const start = performance.now();
  const faces = (await recognize?.(image)) ?? [];
  if (run !== running) return;
  const { width, height } = image;
  drawFaces(overlay, { width, height, image, mirrored: false }, faces);
  show(faces, { source: name, frame: 0, timeS: 0 });
  setText(at("numbers"), `${(performance.now() - start).toFixed(0)} ms, ${facts()}`);
  say(`${name}: ${faces.length === 1 ? "1 face" : `${faces.length} faces`}.`);
  at("stop").disabled = true;
}

/** @param {File} file */
function runFile(file) {
  return file.type.startsWith("video/") ? runVideo(file, file.name) : runImage(file, file.name, "file");
}

function saveLines() {
  const address = URL.createObjectURL(new Blob(lines, { type: "application/jsonl" }));
  Object.assign(document.createElement("a"), { href: address, download: "faces.jsonl" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/**
 * Runs what a button asks for, and says what went wrong.
 *
 * @param {() => unknown} action
 */
function guarded(action) {
  return async () => {
    const before = running;
    try {
      await action();
    } catch (error) {
      if (running > before + 2) return; // another run has begun since
      stop();
      explain(error);
    }
  };
}

/** Lets the service worker see what is loaded, so that it is there offline; it is no matter where there is none. */
async function becomeOffline() {
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  try {
    await navigator.serviceWorker.register("service-worker.js");
    const controlled = new Promise((resolve) =>
      navigator.serviceWorker.addEventListener("controllerchange", resolve),
    );
    const late = new Promise((resolve) => setTimeout(resolve, CONTROLLED_MS));
    if (!navigator.serviceWorker.controller) await Promise.race([controlled, late]);
  } catch (error) {
    console.warn("Offline use is not possible here:", error);
  }
}

for (const [name, words] of Object.entries(MODELS)) at("model").append(new Option(words, name));
at("camera").onclick = guarded(runCamera);
at("file").onclick = () => at("chosen").click();
at("chosen").onchange = guarded(async () => {
  const [file] = at("chosen").files;
  at("chosen").value = "";
  if (file) await runFile(file);
});
at("example").onclick = guarded(async () =>
  runImage(await (await fetch("astronaut.jpg")).blob(), "astronaut.jpg", "example"),
);
at("stop").onclick = () => (stop(), say("Stopped."));
at("export").onclick = saveLines;
at("model").onchange = guarded(() => (stop(), load()));
at("threshold").oninput = () => setText(at("threshold-shown"), `${at("threshold").value} %`);
at("threshold").onchange = guarded(() => (stop(), load()));
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  const file = event.dataTransfer?.files[0];
  if (file) guarded(() => runFile(file))();
});
await becomeOffline();
await guarded(load)();
document.documentElement.dataset.ready = "true";
