/** ferkit's own detector: gray pixels in, decoded boxes and confidences out, suppression here. */
import { suppress, type Detection, type FloatBox } from "./boxes.js";
import type { Detector } from "./detector.js";
import type { Network } from "./engine.js";
import { FerkitError } from "./errors.js";
import { letterbox } from "./letterbox.js";
import type { Frame } from "./pixels.js";
import type { Card, CropRule, DetectorCard } from "./types.js";

const OUTPUTS = ["boxes", "confidences"] as const; // the eyes are not read

/**
 * @param network the file that the card describes
 * @param path names the file in errors
 */
export function ferkit(network: Network, card: DetectorCard, path: string): Detector {
  checkShapes(network, card, path);
  const [, height, width] = network.inputShape;
  const places = OUTPUTS.map((output) => network.outputs.indexOf(card.outputs[output].name));
  const least = Math.fround(card.threshold);
  return {
    name: "ferkit",
    detect(frame: Frame): Detection[] {
      const { pixels, ratios } = letterbox(frame, width, height);
      const outputs = network.run(pixels);
      const [boxes, confidences] = places.map((place) => outputs[place]);
      if (!boxes.every(Number.isFinite) || !confidences.every(Number.isFinite)) {
        throw new FerkitError(
          "model",
          `${path}: its boxes or confidences are no numbers. Export it again.`,
          path,
        );
      }
      const found: Detection[] = [];
      confidences.forEach((confidence, place) => {
        if (confidence < least) return;
        found.push({ box: Array.from(boxes.subarray(4 * place, 4 * place + 4)) as FloatBox, confidence });
      });
      return suppress(found, card.overlap).map(({ box, confidence }) => ({
        box: box.map((side, index) => Math.fround(side / ratios[index % 2])) as FloatBox,
        confidence,
      }));
    },
    // Its boxes imitate YuNet's.
    cropFor: ({ input: { crop } }: Card): CropRule => crop.ferkit ?? crop.yunet,
  };
}

/** Refuses a network that isn't its card's. */
function checkShapes(network: Network, { input, outputs }: DetectorCard, path: string): void {
  const shown = (shape: readonly unknown[] = []) => shape.join("x") || "none";
  const tensors = OUTPUTS.map((output) => outputs[output]);
  const expected = [shown(input.shape), ...tensors.map(({ name, shape }) => `${name} ${shown(shape)}`)];
  const got = [
    shown(network.inputShape),
    ...tensors.map(({ name }) => `${name} ${shown(network.outputShapes[network.outputs.indexOf(name)])}`),
  ];
  if (got.join() === expected.join()) return;
  throw new FerkitError(
    "model",
    `${path}: expected the detector of its card, ${expected.join(", ")}, got ${got.join(", ")}. Copy both again.`,
    path,
  );
}
