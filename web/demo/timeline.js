/** Which label each face showed when: a band per face, and the words for it. */
import { colourOf } from "./colours.js";
import { element, percent } from "./drawing.js";

/** @typedef {import("../dist/index.js").Face} Face */

const BAND_PX = 24;
const MOST_BANDS = 6;
const SHOWN_S = 60; // of a camera; of a video all of it
const LONGEST_GAP_S = 2; // where no frame comes for longer nobody counts as seen

export class Timeline {
  /** @type {Map<number, { from: number, to: number, label: string }[]>} */
  #spans = new Map();
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
      if (last && timeS - last.to <= LONGEST_GAP_S && timeS >= last.from) {
        last.to = timeS;
        if (last.label === face.label) return;
      }
      spans.push({ from: timeS, to: timeS, label: face.label });
    });
  }

  /**
   * Draws the bands of the faces seen last.
   *
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} legend
   * @param {number} [durationS] of a video
   */
  draw(canvas, legend, durationS) {
    const ids = [...this.#spans.keys()].slice(-MOST_BANDS);
    const height = BAND_PX * Math.max(1, ids.length);
    const width = canvas.clientWidth || canvas.width;
    if (canvas.height !== height || canvas.width !== width) Object.assign(canvas, { width, height });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.clearRect(0, 0, canvas.width, height);
    const lengthS = durationS && Number.isFinite(durationS) ? durationS : SHOWN_S;
    const startS = durationS ? 0 : Math.max(0, this.#endS - lengthS);
    const place = (/** @type {number} */ timeS) => ((timeS - startS) / lengthS) * canvas.width;
    ids.forEach((id, row) => {
      for (const { from, to, label } of this.#spans.get(id) ?? []) {
        context.fillStyle = colourOf(label, this.#labels);
        context.fillRect(place(from), row * BAND_PX + 2, Math.max(2, place(to) - place(from)), BAND_PX - 4);
      }
    });
    this.#describe(canvas, legend);
  }

  /**
   * Says what the bands show.
   *
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} legend
   */
  #describe(canvas, legend) {
    /** @type {Map<string, number>} */
    const seconds = new Map();
    for (const { from, to, label } of [...this.#spans.values()].flat()) {
      seconds.set(label, (seconds.get(label) ?? 0) + to - from);
    }
    const total = [...seconds.values()].reduce((sum, part) => sum + part, 0);
    const entries = [...seconds].sort((one, other) => other[1] - one[1]);
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
