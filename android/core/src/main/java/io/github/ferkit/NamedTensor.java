package io.github.ferkit;

import java.util.Arrays;

/** An input or output of a model, float32, told from others by its name. */
public final class NamedTensor {
    /** Its name in the file's signature. */
    public final String name;

    private final int[] shape;

    NamedTensor(String name, int... shape) {
        this.name = name;
        this.shape = shape.clone();
    }

    /** Returns its shape. */
    public int[] shape() {
        return shape.clone();
    }

    /** Returns how many numbers it holds. */
    public int numbers() {
        int numbers = 1;
        for (int side : shape) {
            numbers *= side;
        }
        return numbers;
    }

    @Override
    public String toString() {
        return name + " " + Arrays.toString(shape);
    }
}
