/**
 * The Android side of {@code io.github.ferkit}: Bitmap and CameraX frames, files in assets, LiteRT.
 *
 * <pre>
 * Recognizer recognizer = Recognizers.ofAssets(context.getAssets(), 2);
 *
 * for (LabelledFace face : recognizer.label(CameraFrames.upright(image), CameraFrames.seconds(image))) {
 *     face.label; // "happy"
 * }
 * </pre>
 */
package io.github.ferkit.android;
