/**
 * From a frame and a detector's box to a label, with the numbers of the Python runtime. Plain Java 8.
 *
 * <pre>
 * Card card = Card.read("cnn_int8.tflite", json);
 * Expression expression = new Expression(card.labels); // one for each face that is followed
 *
 * Square square = Square.of(x, y, width, height, card.crop("yunet"));
 * byte[] face = FaceCrop.of(new ArgbFrame(pixels, frameWidth, frameHeight), square);
 * ByteBuffer output = card.output.buffer(card.labels.size());
 * interpreter.run(card.input.input(face), output); // any engine that runs the file
 * String label = expression.update(card.output.scores(output, card.labels.size()), seconds);
 * </pre>
 */
package io.github.ferkit;
