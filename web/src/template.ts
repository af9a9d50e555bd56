/** What a face looked like when it was detected, and the search for it in the next frame. */
import type { FloatBox } from "./boxes.js";
import { correlate } from "./correlation.js";
import { cutGray, halve, resizeLinear, rint, type Frame, type Gray } from "./pixels.js";

const TEMPLATE_PX = 24; // side of the image that a face leaves
const INNER = 0.8; // the share of the box that it shows: the background stays out
const SEARCH_PX = 54; // a face is found up to half a box's width and height from its last place
const SCALE_STEP_PX = 2; // a face is compared with itself this much larger and smaller
const STIFFNESS = 0.5; // the share of a measured growth that is believed: noise grows and shrinks a still face
const LEAST_CORRELATION = 0.5;

/** A gray image of the inner part of a face's box. */
export interface Template {
  readonly image: Gray;
  /** The pixels of the frame that it shows. */
  readonly width: number;
  readonly height: number;
  /** Where its centre lies from that of the box. */
  readonly offsetX: number;
  readonly offsetY: number;
}

export function makeTemplate(frame: Frame, [x, y, width, height]: FloatBox): Template {
  const centreX = x + width / 2;
  const centreY = y + height / 2;
  const area = wholePixels(centreX, centreY, INNER * width, INNER * height);
  return {
    image: patchOf(frame, area, TEMPLATE_PX),
    width: area[2],
    height: area[3],
    offsetX: area[0] + area[2] / 2 - centreX,
    offsetY: area[1] + area[3] / 2 - centreY,
  };
}

/**
 * Looks for a face around its last place.
 *
 * @param scale how much larger the face is than when its template was taken
 * @returns the new box and scale; undefined where nothing correlates
 */
export function search(
  frame: Frame,
  template: Template,
  [x, y, width, height]: FloatBox,
  scale: number,
): { box: FloatBox; scale: number } | undefined {
  const zoom = (scale * SEARCH_PX) / TEMPLATE_PX;
  const area = wholePixels(
    x + width / 2 + template.offsetX * scale,
    y + height / 2 + template.offsetY * scale,
    template.width * zoom,
    template.height * zoom,
  );
  const patch = patchOf(frame, area, SEARCH_PX);
  const found = correlate(patch, template.image);
  let place = 0;
  found.data.forEach((value, index) => (place = value > found.data[place] ? index : place));
  const best = found.data[place];
  if (best < LEAST_CORRELATION) return undefined;
  const row = Math.floor(place / found.width);
  const column = place % found.width;
  const growth = growthOf(patch, template.image, column, row, best);
  const grown = scale * growth;
  const at = (index: number) => found.data[index];
  const patchX = column + peak(column, found.width, (step) => at(place + step));
  const patchY = row + peak(row, found.height, (step) => at(place + step * found.width));
  const centreX = area[0] + ((patchX + TEMPLATE_PX / 2) * area[2]) / SEARCH_PX - template.offsetX * grown;
  const centreY = area[1] + ((patchY + TEMPLATE_PX / 2) * area[3]) / SEARCH_PX - template.offsetY * grown;
  const newWidth = width * growth;
  const newHeight = height * growth;
  return { box: [centreX - newWidth / 2, centreY - newHeight / 2, newWidth, newHeight], scale: grown };
}

/** The rectangle around a centre in whole pixels, at least one each way. */
function wholePixels(centreX: number, centreY: number, width: number, height: number): FloatBox {
  const wholeWidth = Math.max(1, rint(width));
  const wholeHeight = Math.max(1, rint(height));
  return [rint(centreX - wholeWidth / 2), rint(centreY - wholeHeight / 2), wholeWidth, wholeHeight];
}

/** A rectangle of a frame as a gray square; halved until it is less than twice too large. */
function patchOf(frame: Frame, [left, top, width, height]: FloatBox, side: number): Gray {
  let gray = cutGray(frame, left, top, width, height);
  while (Math.min(gray.width, gray.height) >= 2 * side) gray = halve(gray);
  return resizeLinear(gray, side, side);
}

/** How much larger a face became: its place taken larger and smaller, a parabola through the three. */
function growthOf(patch: Gray, image: Gray, column: number, row: number, best: number): number {
  const alike: number[] = [];
  for (const step of [-SCALE_STEP_PX, SCALE_STEP_PX]) {
    const side = TEMPLATE_PX + step;
    const left = column - step / 2;
    const top = row - step / 2;
    if (left < 0 || top < 0 || left + side > SEARCH_PX || top + side > SEARCH_PX) return 1;
    const part = resizeLinear(cut(patch, left, top, side), TEMPLATE_PX, TEMPLATE_PX);
    alike.push(correlate(part, image).data[0]);
  }
  return 1 + (STIFFNESS * topOfParabola(alike[0], best, alike[1]) * SCALE_STEP_PX) / TEMPLATE_PX;
}

function cut(image: Gray, left: number, top: number, side: number): Gray {
  const data = new Uint8Array(side * side);
  for (let y = 0; y < side; y++) {
    const from = (top + y) * image.width + left;
    data.set(image.data.subarray(from, from + side), y * side);
  }
  return { data, width: side, height: side };
}

/** Where a maximum lies between its neighbours, from its whole place. */
function peak(index: number, length: number, at: (step: number) => number): number {
  return index > 0 && index < length - 1 ? topOfParabola(at(-1), at(0), at(1)) : 0;
}

/** Where a parabola through three values one apart is highest, from the middle one, within -1 to 1. */
function topOfParabola(before: number, at: number, after: number): number {
  const bend = before - 2 * at + after;
  return bend >= 0 ? 0 : Math.min(Math.max((before - after) / (2 * bend), -1), 1);
}
