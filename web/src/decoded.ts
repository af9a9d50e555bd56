/** A detector whose file gives decoded boxes: gray pixels in, boxes and confidences out, suppression here. */
import { suppress, type Detection, type FloatBox } from "./boxes.js";
import { letterbox, type Detector, type Rules } from "./detector.js";
import type { Network } from "./engine.js";
import { FerkitError } from "./errors.js";
import type { Frame } from "./pixels.js";

const MOST_OVERLAP = 0.3; // boxes that overlap more are one face's

/**
 * @param network gray pixels 0-255 (1, height, width, 1) in; `boxes` (1, n, 4), x, y, width, height in pixels
 *   of the input, and `confidences` (1, n), 0 to 1, out; further outputs are not read
 * @param name the key of its crop rule in a model's card
 */
export function decodedBoxes(network: Network, name: string, { leastConfidence, cropFor }: Rules): Detector {
  const [, height, width, channels] = network.inputShape;
  const places = ["boxes", "confidences"].map((output) => network.outputs.indexOf(output));
  if (channels !== 1 || places.includes(-1)) {
    throw new FerkitError(
      "model",
      `Expected a detector with gray input and the outputs boxes and confidences, got ${network.inputShape.join("x")} ` +
        `-> ${network.outputs.join(", ")}.`,
    );
  }
  return {
    name,
    cropFor,
    detect(frame: Frame): Detection[] {
      const { pixels, fit } = letterbox(frame, width, height, { around: 0, centred: false });
      const gray = new Float32Array(width * height);
      for (let to = 0, from = 0; to < gray.length; to++, from += 3) {
        gray[to] = 0.299 * pixels[from] + 0.587 * pixels[from + 1] + 0.114 * pixels[from + 2];
      }
      const outputs = network.run(gray);
      const [boxes, confidences] = places.map((place) => outputs[place]);
      const found: Detection[] = [];
      confidences.forEach((confidence, index) => {
        if (confidence < leastConfidence) return;
        const box = Array.from(
          boxes.subarray(4 * index, 4 * index + 4),
          (side) => side * fit.ratio,
        ) as FloatBox;
        if (box[2] > 0 && box[3] > 0) found.push({ box, confidence });
      });
      return suppress(found, MOST_OVERLAP);
    },
  };
}
