/** Which label each face showed when: a band per face, and the words for it. */
import { colourOf } from "./colours.js";
import { element, percent, setText } from "./drawing.js";

/** @typedef {import("../dist/index.js").Face} Face */
/** @typedef {{ from: number, to: number, label: string }} Span */

const BAND_PX = 28;
const FONT = "14px system-ui, sans-serif"; // as the footer's: a font that the browser has at hand
const NAME_PX = 72; // left of the bands: whose they are
const MOST_BANDS = 6;
const SHOWN_S = 60; // of a camera; of a video all of it
const LONGEST_GAP_S = 2; // where no frame comes for longer nobody counts as seen

export class Timeline {
  /** @type {Map<number, Span[]>} */
  #spans = new Map();
  /** @type {Map<string, number>} */
  #seconds = new Map();
  /** @type {readonly string[]} */
  #labels = [];
  #endS = 0;

  /**
   * @param {readonly Face[]} faces
   * @param {number} timeS
   */
  add(faces, timeS) {
    this.#endS = Math.max(this.#endS, timeS);
    faces.forEach((face, number) => {
      this.#labels = face.labels;
      const id = face.id ?? number + 1;
      const spans = this.#spans.get(id) ?? [];
      this.#spans.set(id, spans);
      const last = spans.at(-1);
      if (!this.#seconds.has(face.label)) this.#seconds.set(face.label, 0);
      if (last && timeS - last.to <= LONGEST_GAP_S && timeS >= last.from) {
        this.#seconds.set(last.label, (this.#seconds.get(last.label) ?? 0) + timeS - last.to);
        last.to = timeS;
        if (last.label === face.label) return;
      }
      spans.push({ from: timeS, to: timeS, label: face.label });
    });
    while (this.#spans.size > MOST_BANDS) this.#spans.delete(this.#seenLongestAgo());
  }

  #seenLongestAgo() {
    const ends = [...this.#spans].map(([id, spans]) => ({ id, endS: spans.at(-1)?.to ?? 0 }));
    return ends.reduce((one, other) => (other.endS < one.endS ? other : one)).id;
  }

  /**
   * Draws the bands of the faces seen last.
   *
   * @param {HTMLCanvasElement} canvas as wide as `keepSharp` makes it
   * @param {number} [durationS] of a video
   */
  draw(canvas, durationS) {
    if (!this.#spans.size && !canvas.dataset.drawn) return; // a first context takes the page some time
    canvas.dataset.drawn = "true";
    const scale = devicePixelRatio;
    const bands = BAND_PX * Math.max(1, this.#spans.size);
    const height = Math.round(bands * scale);
    if (canvas.height !== height) canvas.height = height;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.setTransform(scale, 0, 0, scale, 0, 0);
    const width = canvas.width / scale;
    context.clearRect(0, 0, width, bands);
    const { startS, lengthS } = this.#shown(durationS);
    const place = (/** @type {number} */ timeS) =>
      NAME_PX + (Math.max(0, timeS - startS) / lengthS) * (width - NAME_PX);
    context.font = FONT;
    context.textBaseline = "middle";
    const ink = getComputedStyle(canvas).color;
    [...this.#spans].forEach(([id, spans], row) => {
      const top = row * BAND_PX;
      context.fillStyle = ink;
      context.fillText(`Face ${id}`, 8, top + BAND_PX / 2);
      for (let index = spans.length - 1; index >= 0 && spans[index].to >= startS; index--) {
        const { from, to, label } = spans[index];
        context.fillStyle = colourOf(label, this.#labels);
        context.fillRect(place(from), top + 4, Math.max(2, place(to) - place(from)), BAND_PX - 8);
      }
    });
  }

  /** @param {number} [durationS] */
  #shown(durationS) {
    if (durationS && Number.isFinite(durationS)) return { startS: 0, lengthS: durationS };
    return { startS: Math.max(0, this.#endS - SHOWN_S), lengthS: SHOWN_S };
  }

  /**
   * Says what the bands show.
   *
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} legend
   * @param {{ from: HTMLElement, to: HTMLElement }} ends where the times of both ends are written
   * @param {number} [durationS] of a video
   */
  describe(canvas, legend, ends, durationS) {
    const { startS, lengthS } = this.#shown(durationS);
    setText(ends.from, clock(startS));
    setText(ends.to, clock(startS + lengthS));
    const total = [...this.#seconds.values()].reduce((sum, part) => sum + part, 0);
    const entries = [...this.#seconds].sort((one, other) => other[1] - one[1]);
    const words = entries.map(([label, part]) => `${label} ${percent(total ? part / total : 1)}`);
    const text = words.join(", ") || "No labels yet.";
    if (canvas.getAttribute("aria-label") === text) return;
    canvas.setAttribute("aria-label", text);
    legend.replaceChildren(
      ...entries.map(([label], index) => {
        const item = element("li");
        const colour = element("span");
        colour.style.background = colourOf(label, this.#labels);
        item.append(colour, words[index]);
        return item;
      }),
    );
  }
}

/**
 * Gives a canvas the screen's pixels, and draws it again when its size changes.
 *
 * To ask for the size in every frame would lay the page out each time.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {() => void} draw
 */
export function keepSharp(canvas, draw) {
  new ResizeObserver(([{ contentRect }]) => {
    const width = Math.max(1, Math.round(contentRect.width * devicePixelRatio));
    if (canvas.width === width) return;
    Object.assign(canvas, { width, height: Math.round(BAND_PX * devicePixelRatio) });
    draw();
  }).observe(canvas);
}

/** @param {number} timeS */
function clock(timeS) {
  const seconds = Math.round(timeS);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
