/**
 * The Android side of {@code io.github.ferkit}: Bitmap and CameraX frames, models in assets, LiteRT.
 *
 * <pre>
 * FaceClassifier classifier = ModelFile.ofAssets(context.getAssets(), "ferkit").classifier("yunet", 2);
 *
 * Frame frame = CameraFrames.upright(image);
 * LabelledFace face = classifier.classify(frame, box, id, CameraFrames.seconds(image));
 * </pre>
 */
package io.github.ferkit.android;
