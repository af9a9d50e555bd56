/**
 * From a frame to its faces and their labels, with the numbers of the Python runtime. Plain Java 8.
 *
 * <pre>
 * Card card = Card.read("edge_int8.tflite", json);
 * FaceClassifier classifier = new FaceClassifier(card, engine, card.crop("ferkit"));
 * FaceDetector detector = new FaceDetector(DetectorCard.read("detector_int8.tflite", otherJson), otherEngine);
 * Recognizer recognizer = new Recognizer(detector, classifier);
 *
 * Frame frame = Rotation.of(rotationDegrees).of(new LumaFrame(luma, rowStride, pixelStride, 0, 0, w, h));
 * for (LabelledFace face : recognizer.label(frame, seconds)) {
 *     face.label; // "happy"
 *     face.scores.get(0).probability;
 * }
 * </pre>
 *
 * <p>The engines are whatever runs the files: the package {@code io.github.ferkit.android} has LiteRT's.
 */
package io.github.ferkit;
