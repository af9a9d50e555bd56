/** What is drawn and written about faces: boxes over the frame, bars beside it. */
import { colourOf } from "./colours.js";

/** @typedef {import("../dist/index.js").Face} Face */

const INK = "#101114";
const TEXT_PX = 16; // as the page's buttons: a font that the browser has at hand

/**
 * Draws each face's box and label over a frame.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {{ width: number, height: number, image?: CanvasImageSource, mirrored: boolean }} frame the image is
 *   drawn below the boxes; without one the video below the canvas shows through
 * @param {readonly Face[]} faces
 */
export function drawFaces(canvas, { width, height, image, mirrored }, faces) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.clearRect(0, 0, width, height);
  if (image) context.drawImage(image, 0, 0, width, height);
  const scale = Math.max(12, Math.round(Math.min(width, height) / 28)) / TEXT_PX;
  context.font = `600 ${TEXT_PX}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  for (const face of faces) {
    const [left, y, faceWidth, faceHeight] = face.box;
    const x = mirrored ? width - left - faceWidth : left;
    context.strokeStyle = context.fillStyle = colourOf(face.label, face.labels);
    context.lineWidth = Math.max(2, 2.5 * scale);
    context.strokeRect(x, y, faceWidth, faceHeight);
    const words = `${face.id === null ? "" : `${face.id} `}${face.label} ${percent(face.score)}`;
    const chipWidth = (context.measureText(words).width + TEXT_PX) * scale;
    const chipHeight = 1.6 * TEXT_PX * scale;
    const above = y - chipHeight >= 0;
    const chipX = Math.max(0, Math.min(x - context.lineWidth / 2, width - chipWidth));
    const chipY = above ? y - chipHeight : Math.min(y + faceHeight, height - chipHeight);
    context.setTransform(scale, 0, 0, scale, chipX, chipY);
    context.fillRect(0, 0, chipWidth / scale, chipHeight / scale);
    context.fillStyle = INK;
    context.fillText(words, TEXT_PX / 2, 0.85 * TEXT_PX);
    context.resetTransform();
  }
}

/**
 * Writes the bars of every face; elements are kept from frame to frame.
 *
 * @param {HTMLElement} list
 * @param {readonly Face[]} faces
 */
export function writeFaces(list, faces) {
  while (list.children.length > faces.length) list.lastElementChild?.remove();
  faces.forEach((face, number) => {
    const { labels } = face;
    let item = /** @type {HTMLElement | undefined} */ (list.children[number]);
    if (item?.dataset.labels !== labels.join()) {
      const fresh = itemFor(labels);
      if (item) item.replaceWith(fresh);
      else list.append(fresh);
      item = fresh;
    }
    const name = face.id === null ? `Face ${number + 1}` : `Face ${face.id}`;
    setText(item.querySelector("h3"), `${name}: ${face.label}`);
    const percents = item.querySelectorAll(".percent");
    const bars = /** @type {NodeListOf<HTMLElement>} */ (item.querySelectorAll(".bar span"));
    face.scores.forEach((score, index) => {
      setText(percents[index], percent(score));
      bars[index].style.width = `${100 * score}%`;
    });
  });
}

/** @param {readonly string[]} labels */
function itemFor(labels) {
  const item = document.createElement("li");
  item.dataset.labels = labels.join();
  const bars = element("dl", "bars");
  for (const label of labels) {
    const bar = element("dd", "bar");
    bar.setAttribute("aria-hidden", "true");
    bar.append(element("span"));
    /** @type {HTMLElement} */ (bar.firstElementChild).style.background = colourOf(label, labels);
    bars.append(Object.assign(element("dt"), { textContent: label }), bar, element("dd", "percent"));
  }
  item.append(element("h3"), bars);
  return item;
}

/**
 * @param {string} name
 * @param {string} [kind] its class
 */
export function element(name, kind) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  return made;
}

/**
 * @param {Element | null} place
 * @param {string} text
 */
export function setText(place, text) {
  if (place && place.textContent !== text) place.textContent = text;
}

/** @param {number} share */
export function percent(share) {
  return `${Math.round(100 * share)} %`;
}
