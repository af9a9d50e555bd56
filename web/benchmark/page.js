/** The benchmark's page: `window.bench` does what benchmark/run.js asks for. */
import { CONTESTANTS } from "./contestants.js";
import { DONE, FIRST_LABEL } from "./tasks.js";

const WIDTH = 640;
const HEIGHT = 480;
const loaded = {};
const images = {};
const canvases = {};

/** The image at an address, decoded once, off the page's thread: this page's own work is not to look like ferkit's. */
async function portraitAt(address) {
  return (images[address] ??= await createImageBitmap(await (await fetch(address)).blob()));
}

/** A canvas of the frames' size, the same one each time. */
function frameCanvas(name) {
  return (canvases[name] ??= Object.assign(document.createElement("canvas"), {
    width: WIDTH,
    height: HEIGHT,
  }));
}

async function imageAt(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}

function canvasOf(image, width = image.naturalWidth, height = image.naturalHeight) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d", { willReadFrequently: true }).drawImage(image, 0, 0, width, height);
  return canvas;
}

async function contestant(name) {
  return (loaded[name] ??= await CONTESTANTS[name]());
}

window.bench = {
  names: Object.keys(CONTESTANTS),

  /** Milliseconds from opening the page to the first label. */
  async first(name, address) {
    const [one, image] = await Promise.all([contestant(name), imageAt(address)]);
    const { label } = await one.look(canvasOf(image));
    return { label, ms: performance.now() };
  },

  /** Milliseconds of each frame and contestant: a portrait moves, each frame goes to one after the other. */
  async speed(names, address, frames, warmUp) {
    const image = await portraitAt(address);
    const canvas = frameCanvas("frame");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const overlay = frameCanvas("overlay");
    document.body.append(overlay);
    const all = [];
    for (const name of names) all.push(await contestant(name));
    const times = Object.fromEntries(names.map((name) => [name, []]));
    const labels = Object.fromEntries(names.map((name) => [name, {}]));
    for (let frame = 0; frame < frames + warmUp; frame++) {
      context.fillRect(0, 0, WIDTH, HEIGHT);
      context.drawImage(image, 80 + 40 * Math.sin(frame / 10), 0, HEIGHT, HEIGHT);
      for (let index = 0; index < names.length; index++) {
        const start = performance.now();
        const { label, box } = await all[index].follow(canvas, frame / 30);
        drawBox(overlay, box, label);
        if (frame === 0) performance.mark(FIRST_LABEL);
        if (frame < warmUp) continue;
        times[names[index]].push(performance.now() - start);
        const counts = labels[names[index]];
        counts[label] = (counts[label] ?? 0) + 1;
      }
    }
    return { times, labels };
  },

  /** The label of each image, null where no face was found. */
  async labels(name, addresses) {
    const one = await contestant(name);
    const labels = [];
    for (const address of addresses) {
      const image = await imageAt(address);
      labels.push((await one.look(canvasOf(image))).label);
    }
    return labels;
  },
};

/** What a page does with an answer. */
function drawBox(canvas, box, label) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, WIDTH, HEIGHT);
  if (!box) return;
  context.strokeRect(...box);
  context.font = "16px sans-serif"; // the page's
  context.fillText(label, box[0], box[1]);
}

// `index.html#frames=150`: ferkit alone, driven by nobody.
const frames = /^#frames=(\d+)$/.exec(location.hash)?.[1];
if (frames) {
  await window.bench.speed(["ferkit"], "portrait.jpg", Number(frames), 0);
  console.log(DONE);
}
