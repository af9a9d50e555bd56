/** Boxes: what they share, which belong together, and which of them are one face. */

/** `x, y, width, height` in pixels of the frame. */
export type FloatBox = [number, number, number, number];

/** A face that a detector found. */
export interface Detection {
  /** It may stick out of the frame. */
  box: FloatBox;
  /** 0 to 1. */
  confidence: number;
}

/** Intersection over union of two boxes. */
export function overlap(one: FloatBox, other: FloatBox): number {
  const width = Math.min(one[0] + one[2], other[0] + other[2]) - Math.max(one[0], other[0]);
  const height = Math.min(one[1] + one[3], other[1] + other[3]) - Math.max(one[1], other[1]);
  const shared = Math.max(0, width) * Math.max(0, height);
  return shared / (one[2] * one[3] + other[2] * other[3] - shared);
}

/** A box around the same centre, `factor` times as wide and high. */
export function grown([x, y, width, height]: FloatBox, factor: number): FloatBox {
  const more = (factor - 1) / 2;
  return [x - width * more, y - height * more, width * factor, height * factor];
}

/** Other -> box, by falling overlap, each box and each other once, none below `least`. */
export function associate(boxes: FloatBox[], others: FloatBox[], least: number): Map<number, number> {
  const pairs = boxes.flatMap((box, index) =>
    others.map((other, place) => ({ index, place, shared: overlap(box, other) })),
  );
  pairs.sort((one, two) => two.shared - one.shared); // stable: of equals the first stays ahead
  const matched = new Map<number, number>();
  const taken = new Set<number>();
  for (const { index, place, shared } of pairs) {
    if (shared < least || taken.has(index) || matched.has(place)) continue;
    taken.add(index);
    matched.set(place, index);
  }
  return matched;
}

const MOST_CANDIDATES = 400; // the surest; a frame with more is no photograph of faces

/** Non-maximum suppression: of boxes that overlap by more than `most` the surest stays; the surest first. */
export function suppress(detections: Detection[], most: number): Detection[] {
  const kept: Detection[] = [];
  for (const detection of surestFirst(detections).slice(0, MOST_CANDIDATES)) {
    if (kept.every((other) => overlap(other.box, detection.box) <= most)) kept.push(detection);
  }
  return kept;
}

/** Boxes that overlap by more than `most` become their mean, weighted by confidence; the surest first. */
export function merge(detections: Detection[], most: number): Detection[] {
  let rest = surestFirst(detections);
  const merged: Detection[] = [];
  while (rest.length) {
    const best = rest[0];
    const same = rest.filter((other) => other === best || overlap(best.box, other.box) > most);
    merged.push({ box: meanBox(same), confidence: best.confidence });
    rest = rest.filter((other) => !same.includes(other));
  }
  return merged;
}

function meanBox(detections: Detection[]): FloatBox {
  const weight = detections.reduce((sum, { confidence }) => sum + confidence, 0);
  const mean = (side: number) =>
    detections.reduce((sum, { box, confidence }) => sum + confidence * box[side], 0) / weight;
  return [mean(0), mean(1), mean(2), mean(3)];
}

function surestFirst(detections: Detection[]): Detection[] {
  return [...detections].sort((one, other) => other.confidence - one.confidence);
}
