/* Runs a .tflite file with LiteRT's C library and prints the probability of each label.
 *
 *     FOLDER=$(python -c "import ai_edge_litert; print(*ai_edge_litert.__path__)")
 *     cc -std=c11 -O2 examples/c/classify.c -o classify -L"$FOLDER" -lLiteRt -lm -Wl,-rpath,"$FOLDER"
 *     ./classify runtime/models/cnn_int8.tflite runtime/golden.json 0
 *
 * The face is a crop of the golden vectors, counted from 0. The labels come from the card, MODEL.json.
 */
#include "litert.h"

enum { PIXELS = 48 * 48, MOST_LABELS = 100 };

/* The gray pixels of a golden crop: base64 of 48 * 48 bytes, row by row. */
static void read_face(const char *path, long crop, uint8_t face[PIXELS]) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char field[] = "\"face\": \"";
    char *text = read_file(path, NULL);
    const char *place = strstr(text, "\"crops\"");
    for (long i = 0; place && i <= crop; i++) {
        if ((place = strstr(place, field))) place += sizeof field - 1;
    }
    if (!place) fail(path, "expected a crop of this number, got none");
    for (int i = 0; i < PIXELS / 3; i++) { /* four digits of 6 bits are three bytes */
        uint32_t bits = 0;
        for (int j = 0; j < 4; j++, place++) {
            const char *digit = *place ? strchr(digits, *place) : NULL;
            if (!digit) fail(path, "expected a face of 48 x 48 bytes in base64");
            bits = bits << 6 | (uint32_t)(digit - digits);
        }
        for (int j = 0; j < 3; j++) face[3 * i + j] = (uint8_t)(bits >> (16 - 8 * j));
    }
    free(text);
}

int main(int count, char **arguments) {
    if (count != 4) fail(arguments[0], "expected MODEL.tflite golden.json CROP");
    const char *path = arguments[1];
    uint8_t face[PIXELS];
    char *end;
    long crop = strtol(arguments[3], &end, 10);
    if (end == arguments[3] || *end || crop < 0) fail(arguments[3], "expected a crop's number, 0 or more");
    read_face(arguments[2], crop, face);

    Model model = open_model(path);
    static const char expected[] = "expected an input of shape (1, 48, 48, 1), and 2 to 100 scores";
    check_shape(path, &model.input, 4, (int32_t[]){1, 48, 48, 1}, expected);
    check_shape(path, model.outputs, 2, (int32_t[]){1, -1}, expected);
    const int labels = model.outputs->count;
    if (labels < 2 || labels > MOST_LABELS) fail(path, expected);
    float scores[MOST_LABELS];
    run(&model, face);
    read_output(&model, model.outputs, scores);

    char *card = read_card(path);
    for (int i = 0; i < labels; i++) {
        int letters;
        const char *name = label(path, card, i, &letters);
        printf("%.*s %.9g\n", letters, name, scores[i]);
    }
    free(card);
    close_model(&model);
    return 0;
}
