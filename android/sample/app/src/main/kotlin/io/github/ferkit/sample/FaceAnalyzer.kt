package io.github.ferkit.sample

import androidx.camera.core.ImageAnalysis
import androidx.camera.core.ImageProxy
import io.github.ferkit.Box
import io.github.ferkit.LabelledFace
import io.github.ferkit.android.CameraFrames

/** Finds and labels the faces of a camera's images, in one thread. The build's `openFaces` makes one. */
interface Faces : AutoCloseable {
    /** The faces in pixels of the whole image, turned upright. */
    fun label(image: ImageProxy): List<LabelledFace>

    /** Forgets every face: for another camera. */
    fun restart()
}

/** The faces of a frame and the part that the preview shows, both in pixels of the upright frame. */
class Labelled(val faces: List<LabelledFace>, val shown: Box)

/**
 * Labels the faces in a camera's images.
 *
 * An image is closed once its faces are labelled. Only then CameraX hands over the next one, the newest. Images
 * in between are dropped.
 *
 * @param onLabelled is called on the thread that CameraX calls
 * @param onFailure is called on that thread where faces can't be detected or labelled
 */
class FaceAnalyzer(
    private val faces: Faces,
    private val onLabelled: (Labelled) -> Unit,
    private val onFailure: (Exception) -> Unit,
) : ImageAnalysis.Analyzer, AutoCloseable {
    @Volatile
    private var closed = false

    override fun analyze(image: ImageProxy) {
        try {
            if (!closed) onLabelled(Labelled(faces.label(image), CameraFrames.crop(image)))
        } catch (error: Exception) {
            onFailure(error)
        } finally {
            image.close()
        }
    }

    /** Stops. Images that still come are not labelled, so the faces may be closed next. */
    override fun close() {
        closed = true
    }
}
