/** The page: a camera, a video or an image through the recognizer, and what came of it. */
import { FerkitError, jsonLines, openCamera, Recognizer, releasedModels } from "../dist/index.js";
import { drawFaces, percent, setText, writeFaces } from "./drawing.js";
import { keepSharp, Timeline } from "./timeline.js";

/** @typedef {import("../dist/index.js").Face} Face */

const LINES_IN_MEMORY = 1000;
const SPEAK_MS = 2000; // a screen reader hears no more often
const CONTROLLED_MS = 2000; // how long a service worker may take to begin

const at = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
const video = /** @type {HTMLVideoElement} */ (at("video"));
const overlay = /** @type {HTMLCanvasElement} */ (at("overlay"));

/** @type {Recognizer | undefined} */
let recognize;
let timeline = new Timeline();
let loading = 0; // the load that may set the recognizer; each new one makes the one before void
let running = 0; // the run that may write; each new one stops the one before
/** @type {string[]} */
let lines = [];
/** @type {Blob[]} */
let kept = []; // lines that the browser may put on the disk
let spokenMs = 0;
/** @type {number | undefined} */
let durationS; // of a video

/**
 * @param {string} text
 * @param {boolean} [isProblem]
 */
function say(text, isProblem = false) {
  setText(at("message"), text);
  at("message").classList.toggle("problem", isProblem);
}

/** @param {unknown} error */
function explain(error) {
  say(error instanceof Error ? error.message : String(error), true);
  at("message").scrollIntoView({ block: "nearest" }); // on a phone it may be below
  if (!(error instanceof FerkitError)) console.error(error);
}

/** Loads the chosen model. Who goes through the choices with the keyboard asks for each of them. */
async function load() {
  const number = ++loading;
  recognize?.close();
  recognize = undefined;
  setBusy(true);
  say("Loading the model…");
  const start = performance.now();
  let opened;
  try {
    opened = await Recognizer.create({
      model: at("model").value,
      threshold: at("threshold").value / 100,
      threads: crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1,
    });
  } catch (error) {
    if (number === loading) throw error;
    return;
  }
  if (number !== loading) return opened.close();
  recognize = opened;
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
  clear();
  for (const id of ["camera", "file", "example"]) at(id).setAttribute("aria-pressed", String(id === button));
  at("stop").disabled = false;
  return ++running;
}

/** Forgets the run before, so that none of its faces is taken for one of the next. */
function clear() {
  timeline = new Timeline();
  lines = [];
  kept = [];
  durationS = undefined;
  emptyStage();
  writeFaces(at("faces"), []);
  at("nobody").hidden = false;
  setText(at("numbers"), "");
  setText(at("spoken"), "");
  drawTimeline();
  describeTimeline();
  at("export").disabled = true;
}

function emptyStage() {
  drawFaces(overlay, { width: overlay.width, height: overlay.height, mirrored: false }, []);
  at("stage").classList.add("empty");
}

function stop() {
  running++;
  if (video.srcObject || video.src) emptyStage(); // boxes without their video
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
  if (!isCamera) durationS = video.duration;
  at("stage").classList.toggle("mirrored", isCamera);
  at("labels").classList.remove("still");
  const startS = performance.now() / 1000;
  const droppedBefore = recognize?.dropped ?? 0; // in other runs
  /** @type {number[]} */
  const times = [];
  for (let number = 0; run === running && recognize && !video.ended; number++) {
    await nextFrame();
    if (run !== running || !recognize) return;
    const timeS = isCamera ? performance.now() / 1000 - startS : video.currentTime; // the frame's, not its answer's
    const faces = await recognize(video);
    if (run !== running) return;
    const nowS = performance.now() / 1000;
    const dropped = recognize.dropped - droppedBefore;
    times.push(nowS);
    while (nowS - times[0] > 2) times.shift();
    drawFaces(overlay, { width: video.videoWidth, height: video.videoHeight, mirrored: isCamera }, faces);
    show(faces, { source: name, frame: number + dropped, timeS });
    const rate = times.length > 1 ? (times.length - 1) / (nowS - times[0]) : 0;
    setText(
      at("numbers"),
      `${rate.toFixed(0)} frames/s, ${number + 1} frames, ${dropped} dropped, ${facts()}`,
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

function drawTimeline() {
  timeline.draw(at("timeline"), durationS);
}

function describeTimeline() {
  timeline.describe(at("timeline"), at("legend"), { from: at("from"), to: at("to") }, durationS);
}

/**
 * @param {readonly Face[]} faces
 * @param {import("../dist/index.js").Sample} sample
 */
function show(faces, sample) {
  at("stage").classList.remove("empty");
  timeline.add(faces, sample.timeS);
  drawTimeline();
  writeFaces(at("faces"), faces);
  at("nobody").hidden = faces.length > 0;
  describeTimeline();
  if (faces.length) lines.push(jsonLines(sample, faces));
  if (lines.length >= LINES_IN_MEMORY) kept.push(new Blob(lines.splice(0)));
  at("export").disabled = !lines.length && !kept.length;
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
  at("labels").classList.add("still");
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
  if (run !== running) return image.close();
  const { width, height } = image;
  drawFaces(overlay, { width, height, image, mirrored: false }, faces);
  image.close();
  show(faces, { source: name, frame: 0, timeS: 0 });
  setText(at("numbers"), `${(performance.now() - start).toFixed(0)} ms, ${facts()}`);
  say(`${name}: ${faces.length === 1 ? "1 face" : `${faces.length} faces`}.`);
  at("stop").disabled = true;
}

/** @param {File} file */
function runFile(file) {
  if (!recognize) throw new FerkitError("model", "There is no model yet: drop the file again in a moment.");
  return file.type.startsWith("video/") ? runVideo(file, file.name) : runImage(file, file.name, "file");
}

function saveLines() {
  const address = URL.createObjectURL(new Blob([...kept, ...lines], { type: "application/jsonl" }));
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

/**
 * A model in the words of its card.
 *
 * @param {string} name
 * @param {import("../dist/index.js").Card} card
 */
function wordsOf(name, { bytes, accuracy }) {
  const right = accuracy?.test;
  const share = typeof right === "number" ? `, ${(100 * right).toFixed(1)} %` : "";
  return `${name}${share}, ${(bytes / 1e6).toFixed(1)} MB`;
}

/** Lets a service worker see what is loaded, so that it is there offline; it is no matter where there is none. */
async function becomeControlled() {
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  try {
    const controlled = new Promise((resolve) =>
      navigator.serviceWorker.addEventListener("controllerchange", resolve),
    );
    await navigator.serviceWorker.register("service-worker.js");
    const late = new Promise((resolve) => setTimeout(resolve, CONTROLLED_MS));
    if (!navigator.serviceWorker.controller) await Promise.race([controlled, late]);
  } catch (error) {
    console.warn("Offline use is not possible here:", error);
  }
}

/** Has all files of the page kept, and says so. */
function becomeOffline() {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    setText(at("badge"), "Nothing leaves this device. Works offline.");
    document.documentElement.dataset.offline = "true";
  };
  navigator.serviceWorker?.controller?.postMessage("keep", [port2]);
}

for (const { name, card } of releasedModels()) at("model").append(new Option(wordsOf(name, card), name));
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
at("threshold").oninput = () => {
  const text = `${at("threshold").value} %`;
  setText(at("threshold-shown"), text);
  at("threshold").setAttribute("aria-valuetext", text);
};
at("threshold").onchange = guarded(() => (stop(), load()));
keepSharp(at("timeline"), drawTimeline);
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  const file = event.dataTransfer?.files[0];
  if (file) guarded(() => runFile(file))();
});
await becomeControlled();
await guarded(load)();
document.documentElement.dataset.ready = "true";
becomeOffline();
