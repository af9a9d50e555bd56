package io.github.ferkit.sample

import androidx.camera.core.ExperimentalGetImage
import androidx.camera.core.ImageAnalysis
import androidx.camera.core.ImageProxy
import com.google.mlkit.vision.common.InputImage
import com.google.mlkit.vision.face.Face
import com.google.mlkit.vision.face.FaceDetection
import com.google.mlkit.vision.face.FaceDetectorOptions
import io.github.ferkit.Box
import io.github.ferkit.FaceClassifier
import io.github.ferkit.LabelledFace
import io.github.ferkit.android.CameraFrames
import java.util.concurrent.Executor

/** The faces of a frame and the part that the preview shows, both in pixels of the upright frame. */
class Labelled(val faces: List<LabelledFace>, val shown: Box)

/**
 * Detects faces in a camera's images with ML Kit and labels them.
 *
 * An image is closed once its faces are labelled. Only then CameraX hands over the next one, the newest. Images in
 * between are dropped.
 *
 * @param executor one thread for everything but ML Kit's own work
 * @param onLabelled is called on that thread
 * @param onFailure is called on that thread where faces can't be detected or labelled
 */
class FaceAnalyzer(
    private val classifier: FaceClassifier,
    private val executor: Executor,
    private val onLabelled: (Labelled) -> Unit,
    private val onFailure: (Exception) -> Unit,
) : ImageAnalysis.Analyzer, AutoCloseable {
    @Volatile
    private var closed = false

    private val detector = FaceDetection.getClient(
        FaceDetectorOptions.Builder()
            .setPerformanceMode(FaceDetectorOptions.PERFORMANCE_MODE_FAST)
            .setMinFaceSize(0.1f)
            .enableTracking()
            .build(),
    )

    @ExperimentalGetImage
    override fun analyze(image: ImageProxy) {
        val mediaImage = image.image ?: return image.close()
        detector.process(InputImage.fromMediaImage(mediaImage, image.imageInfo.rotationDegrees))
            .addOnSuccessListener(executor) { found -> if (!closed) label(image, found) }
            .addOnFailureListener(executor) { error -> if (!closed) onFailure(error) }
            .addOnCompleteListener(executor) { image.close() }
    }

    /** Stops. What ML Kit still finds is not labelled, so the classifier may be closed next. */
    override fun close() {
        closed = true
        detector.close()
    }

    /** ML Kit's boxes are those of the whole image, turned upright, and so is the frame. */
    private fun label(image: ImageProxy, found: List<Face>) {
        try {
            val frame = CameraFrames.upright(image)
            val seconds = CameraFrames.seconds(image)
            val faces = found.mapIndexed { index, face ->
                classifier.classify(frame, box(face), face.trackingId ?: (-1 - index), seconds)
            }
            onLabelled(Labelled(faces, CameraFrames.crop(image)))
        } catch (error: RuntimeException) {
            onFailure(error)
        }
    }

    private fun box(face: Face): Box = with(face.boundingBox) {
        Box(left.toDouble(), top.toDouble(), width().toDouble(), height().toDouble())
    }
}
