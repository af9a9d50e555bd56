/**
 * From a frame and a detector's box to a label, with the numbers of the Python runtime. Plain Java 8.
 *
 * <pre>
 * Card card = Card.read("edge_int8.tflite", json);
 * FaceClassifier classifier = new FaceClassifier(card, engine, card.crop("yunet"));
 *
 * Frame frame = Rotation.of(rotationDegrees).of(new LumaFrame(luma, rowStride, pixelStride, 0, 0, w, h));
 * LabelledFace face = classifier.classify(frame, new Box(x, y, width, height), id, seconds);
 * face.label; // "happy"
 * face.scores.get(0).probability;
 * </pre>
 *
 * <p>The engine is whatever runs the file: the package {@code io.github.ferkit.android} has LiteRT's.
 */
package io.github.ferkit;
