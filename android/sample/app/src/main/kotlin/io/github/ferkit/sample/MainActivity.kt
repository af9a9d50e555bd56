package io.github.ferkit.sample

import android.Manifest
import android.content.ActivityNotFoundException
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.hardware.display.DisplayManager
import android.net.Uri
import android.os.Bundle
import android.provider.Settings
import android.util.Size
import android.view.View
import android.widget.Button
import android.widget.TextView
import android.widget.Toast
import androidx.activity.ComponentActivity
import androidx.activity.result.contract.ActivityResultContracts
import androidx.camera.core.CameraSelector
import androidx.camera.core.ImageAnalysis
import androidx.camera.core.Preview
import androidx.camera.core.UseCaseGroup
import androidx.camera.core.resolutionselector.ResolutionSelector
import androidx.camera.core.resolutionselector.ResolutionStrategy
import androidx.camera.lifecycle.ProcessCameraProvider
import androidx.camera.view.PreviewView
import androidx.core.content.ContextCompat
import androidx.core.view.ViewCompat
import androidx.core.view.WindowInsetsCompat
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.ThreadPoolExecutor
import java.util.concurrent.TimeUnit

/** Shows the camera with the expression of every face, or why it can't. */
class MainActivity : ComponentActivity() {
    private lateinit var preview: PreviewView
    private lateinit var overlay: FaceOverlay
    private lateinit var switchCamera: Button
    private lateinit var message: View

    /** One thread for images and the model, so that neither waits for the screen. */
    private val worker = ThreadPoolExecutor(1, 1, 1, TimeUnit.SECONDS, LinkedBlockingQueue<Runnable>()).apply {
        allowCoreThreadTimeOut(true) // instead of a shutdown, after which CameraX's last image would be refused
    }
    private var faces: Faces? = null
    private var cameras: ProcessCameraProvider? = null
    private var analyzer: FaceAnalyzer? = null
    private var shown: Preview? = null
    private var analyzed: ImageAnalysis? = null
    private var front = true

    private var started = false
    private var asking = false

    /** Whether the user has answered; after a denial for good Android answers without a dialogue. */
    private var answered = false

    private val permission = registerForActivityResult(ActivityResultContracts.RequestPermission()) { granted ->
        asking = false
        answered = true
        if (granted) start() else explain()
    }

    /** A rotation by 180 degrees makes no new activity: the camera learns of it here. */
    private val turned = object : DisplayManager.DisplayListener {
        override fun onDisplayAdded(id: Int) = Unit

        override fun onDisplayRemoved(id: Int) = Unit

        override fun onDisplayChanged(id: Int) {
            val rotation = preview.display?.rotation ?: return
            shown?.setTargetRotation(rotation)
            analyzed?.setTargetRotation(rotation)
        }
    }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.main)
        preview = findViewById(R.id.preview) as PreviewView
        overlay = findViewById(R.id.overlay) as FaceOverlay
        switchCamera = findViewById(R.id.switch_camera) as Button
        message = findViewById(R.id.message)
        front = savedInstanceState?.getBoolean(FRONT) ?: true
        asking = savedInstanceState?.getBoolean(ASKING) ?: false
        answered = savedInstanceState?.getBoolean(ANSWERED) ?: false
        switchCamera.setOnClickListener {
            front = !front
            bind()
        }
        keepClearOfSystemBars(findViewById(R.id.controls))
        displays().registerDisplayListener(turned, null)
    }

    override fun onResume() {
        super.onResume()
        // Here, because the permission may have been given in the settings meanwhile.
        when {
            isAllowed() -> start()
            asking -> Unit
            answered || shouldShowRequestPermissionRationale(Manifest.permission.CAMERA) -> explain()
            else -> ask()
        }
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putBoolean(FRONT, front)
        outState.putBoolean(ASKING, asking)
        outState.putBoolean(ANSWERED, answered)
    }

    override fun onDestroy() {
        super.onDestroy()
        displays().unregisterDisplayListener(turned)
        analyzed?.clearAnalyzer()
        analyzer?.close()
        // After the image that is being labelled: closing the model under it would end the process.
        worker.execute { faces?.close() }
    }

    private fun isAllowed() =
        checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED

    private fun ask() {
        asking = true
        permission.launch(Manifest.permission.CAMERA)
    }

    /** After a denial: says why the camera is needed. Offers to ask again, or after one for good the settings. */
    private fun explain() {
        if (shouldShowRequestPermissionRationale(Manifest.permission.CAMERA)) {
            say("${getString(R.string.denied)} ${getString(R.string.why)}", R.string.ask) { ask() }
        } else {
            say(getString(R.string.denied_for_good), R.string.settings) { openSettings() }
        }
    }

    private fun openSettings() {
        val uri = Uri.fromParts("package", packageName, null)
        try {
            startActivity(Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, uri))
        } catch (error: ActivityNotFoundException) {
            Toast.makeText(this, R.string.no_settings, Toast.LENGTH_LONG).show()
        }
    }

    /** Opens models and camera, once. */
    private fun start() {
        if (started) return
        started = true
        message.visibility = View.GONE
        val starting = ProcessCameraProvider.getInstance(this)
        worker.execute {
            val opened = try {
                openFaces(assets, THREADS)
            } catch (error: Exception) {
                return@execute onScreen { say(getString(R.string.no_model, error.message)) }
            }
            faces = opened
            starting.addListener({
                try {
                    cameras = starting.get()
                    bind()
                } catch (error: Exception) {
                    say(getString(R.string.no_camera, error.message))
                }
            }, ContextCompat.getMainExecutor(this))
        }
    }

    /** Binds the chosen camera to the screen and to the analyzer. */
    private fun bind() {
        val cameras = cameras ?: return
        val faces = faces ?: return
        if (isDestroyed) return
        // The viewport is the preview's size, which is known once it is laid out.
        val viewPort = preview.viewPort
        if (viewPort == null) {
            preview.post { bind() }
            return
        }
        try {
            val hasFront = cameras.hasCamera(CameraSelector.DEFAULT_FRONT_CAMERA)
            val hasBack = cameras.hasCamera(CameraSelector.DEFAULT_BACK_CAMERA)
            switchCamera.visibility = if (hasFront && hasBack) View.VISIBLE else View.GONE
            front = if (front) hasFront else !hasBack
            cameras.unbindAll()
            analyzed?.clearAnalyzer()
            analyzer?.close()
            overlay.show(null, front)
            // The other camera's faces are other faces, and its clock may be another.
            worker.execute { faces.restart() }

            val mirrored = front
            val newAnalyzer = FaceAnalyzer(
                faces,
                onLabelled = { labelled -> onScreen { if (mirrored == front) show(labelled, mirrored) } },
                onFailure = { error -> onScreen { say(getString(R.string.no_detection, error.message)) } },
            )
            val newShown = Preview.Builder().build()
            newShown.setSurfaceProvider(preview.surfaceProvider)
            val newAnalyzed = ImageAnalysis.Builder()
                .setBackpressureStrategy(ImageAnalysis.STRATEGY_KEEP_ONLY_LATEST)
                .setResolutionSelector(
                    ResolutionSelector.Builder()
                        .setResolutionStrategy(
                            ResolutionStrategy(
                                Size(640, 480),
                                ResolutionStrategy.FALLBACK_RULE_CLOSEST_HIGHER_THEN_LOWER,
                            ),
                        )
                        .build(),
                )
                .build()
            newAnalyzed.setAnalyzer(worker, newAnalyzer)
            analyzer = newAnalyzer
            shown = newShown
            analyzed = newAnalyzed
            cameras.bindToLifecycle(
                this,
                if (front) CameraSelector.DEFAULT_FRONT_CAMERA else CameraSelector.DEFAULT_BACK_CAMERA,
                // One viewport for both: the image's crop rectangle is what the preview shows.
                UseCaseGroup.Builder()
                    .setViewPort(viewPort)
                    .addUseCase(newShown)
                    .addUseCase(newAnalyzed)
                    .build(),
            )
        } catch (error: Exception) {
            say(getString(R.string.no_camera, error.message))
        }
    }

    private fun show(labelled: Labelled, mirrored: Boolean) {
        message.visibility = View.GONE
        overlay.show(labelled, mirrored)
    }

    /** Shows a text instead of faces, and a button where there is something to do about it. */
    private fun say(words: String, action: Int? = null, act: () -> Unit = {}) {
        overlay.show(null, front)
        (findViewById(R.id.message_text) as TextView).text = words
        val button = findViewById(R.id.message_action) as Button
        button.visibility = if (action == null) View.GONE else View.VISIBLE
        action?.let { button.setText(it) }
        button.setOnClickListener { act() }
        message.visibility = View.VISIBLE
    }

    private fun onScreen(act: () -> Unit) = runOnUiThread { if (!isDestroyed) act() }

    private fun displays() = getSystemService(Context.DISPLAY_SERVICE) as DisplayManager

    /** Android 15 lets an app draw under the system's bars; the camera may lie there, the buttons may not. */
    private fun keepClearOfSystemBars(controls: View) {
        ViewCompat.setOnApplyWindowInsetsListener(controls) { view, insets ->
            val bars = insets.getInsets(
                WindowInsetsCompat.Type.systemBars() or WindowInsetsCompat.Type.displayCutout(),
            )
            view.setPadding(bars.left, bars.top, bars.right, bars.bottom)
            insets
        }
    }

    private companion object {
        const val THREADS = 2
        const val FRONT = "front"
        const val ASKING = "asking"
        const val ANSWERED = "answered"
    }
}
