/* Gray images: read, cut out and resized exactly as the Python runtime does it by OpenCV: the order
 * of every addition counts. A compiler must not merge them with products (-std=c11, or -ffp-contract=off). */
#include <float.h>

typedef struct {
    int width, height;
    uint8_t *gray; /* row by row, to be freed */
} Image;

/* Reads a binary PGM or PPM file with 8 bits a colour. */
static Image read_image(const char *path) {
    size_t bytes;
    char *text = read_file(path, &bytes);
    char kind = 0;
    int used = 0, most = 0;
    Image image = {0};
    int found = sscanf(text, "P%c %d %d %d%n", &kind, &image.width, &image.height, &most, &used);
    int colours = kind == '6' ? 3 : 1;
    if (found != 4 || (kind != '5' && kind != '6') || most != 255 || image.width < 1 || image.height < 1)
        fail(path, "expected a binary PGM or PPM file (P5 or P6) without comments, 8 bits a colour");
    size_t pixels = (size_t)image.width * (size_t)image.height;
    if (pixels > INT32_MAX || bytes - (size_t)used - 1 < pixels * (size_t)colours)
        fail(path, "expected all of the file's pixels, got fewer");
    image.gray = malloc(pixels);
    if (!image.gray) fail(path, "too large");
    const uint8_t *from = (const uint8_t *)text + used + 1;
    for (size_t i = 0; i < pixels; i++, from += colours)
        image.gray[i] =
            colours == 1 ? *from : (9798 * from[0] + 19235 * from[1] + 3735 * from[2] + 16384) >> 15;
    free(text);
    return image;
}

/* A rectangle of an image; outside of the image its edge is repeated. */
static Image cut(const Image *image, long left, long top, int width, int height) {
    Image part = {width, height, malloc((size_t)width * (size_t)height)};
    if (!part.gray) fail("image", "too large");
    for (int y = 0; y < height; y++) {
        long row = top + y < 0 ? 0 : top + y >= image->height ? image->height - 1 : top + y;
        for (int x = 0; x < width; x++) {
            long column = left + x < 0 ? 0 : left + x >= image->width ? image->width - 1 : left + x;
            part.gray[(size_t)y * width + x] = image->gray[(size_t)row * image->width + column];
        }
    }
    return part;
}

/* How much a pixel counts in a pixel of a smaller image. */
typedef struct {
    int from, to;
    float weight;
} Share;

/* The shares along a side, in the order of both; ended by one with `to` = to_side. */
static Share *shares(int side, int to_side) {
    double scale = 1 / (to_side / (double)side);
    Share *all = malloc(((size_t)side + 2 * (size_t)to_side + 1) * sizeof *all), *next = all;
    if (!all) fail("image", "too large");
    for (int to = 0; to < to_side; to++) {
        double start = to * scale, end = start + scale, width = fmin(scale, side - start);
        int last = (int)fmin(floor(end), side - 1), first = (int)fmin(ceil(start), last);
        if (first - start > 1e-3) *next++ = (Share){first - 1, to, (float)((first - start) / width)};
        for (int from = first; from < last; from++) *next++ = (Share){from, to, (float)(1 / width)};
        if (end - last > 1e-3) *next++ = (Share){last, to, (float)(fmin(fmin(end - last, 1), width) / width)};
    }
    *next = (Share){0, to_side, 0};
    return all;
}

/* A smaller image: each pixel is the mean of an area, whose edges cut pixels. */
static void shrink(const Image *image, Image *to) {
    Share *across = shares(image->width, to->width), *down = shares(image->height, to->height);
    float *sums = malloc(2 * (size_t)to->width * sizeof *sums), *means = sums + to->width;
    if (!sums) fail("image", "too large");
    for (const Share *share = down; share->to < to->height; share++) {
        int is_first = share == down || share[-1].to != share->to, is_last = share[1].to != share->to;
        memset(means, 0, (size_t)to->width * sizeof *means);
        for (const Share *part = across; part->to < to->width; part++)
            means[part->to] += image->gray[(size_t)share->from * image->width + part->from] * part->weight;
        for (int x = 0; x < to->width; x++) {
            float part = share->weight * means[x];
            sums[x] = is_first ? part : sums[x] + part;
            if (is_last)
                to->gray[(size_t)share->to * to->width + x] = (uint8_t)fmaxf(0, fminf(rintf(sums[x]), 255));
        }
    }
    free(across), free(down), free(sums);
}

/* A smaller image where the ratios are whole: exact sums, and of 2x2 pixels a half is rounded up. */
static void shrink_by_whole(const Image *image, Image *to, int across, int down) {
    float share = 1.0f / (float)(across * down);
    for (int y = 0; y < to->height; y++)
        for (int x = 0; x < to->width; x++) {
            long sum = 0;
            for (int row = y * down; row < (y + 1) * down; row++)
                for (int column = x * across; column < (x + 1) * across; column++)
                    sum += image->gray[(size_t)row * image->width + column];
            to->gray[(size_t)y * to->width + x] =
                (uint8_t)(across == 2 && down == 2 ? (sum + 2) >> 2 : lrintf((float)sum * share));
        }
}

/* The pixel before the place in the smaller image where a pixel of the larger one lies, and the rest to it. */
static int before(int to, double scale, float *rest) {
    float place = (float)((to + 0.5) * scale - 0.5);
    *rest = place - floorf(place);
    return (int)floorf(place);
}

static int weight(float share) { return (int)lrintf(share * 2048); }

/* A larger image: bilinear, in integers. */
static void enlarge(const Image *image, Image *to) {
    double across = 1 / (to->width / (double)image->width), down = 1 / (to->height / (double)image->height);
    for (int y = 0; y < to->height; y++) {
        float upper, left;
        int row = before(y, down, &upper);
        int next = row + 1 < image->height ? row + 1 : image->height - 1;
        const uint8_t *above = image->gray + (size_t)(row < 0 ? 0 : row) * image->width;
        const uint8_t *below = image->gray + (size_t)next * image->width;
        for (int x = 0; x < to->width; x++) {
            int first = before(x, across, &left);
            if (first < 0) first = 0, left = 0;
            if (first >= image->width - 1) first = image->width - 1, left = 0;
            int second = first + 1 < image->width ? first + 1 : first;
            int one = above[first] * weight(1 - left) + above[second] * weight(left);
            int other = below[first] * weight(1 - left) + below[second] * weight(left);
            int sum = (weight(1 - upper) * (one >> 4) >> 16) + (weight(upper) * (other >> 4) >> 16);
            to->gray[(size_t)y * to->width + x] = (uint8_t)((sum + 2) >> 2);
        }
    }
}

static int is_whole(double ratio) { return fabs(ratio - rint(ratio)) < DBL_EPSILON; }

/* Resizes an image: by area where it becomes smaller, bilinear where it becomes larger. */
static Image resize(const Image *image, int width, int height) {
    Image to = {width, height, malloc((size_t)width * (size_t)height)};
    if (!to.gray) fail("image", "too large");
    double across = 1 / (width / (double)image->width), down = 1 / (height / (double)image->height);
    if (width > image->width || height > image->height)
        enlarge(image, &to);
    else if (is_whole(across) && is_whole(down))
        shrink_by_whole(image, &to, (int)rint(across), (int)rint(down));
    else
        shrink(image, &to);
    return to;
}
