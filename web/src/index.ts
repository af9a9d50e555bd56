/**
 * Facial expressions of every face in an image, a video or a camera.
 *
 *     import { Recognizer } from "ferkit";
 *     const recognize = await Recognizer.create();
 *     for (const face of await recognize(video)) console.log(face.box, face.label, face.scores);
 */
export { FerkitError, type ErrorCode } from "./errors.js";
export { jsonLines, type Sample } from "./lines.js";
export { Recognizer } from "./recognizer.js";
export { releasedModels, type ReleasedModel } from "./released.js";
export { openCamera } from "./sources.js";
export type {
  Box,
  Card,
  CropRule,
  Face,
  Live,
  RecognizerOptions,
  Source,
  Still,
  Stream,
  StreamOptions,
} from "./types.js";
