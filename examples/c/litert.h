/* A .tflite file run by LiteRT's C library, for the examples of this folder.
 *
 * The Python package ai-edge-litert has the library, but no headers. The declarations below are those of
 * release 2.3.0. The interface changes between releases, so pin the version.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOAT32 = 1, UINT8 = 3, INT8 = 9 }; /* LiteRtElementType */
enum { HOST_MEMORY = 1, CPU = 1, READ = 0, WRITE = 1, MOST_OUTPUTS = 4 };

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
int LiteRtGetNumSignatureOutputs(Handle signature, size_t *count);
int LiteRtGetSignatureOutputName(Handle signature, size_t index, const char **name);
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

typedef struct {
    const char *name; /* of an output, in the file's signature */
    TensorType type;
    Quantization steps; /* of int8 and uint8: number = (integer - zero_point) * scale */
    int count;          /* of numbers */
    Handle buffer;
} Tensor;

typedef struct {
    const char *path;
    Handle environment, model, options, compiled;
    Tensor input, outputs[MOST_OUTPUTS];
    size_t output_count;
} Model;

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

/* A whole file as a string, to be freed; its size without the 0 at its end. */
static char *read_file(const char *path, size_t *bytes) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) fail(path, "can't be read");
    long size = ftell(file);
    char *text = size < 0 ? NULL : malloc((size_t)size + 1);
    rewind(file);
    if (!text || fread(text, 1, (size_t)size, file) != (size_t)size) fail(path, "can't be read");
    text[size] = 0;
    fclose(file);
    if (bytes) *bytes = (size_t)size;
    return text;
}

/* The text of the card beside a model file, to be freed. Cards are ours: searched for text, not parsed. */
static char *read_card(const char *path) {
    char card[4096];
    if (snprintf(card, sizeof card, "%s.json", path) >= (int)sizeof card) fail(path, "too long a path");
    return read_file(card, NULL);
}

/* The nth label of a card's text, in the order of the scores; of so many letters, without a 0 at its end. */
static const char *label(const char *path, const char *card, int number, int *letters) {
    const char *place = strstr(card, "\"labels\""), *end = NULL;
    place = place ? strchr(place, '[') : NULL;
    for (int i = 0; place && i <= number; i++) {
        place = strchr(end ? end + 1 : place, '"');
        end = place ? strchr(place + 1, '"') : NULL;
    }
    if (!place || !end) fail(path, "expected as many labels in the card as the file gives scores");
    *letters = (int)(end - place - 1);
    return place + 1;
}

static Tensor open_tensor(const Model *model, Handle tensor) {
    Tensor opened = {.count = 1};
    check(LiteRtGetRankedTensorType(tensor, &opened.type), model->path, "tell a tensor's type");
    int type = opened.type.element_type;
    if (type != FLOAT32 && type != UINT8 && type != INT8) fail(model->path, "expected float32, uint8 or int8");
    if (type != FLOAT32)
        check(LiteRtGetPerTensorQuantization(tensor, &opened.steps), model->path, "tell a scale");
    for (unsigned i = 0; i < opened.type.rank; i++) opened.count *= opened.type.dimensions[i];
    size_t bytes = (size_t)opened.count * (type == FLOAT32 ? 4 : 1);
    check(LiteRtCreateManagedTensorBuffer(model->environment, HOST_MEMORY, &opened.type, bytes, &opened.buffer),
          model->path, "make room for a tensor");
    return opened;
}

static Model open_model(const char *path) {
    Model model = {.path = path};
    Handle signature, tensor;
    check(LiteRtCreateEnvironment(0, NULL, &model.environment), path, "start");
    check(LiteRtCreateModelFromFile(model.environment, path, &model.model), path, "open the file");
    check(LiteRtGetModelSignature(model.model, 0, &signature), path, "find the signature");
    check(LiteRtGetSignatureInputTensorByIndex(signature, 0, &tensor), path, "find the input");
    model.input = open_tensor(&model, tensor);
    check(LiteRtGetNumSignatureOutputs(signature, &model.output_count), path, "count the outputs");
    if (model.output_count > MOST_OUTPUTS) fail(path, "expected fewer outputs");
    for (size_t i = 0; i < model.output_count; i++) {
        check(LiteRtGetSignatureOutputTensorByIndex(signature, i, &tensor), path, "find an output");
        model.outputs[i] = open_tensor(&model, tensor);
        check(LiteRtGetSignatureOutputName(signature, i, &model.outputs[i].name), path, "name an output");
    }
    check(LiteRtCreateOptions(&model.options), path, "make options");
    check(LiteRtSetOptionsHardwareAccelerators(model.options, CPU), path, "choose the CPU");
    check(LiteRtCreateCompiledModel(model.environment, model.model, model.options, &model.compiled), path,
          "prepare the model");
    return model;
}

/* Fails unless there is a tensor of this shape; -1 stands for any number. */
static void check_shape(const char *path, const Tensor *tensor, unsigned rank, const int32_t *shape,
                        const char *expected) {
    int fits = tensor && tensor->type.rank == rank;
    for (unsigned i = 0; fits && i < rank; i++) fits = shape[i] < 0 || tensor->type.dimensions[i] == shape[i];
    if (!fits) fail(path, expected);
}

/* Runs the model on gray pixels, as many as its input holds. */
static void run(Model *model, const uint8_t *gray) {
    const Tensor *input = &model->input;
    int type = input->type.element_type;
    long least = type == INT8 ? -128 : 0;
    void *memory;
    check(LiteRtLockTensorBuffer(input->buffer, &memory, WRITE), model->path, "write the input");
    for (int i = 0; i < input->count; i++) {
        if (type == FLOAT32) {
            ((float *)memory)[i] = gray[i];
            continue;
        }
        long step = lrintf(gray[i] / input->steps.scale) + (long)input->steps.zero_point;
        step = step < least ? least : step > least + 255 ? least + 255 : step;
        ((uint8_t *)memory)[i] = (uint8_t)step;
    }
    check(LiteRtUnlockTensorBuffer(input->buffer), model->path, "write the input");
    Handle in[] = {input->buffer}, out[MOST_OUTPUTS];
    for (size_t i = 0; i < model->output_count; i++) out[i] = model->outputs[i].buffer;
    check(LiteRtRunCompiledModel(model->compiled, 0, 1, in, model->output_count, out), model->path,
          "run the model");
}

/* Reads an output's numbers. */
static void read_output(const Model *model, const Tensor *output, float *numbers) {
    void *memory;
    check(LiteRtLockTensorBuffer(output->buffer, &memory, READ), model->path, "read the output");
    for (int i = 0; i < output->count; i++) {
        int type = output->type.element_type;
        int step = type == INT8 ? ((const int8_t *)memory)[i] : ((const uint8_t *)memory)[i];
        numbers[i] = type == FLOAT32 ? ((const float *)memory)[i]
                                     : (float)(step - output->steps.zero_point) * output->steps.scale;
    }
    check(LiteRtUnlockTensorBuffer(output->buffer), model->path, "read the output");
}

static void close_model(Model *model) {
    LiteRtDestroyTensorBuffer(model->input.buffer);
    for (size_t i = 0; i < model->output_count; i++) LiteRtDestroyTensorBuffer(model->outputs[i].buffer);
    LiteRtDestroyCompiledModel(model->compiled);
    LiteRtDestroyOptions(model->options);
    LiteRtDestroyModel(model->model);
    LiteRtDestroyEnvironment(model->environment);
}
