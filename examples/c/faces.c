/* Finds the faces of an image and labels each, with LiteRT's C library alone.
 *
 *     FOLDER=$(python -c "import ai_edge_litert; print(*ai_edge_litert.__path__)")
 *     cc -std=c11 -O2 examples/c/faces.c -o faces -L"$FOLDER" -lLiteRt -lm -Wl,-rpath,"$FOLDER"
 *     ./faces runtime/models/detectors/detector_int8.tflite runtime/models/edge_int8.tflite image.ppm
 *
 * It prints a line for each face, the surest first: x, y, width, height in whole pixels, the detector's
 * confidence, the likeliest label and its probability.
 */
#include "litert.h"
#include "image.h"

enum { SIDE = 48, SMALLEST = 200, MOST_CANDIDATES = 400, MOST_LABELS = 100 };

typedef struct {
    double x, y, width, height;
    float confidence;
    int number;
} Box;

/* The number after a card's field, sought behind `place`. */
static double number_of(const char *path, const char *place, const char *field) {
    place = place ? strstr(place, field) : NULL;
    place = place ? strchr(place + strlen(field), ':') : NULL;
    if (!place) {
        fprintf(stderr, "%s: expected %s in its card\n", path, field);
        exit(1);
    }
    return strtod(place + 1, NULL);
}

static const Tensor *output_of(const Model *model, const char *name) {
    for (size_t i = 0; i < model->output_count; i++) {
        if (!strcmp(model->outputs[i].name, name)) return &model->outputs[i];
    }
    fail(model->path, "expected a detector, with boxes and confidences");
}

/* The image in the upper left corner of the detector's input, reduced to fit, black beside it. */
static uint8_t *letterbox(const Image *image, int width, int height, double *ratio_x, double *ratio_y) {
    double longer = image->width > image->height ? image->width : image->height;
    double scale = fmin(height / (double)image->height, width / (double)image->width);
    scale = fmin(scale, fmax(1, SMALLEST / longer)); /* only a very small image is enlarged */
    int inner_width = (int)fmax(1, rint(image->width * scale));
    int inner_height = (int)fmax(1, rint(image->height * scale));
    Image inner = resize(image, inner_width, inner_height);
    uint8_t *pixels = calloc((size_t)width, (size_t)height);
    if (!pixels) fail("image", "too large");
    for (int y = 0; y < inner_height; y++)
        memcpy(pixels + (size_t)y * width, inner.gray + (size_t)y * inner_width, (size_t)inner_width);
    free(inner.gray);
    *ratio_x = inner_width / (double)image->width, *ratio_y = inner_height / (double)image->height;
    return pixels;
}

/* The surest first; equals in the file's order. */
static int by_confidence(const void *one, const void *other) {
    const Box *a = one, *b = other;
    if (a->confidence != b->confidence) return a->confidence < b->confidence ? 1 : -1;
    return a->number - b->number;
}

/* The share of the area of both boxes that they have in common. */
static double intersection_over_union(const Box *a, const Box *b) {
    double across = fmin(a->x + a->width, b->x + b->width) - fmax(a->x, b->x);
    double down = fmin(a->y + a->height, b->y + b->height) - fmax(a->y, b->y);
    double shared = fmax(across, 0) * fmax(down, 0);
    return shared / (a->width * a->height + b->width * b->height - shared);
}

/* Non-maximum suppression: of boxes around one face the surest stays. Returns how many stay, in front. */
static int suppress(Box *boxes, int count, double overlap) {
    int kept = 0;
    qsort(boxes, (size_t)count, sizeof *boxes, by_confidence);
    for (int i = 0; i < count && i < MOST_CANDIDATES; i++) {
        int is_new = 1;
        for (int j = 0; j < kept; j++) is_new &= !(intersection_over_union(&boxes[j], &boxes[i]) > overlap);
        if (is_new) boxes[kept++] = boxes[i];
    }
    return kept;
}

/* Whole pixels, of a float as in Python; halves up. */
static double whole(double pixels) { return floor((float)pixels + 0.5); }

/* The faces of an image, to be freed; returns how many. */
static int detect(Model *detector, const Image *image, Box **faces) {
    const Tensor *places = output_of(detector, "boxes"), *sure = output_of(detector, "confidences");
    int count = sure->count;
    static const char expected[] = "expected a detector's input and outputs";
    check_shape(detector->path, &detector->input, 4, (int32_t[]){1, -1, -1, 1}, expected);
    check_shape(detector->path, places, 3, (int32_t[]){1, count, 4}, expected);
    const int32_t *shape = detector->input.type.dimensions;
    double ratio_x, ratio_y;
    uint8_t *pixels = letterbox(image, shape[2], shape[1], &ratio_x, &ratio_y);
    run(detector, pixels);
    float *numbers = malloc((size_t)count * 5 * sizeof *numbers), *confidences = numbers + 4 * count;
    Box *boxes = malloc((size_t)count * sizeof *boxes);
    if (!numbers || !boxes) fail(detector->path, "too many boxes");
    read_output(detector, places, numbers);
    read_output(detector, sure, confidences);
    char *card = read_card(detector->path);
    float threshold = (float)number_of(detector->path, card, "\"threshold\"");
    int found = 0;
    for (int i = 0; i < count; i++) {
        const float *box = numbers + 4 * i;
        if (confidences[i] >= threshold)
            boxes[found++] = (Box){box[0], box[1], box[2], box[3], confidences[i], i};
    }
    found = suppress(boxes, found, number_of(detector->path, card, "\"overlap\""));
    for (int i = 0; i < found; i++) {
        boxes[i].x = whole(boxes[i].x / ratio_x), boxes[i].width = fmax(1, whole(boxes[i].width / ratio_x));
        boxes[i].y = whole(boxes[i].y / ratio_y), boxes[i].height = fmax(1, whole(boxes[i].height / ratio_y));
    }
    free(card), free(pixels), free(numbers);
    *faces = boxes;
    return found;
}

/* Prints the likeliest label of the face in a box and its probability. */
static void classify(Model *model, const char *card, const Image *image, const Box *box) {
    const char *rule = strstr(card, "\"ferkit\": {"); /* YuNet's is the next best: the boxes imitate YuNet's */
    if (!rule) rule = strstr(card, "\"yunet\": {");
    double longer = fmax(box->width, box->height) * number_of(model->path, rule, "\"scale\"");
    if (!(longer > 0 && longer <= 16384)) fail(model->path, "expected a box of a face, got one without a size");
    int side = (int)fmax(1, floor(longer + 0.5));
    double shift_x = number_of(model->path, rule, "\"shift_x\"");
    double shift_y = number_of(model->path, rule, "\"shift_y\"");
    long left = (long)floor(box->x + box->width / 2 + shift_x * side - side / 2.0 + 0.5);
    long top = (long)floor(box->y + box->height / 2 + shift_y * side - side / 2.0 + 0.5);
    Image square = cut(image, left, top, side, side), face = resize(&square, SIDE, SIDE);
    run(model, face.gray);
    float scores[MOST_LABELS];
    read_output(model, model->outputs, scores);
    int best = 0, letters;
    for (int i = 1; i < model->outputs->count; i++) best = scores[i] > scores[best] ? i : best;
    const char *name = label(model->path, card, best, &letters);
    printf("%.*s %.9g\n", letters, name, scores[best]);
    free(square.gray), free(face.gray);
}

int main(int count, char **arguments) {
    if (count != 4) fail(arguments[0], "expected DETECTOR.tflite MODEL.tflite IMAGE.ppm");
    Image image = read_image(arguments[3]);
    Model detector = open_model(arguments[1]), model = open_model(arguments[2]);
    check_shape(model.path, &model.input, 4, (int32_t[]){1, SIDE, SIDE, 1}, "expected faces of 48x48 pixels");
    check_shape(model.path, model.outputs, 2, (int32_t[]){1, -1}, "expected a probability for each label");
    if (model.outputs->count > MOST_LABELS) fail(model.path, "expected fewer labels");
    char *card = read_card(model.path);
    Box *faces;
    int found = detect(&detector, &image, &faces);
    for (int i = 0; i < found; i++) {
        printf("%.0f %.0f %.0f %.0f %.9g ", faces[i].x, faces[i].y, faces[i].width, faces[i].height,
               faces[i].confidence);
        classify(&model, card, &image, &faces[i]);
    }
    free(faces), free(card), free(image.gray);
    close_model(&detector), close_model(&model);
    return 0;
}
