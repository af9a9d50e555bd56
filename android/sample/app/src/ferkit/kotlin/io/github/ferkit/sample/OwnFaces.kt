package io.github.ferkit.sample

import android.content.res.AssetManager
import androidx.camera.core.ImageProxy
import io.github.ferkit.LabelledFace
import io.github.ferkit.Recognizer
import io.github.ferkit.android.CameraFrames
import io.github.ferkit.android.Recognizers

/** Opens the library's detector and model. */
fun openFaces(assets: AssetManager, threads: Int): Faces = OwnFaces(Recognizers.ofAssets(assets, threads))

private class OwnFaces(private val recognizer: Recognizer) : Faces {
    override fun label(image: ImageProxy): List<LabelledFace> =
        recognizer.label(CameraFrames.upright(image), CameraFrames.seconds(image))

    override fun restart() = recognizer.restart()

    override fun close() = recognizer.close()
}
