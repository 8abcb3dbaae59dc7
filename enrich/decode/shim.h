// shim.h: the whole of what Go asks of C. One photo is one call of pt_decode;
// nothing is kept after it returns, neither the object's bytes nor dst.
#ifndef PLANETAG_DECODE_SHIM_H
#define PLANETAG_DECODE_SHIM_H

#include <stddef.h>
#include <stdint.h>

enum { PT_JPEG, PT_PNG, PT_WEBP, PT_GIF, PT_TIFF, PT_HEIF };

// What pt_decode answers. Zero is success.
enum {
	PT_OK,
	PT_CORRUPT,     // the loader failed; message says what it said
	PT_REFUSED,     // the header is over a limit; width and height are set
	PT_UNSUPPORTED, // this libvips cannot load it or cannot turn it into sRGB
	PT_ELSEWHERE,   // of pt_jpeg only: libvips is to have a look
};

typedef struct {
	int loader;        // PT_JPEG …
	int orientation;   // EXIF, 1 … 8, to be undone
	int size;          // the output is size × size × 3 bytes
	double crop;       // side of the source square ÷ the shorter side
	double across;     // share of the room beside the square that is left of
	double down;       // it, as stored, and of the room above and below; 0.5 is centred
	double max_pixels; // limits on the header, checked before any pixel
	double max_aspect;
	int min_side;
	int whole;         // decode every pixel before the resampling, to compare with
	int plain;         // no wide registers, every scan, no entropy.c, to compare with
	int narrow;        // no wider ones than wide.c's, to compare with
	size_t worth;      // entropy.c reads JPEGs of at least so many bytes
} pt_request;

typedef struct {
	int width, height; // as stored, before orientation
	int quick;         // entropy.c read the coefficients
	char message[256]; // first complaint of the loader
} pt_answer;

// pt_patch is four bytes to be seen instead of the object's own.
typedef struct {
	size_t at;
	uint8_t with[4];
} pt_patch;

int pt_start(void);
int pt_has_loader(int loader);
int pt_decode(const void *data, size_t len, const pt_patch *patches, size_t n,
	const pt_request *req, uint8_t *dst, pt_answer *out);
int pt_refused(const pt_request *req, int width, int height);
int pt_shrink(const pt_request *req, int width, int height);
void pt_box(const pt_request *req, int width, int height, int shrink, float box[4]);

// jpeg.c

int pt_jpeg(const void *data, size_t len, const pt_request *req, uint8_t *dst, pt_answer *out);
int pt_coefficients(const void *data, size_t len);

// entropy.c

struct jpeg_decompress_struct;
int pt_entropy(struct jpeg_decompress_struct *d);

// scans.c

int pt_scans_apply(const struct jpeg_decompress_struct *d);
int pt_scans(struct jpeg_decompress_struct *d);

// load.c

struct _VipsImage;
int pt_open(const void *data, size_t len, int loader, int shrink,
	struct _VipsImage **out);

// resample.c

// pt_axis is the resampling along one axis: output i is the sum of count[i]
// source samples starting at first[i], weighted by weight[i * taps …].
typedef struct {
	int size, taps;
	int *first, *count;
	int32_t *weight;
	int quads;       // for wide.c: taps in fours, filled up with weights of 0 …
	int *odd;        // … of which as many come first as make the first sample an even one …
	int16_t *high;   // … and the weights in two halves, weight = high << 11 | low
	int16_t *low;
	int8_t *bytes;   // for wider.c, if it works: the weights in three bytes …
	int steps;       // … and in how many steps an output is made
} pt_axis;

// PT_SLACK is how many bytes behind a row of 4-byte pixels are read for nothing.
#define PT_SLACK 16

// PT_ROWS is how many source rows wide.c resamples at a time, and PT_WIDER_ROWS how many
// wider.c does.
#define PT_ROWS 8
#define PT_WIDER_ROWS 4

// pt_resampler takes source rows from top to bottom and writes dst as soon as
// the rows under an output row are there, so that memory is bounded by the
// kernel's height and not by the photo's.
typedef struct {
	pt_axis x, y;
	int pixel;        // bytes of a source pixel: 3, or 4 of which the last is nothing
	int turned;       // the stored x is the upright y
	int wide;         // wide.c works …
	int wider;        // … and wider.c
	int line;         // bytes in a row of the ring …
	int stride;       // … with what is read or written for nothing behind it
	int rows;         // in the ring: y.taps and as many more as may come at once
	uint8_t *ring;    // the last rows: resampled along x, or raw when turned
	const uint8_t **under; // the rows of the ring under an output row
	int together;     // rows that are resampled at a time, if there are as many …
	int16_t *paired;  // … for wide.c and wider.c: PT_ROWS rows of width numbers
	size_t width;
	int32_t *sum;     // a row along y before rounding
	uint8_t *row;     // the same row rounded; room for the output row behind it
	int next;         // first output row not yet written
	uint8_t *dst;
	ptrdiff_t origin, step_x, step_y; // where stored (0,0) lies and how to walk
} pt_resampler;

void pt_resampler_init(pt_resampler *r, const pt_request *req, uint8_t *dst,
	int pixel, int width, int height, const float box[4]);
void pt_resampler_rows(pt_resampler *r, int y, int n, const uint8_t *row, size_t stride);
void pt_resampler_free(pt_resampler *r);

// axis.c

void pt_axis_init(pt_axis *a, int size, int in, float begin, float end);
void pt_axis_free(pt_axis *a);
int pt_axis_begin(const pt_axis *a);
int pt_axis_end(const pt_axis *a);

// wide.c

int pt_wide(void);
void pt_wide_along_x(const pt_axis *a, const uint8_t *row, size_t stride, int n,
	uint8_t *const *out, int16_t *paired);
void pt_wide_along_y(const pt_axis *a, int i, const uint8_t *const *rows, int line, uint8_t *out);

// wider.c

int pt_wider(void);
void pt_wider_init(pt_axis *a, int fours);
void pt_wider_along_x(const pt_axis *a, const uint8_t *row, size_t stride,
	uint8_t *const *out, uint8_t *fours, size_t room);
void pt_wider_along_y(const pt_axis *a, int i, const uint8_t *const *rows, int line, uint8_t *out);

#endif
