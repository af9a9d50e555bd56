package io.github.ferkit.sample

import android.content.res.AssetManager
import androidx.camera.core.ExperimentalGetImage
import androidx.camera.core.ImageProxy
import com.google.android.gms.tasks.Tasks
import com.google.mlkit.vision.common.InputImage
import com.google.mlkit.vision.face.Face
import com.google.mlkit.vision.face.FaceDetection
import com.google.mlkit.vision.face.FaceDetectorOptions
import io.github.ferkit.Box
import io.github.ferkit.FaceClassifier
import io.github.ferkit.LabelledFace
import io.github.ferkit.android.CameraFrames
import io.github.ferkit.android.ModelFile

/**
 * Opens ML Kit's detector and the library's model.
 *
 * ML Kit's boxes were not measured against FER2013; YuNet's rule, the square of the longer side, is the nearest
 * that was.
 */
fun openFaces(assets: AssetManager, threads: Int): Faces =
    MlKitFaces(ModelFile.ofAssets(assets, "ferkit").classifier("yunet", threads))

private class MlKitFaces(private val classifier: FaceClassifier) : Faces {
    private val detector = FaceDetection.getClient(
        FaceDetectorOptions.Builder()
            .setPerformanceMode(FaceDetectorOptions.PERFORMANCE_MODE_FAST)
            .setMinFaceSize(0.1f)
            .enableTracking()
            .build(),
    )

    /** ML Kit's boxes are those of the whole image, turned upright, and so is the frame. */
    @ExperimentalGetImage
    override fun label(image: ImageProxy): List<LabelledFace> {
        val mediaImage = image.image ?: return emptyList()
        val found = Tasks.await(
            detector.process(InputImage.fromMediaImage(mediaImage, image.imageInfo.rotationDegrees)),
        )
        val frame = CameraFrames.upright(image)
        val seconds = CameraFrames.seconds(image)
        return found.mapIndexed { index, face ->
            classifier.classify(frame, box(face), face.trackingId ?: (-1 - index), seconds)
        }
    }

    override fun restart() = classifier.restart()

    override fun close() {
        detector.close()
        classifier.close()
    }

    private fun box(face: Face): Box = with(face.boundingBox) {
        Box(left.toDouble(), top.toDouble(), width().toDouble(), height().toDouble())
    }
}
