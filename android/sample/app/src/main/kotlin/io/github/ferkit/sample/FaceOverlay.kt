package io.github.ferkit.sample

import android.content.Context
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.graphics.RectF
import android.util.AttributeSet
import android.util.TypedValue
import android.view.View
import io.github.ferkit.Box
import io.github.ferkit.LabelledFace
import io.github.ferkit.Projection
import java.util.Locale

/** Draws over a preview: around each face a box, above it the label, below it a bar for each probability. */
class FaceOverlay(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private var labelled: Labelled? = null
    private var mirrored = false

    private val lineHeight = inPixels(16f)
    private val frame = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        strokeWidth = inPixels(2f)
        color = Color.WHITE
    }
    private val background = Paint().apply { color = Color.argb(150, 0, 0, 0) }
    private val bar = Paint().apply { color = Color.rgb(66, 165, 245) }
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = Color.WHITE
        textSize = inPixels(13f)
    }

    /** Shows faces; [mirrored] where the preview is a mirror, as a front camera's is. */
    fun show(labelled: Labelled?, mirrored: Boolean) {
        this.labelled = labelled
        this.mirrored = mirrored
        invalidate()
    }

    override fun onDraw(canvas: Canvas) {
        super.onDraw(canvas)
        val labelled = labelled ?: return
        if (width == 0 || height == 0) return
        val projection = Projection(
            labelled.shown, width.toDouble(), height.toDouble(), Projection.Scale.FILL, mirrored,
        )
        for (face in labelled.faces) {
            draw(canvas, face, projection.onView(face.box))
        }
    }

    private fun draw(canvas: Canvas, face: LabelledFace, box: Box) {
        val left = box.x.toFloat()
        val top = box.y.toFloat()
        val bottom = top + box.height.toFloat()
        canvas.drawRect(left, top, left + box.width.toFloat(), bottom, frame)
        drawLine(canvas, face.label, null, left, top - lineHeight)
        face.scores.forEachIndexed { line, score ->
            val name = String.format(Locale.ROOT, "%s %.0f %%", score.label, 100 * score.probability)
            drawLine(canvas, name, score.probability, left, bottom + line * lineHeight)
        }
    }

    /** A line of text over its bar; [share] of 1 fills the line. */
    private fun drawLine(canvas: Canvas, words: String, share: Float?, left: Float, top: Float) {
        val length = inPixels(120f)
        val line = RectF(left, top, left + length, top + lineHeight)
        canvas.drawRect(line, background)
        if (share != null) {
            canvas.drawRect(left, top, left + share * length, line.bottom, bar)
        }
        canvas.drawText(words, left + inPixels(3f), line.bottom - inPixels(4f), text)
    }

    private fun inPixels(dp: Float): Float =
        TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_DIP, dp, resources.displayMetrics)
}
