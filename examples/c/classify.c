/* Runs a .tflite file with LiteRT's C library and prints the probability of each label.
 *
 *     FOLDER=$(python -c "import ai_edge_litert; print(*ai_edge_litert.__path__)")
 *     cc -std=c11 -O2 examples/c/classify.c -o classify -L"$FOLDER" -lLiteRt -lm -Wl,-rpath,"$FOLDER"
 *     ./classify runtime/models/cnn_int8.tflite runtime/golden.json 0
 *
 * The face is a crop of the golden vectors, counted from 0. The labels come from the card, MODEL.json. Both
 * files are this project's own: they are searched for text, not parsed as JSON.
 *
 * The Python package ai-edge-litert has the library, but no headers. The declarations below are those of
 * release 2.3.0. The interface changes between releases, so pin the version.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 48 * 48, LABELS = 7 };
enum { FLOAT32 = 1, UINT8 = 3, INT8 = 9 }; /* LiteRtElementType */
enum { HOST_MEMORY = 1, CPU = 1, READ = 0, WRITE = 1 };

typedef struct {
    int32_t element_type;
    unsigned rank : 7, has_strides : 1;
    int32_t dimensions[8];
    uint32_t strides[8];
} TensorType; /* LiteRtRankedTensorType */

typedef struct {
    float scale;
    int64_t zero_point;
} Quantization; /* LiteRtQuantizationPerTensor */

typedef void *Handle; /* what the library makes; each function returns 0 or a status */
int LiteRtCreateEnvironment(int count, const void *options, Handle *environment);
int LiteRtCreateModelFromFile(Handle environment, const char *path, Handle *model);
int LiteRtGetModelSignature(Handle model, size_t index, Handle *signature);
int LiteRtGetSignatureInputTensorByIndex(Handle signature, size_t index, Handle *tensor);
int LiteRtGetSignatureOutputTensorByIndex(Handle signature, size_t index, Handle *tensor);
int LiteRtGetRankedTensorType(Handle tensor, TensorType *type);
int LiteRtGetPerTensorQuantization(Handle tensor, Quantization *quantization);
int LiteRtCreateOptions(Handle *options);
int LiteRtSetOptionsHardwareAccelerators(Handle options, int accelerators);
int LiteRtCreateCompiledModel(Handle environment, Handle model, Handle options, Handle *compiled);
int LiteRtCreateManagedTensorBuffer(
    Handle environment, int kind, const TensorType *type, size_t bytes, Handle *buffer);
int LiteRtLockTensorBuffer(Handle buffer, void **memory, int mode);
int LiteRtUnlockTensorBuffer(Handle buffer);
int LiteRtRunCompiledModel(
    Handle compiled, size_t signature, size_t inputs, Handle *input, size_t outputs, Handle *output);
void LiteRtDestroyTensorBuffer(Handle buffer), LiteRtDestroyCompiledModel(Handle compiled);
void LiteRtDestroyOptions(Handle options), LiteRtDestroyModel(Handle model);
void LiteRtDestroyEnvironment(Handle environment);

static _Noreturn void fail(const char *what, const char *reason) {
    fprintf(stderr, "%s: %s\n", what, reason);
    exit(1);
}

/* Stops at a status that is not 0. */
static void check(int status, const char *path, const char *step) {
    if (!status) return;
    fprintf(stderr, "%s: LiteRT can't %s: status %d\n", path, step, status);
    exit(1);
}

/* A whole file as a string, to be freed. */
static char *read_text(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) fail(path, "can't be read");
    long size = ftell(file);
    char *text = size < 0 ? NULL : malloc((size_t)size + 1);
    rewind(file);
    if (!text || fread(text, 1, (size_t)size, file) != (size_t)size) fail(path, "can't be read");
    text[size] = 0;
    fclose(file);
    return text;
}

/* The gray pixels of a golden crop: base64 of 48 * 48 bytes, row by row. */
static void read_face(const char *path, long crop, uint8_t face[PIXELS]) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char field[] = "\"face\": \"";
    char *text = read_text(path);
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

/* Prints each score after its label; the card lists the labels in the order of the scores. */
static void print_scores(const char *path, const float scores[LABELS]) {
    char card[4096];
    if (snprintf(card, sizeof card, "%s.json", path) >= (int)sizeof card) fail(path, "too long a path");
    char *text = read_text(card);
    const char *place = strstr(text, "\"labels\"");
    place = place ? strchr(place, '[') : NULL;
    for (int i = 0; i < LABELS; i++) {
        const char *start = place ? strchr(place, '"') : NULL;
        const char *end = start ? strchr(start + 1, '"') : NULL;
        if (!end) fail(card, "expected seven labels");
        printf("%.*s %.9g\n", (int)(end - start - 1), start + 1, scores[i]);
        place = end + 1;
    }
    free(text);
}

/* Returns the type of a tensor and reads its quantization; fails for another shape or type. */
static TensorType check_tensor(const char *path, Handle tensor, unsigned rank, const int32_t *shape,
                               Quantization *steps) {
    TensorType type = {0};
    check(LiteRtGetRankedTensorType(tensor, &type), path, "tell a tensor's type");
    int number = type.element_type;
    if (type.rank != rank || memcmp(type.dimensions, shape, rank * sizeof *shape))
        fail(path, "expected an input of shape (1, 48, 48, 1) and an output of shape (1, 7)");
    if (number != FLOAT32 && number != UINT8 && number != INT8) fail(path, "expected float32, uint8 or int8");
    if (number != FLOAT32) check(LiteRtGetPerTensorQuantization(tensor, steps), path, "tell a scale");
    return type;
}

/* A gray pixel as the model takes it: itself, or quantized. */
static void put_pixel(void *memory, int i, uint8_t gray, int type, Quantization steps) {
    long least = type == INT8 ? -128 : 0;
    long step = type == FLOAT32 ? 0 : lrintf(gray / steps.scale) + (long)steps.zero_point;
    step = step < least ? least : step > least + 255 ? least + 255 : step;
    if (type == FLOAT32)
        ((float *)memory)[i] = gray;
    else
        ((uint8_t *)memory)[i] = (uint8_t)step;
}

static float get_score(const void *memory, int i, int type, Quantization steps) {
    if (type == FLOAT32) return ((const float *)memory)[i];
    int step = type == INT8 ? ((const int8_t *)memory)[i] : ((const uint8_t *)memory)[i];
    return (float)(step - steps.zero_point) * steps.scale;
}

int main(int count, char **arguments) {
    if (count != 4) fail(arguments[0], "expected MODEL.tflite golden.json CROP");
    const char *path = arguments[1];
    uint8_t face[PIXELS];
    char *end;
    long crop = strtol(arguments[3], &end, 10);
    if (end == arguments[3] || *end || crop < 0) fail(arguments[3], "expected a crop's number, 0 or more");
    read_face(arguments[2], crop, face);

    Handle environment, model, signature, tensor, options, compiled, input, output;
    check(LiteRtCreateEnvironment(0, NULL, &environment), path, "start");
    check(LiteRtCreateModelFromFile(environment, path, &model), path, "open the file");
    check(LiteRtGetModelSignature(model, 0, &signature), path, "find the signature");
    Quantization input_steps = {0}, output_steps = {0};
    check(LiteRtGetSignatureInputTensorByIndex(signature, 0, &tensor), path, "find the input");
    TensorType input_type = check_tensor(path, tensor, 4, (int32_t[]){1, 48, 48, 1}, &input_steps);
    check(LiteRtGetSignatureOutputTensorByIndex(signature, 0, &tensor), path, "find the output");
    TensorType output_type = check_tensor(path, tensor, 2, (int32_t[]){1, LABELS}, &output_steps);

    check(LiteRtCreateOptions(&options), path, "make options");
    check(LiteRtSetOptionsHardwareAccelerators(options, CPU), path, "choose the CPU");
    check(LiteRtCreateCompiledModel(environment, model, options, &compiled), path, "prepare the model");
    size_t bytes = PIXELS * (input_type.element_type == FLOAT32 ? 4 : 1);
    check(LiteRtCreateManagedTensorBuffer(environment, HOST_MEMORY, &input_type, bytes, &input), path,
          "make room for the input");
    bytes = LABELS * (output_type.element_type == FLOAT32 ? 4 : 1);
    check(LiteRtCreateManagedTensorBuffer(environment, HOST_MEMORY, &output_type, bytes, &output), path,
          "make room for the output");

    void *memory;
    check(LiteRtLockTensorBuffer(input, &memory, WRITE), path, "write the input");
    for (int i = 0; i < PIXELS; i++) put_pixel(memory, i, face[i], input_type.element_type, input_steps);
    check(LiteRtUnlockTensorBuffer(input), path, "write the input");
    check(LiteRtRunCompiledModel(compiled, 0, 1, &input, 1, &output), path, "run the model");
    check(LiteRtLockTensorBuffer(output, &memory, READ), path, "read the output");
    float scores[LABELS];
    for (int i = 0; i < LABELS; i++) scores[i] = get_score(memory, i, output_type.element_type, output_steps);
    check(LiteRtUnlockTensorBuffer(output), path, "read the output");
    print_scores(path, scores);

    LiteRtDestroyTensorBuffer(input);
    LiteRtDestroyTensorBuffer(output);
    LiteRtDestroyCompiledModel(compiled);
    LiteRtDestroyOptions(options);
    LiteRtDestroyModel(model);
    LiteRtDestroyEnvironment(environment);
    return 0;
}
