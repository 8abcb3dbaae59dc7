// resample.c: separable antialiased bicubic, number for number what Pillow's
// Image.resize((S, S), BICUBIC, box=…) does (Pillow, src/libImaging/Resample.c:
// precompute_coeffs, normalize_coeffs_8bpc, ImagingResampleHorizontal_8bpc):
// a = -0.5, support scaled with the shrink, weights normalised and rounded to
// 22 bits, first along x, rounded to 8 bits, then along y. The model was
// trained on pixels made this way; another kernel or a half pixel's shift
// would be a change of its input that no test of accuracy explains.

#include <string.h>

#include <glib.h>

#include "shim.h"

// 8 bits of sample and 2 of overshoot leave 22 of a signed 32 for the weight.
#define PRECISION 22
#define HALF (1 << (PRECISION - 1))

// place sets where stored pixel (0,0) goes and how x and y walk through dst.
// The centre square of a photo is the centre square of the turned photo, so
// turning the small square is exact and costs nothing.
static void
place(pt_resampler *r, int size, int orientation)
{
	ptrdiff_t p = 3, line = 3 * (ptrdiff_t) size, last = size - 1;
	const ptrdiff_t walk[8][3] = {
		{ 0, p, line },                        // 1: upright
		{ last * p, -p, line },                // 2: mirrored
		{ last * (p + line), -p, -line },      // 3: upside down
		{ last * line, p, -line },             // 4: mirrored, upside down
		{ 0, line, p },                        // 5: transposed
		{ last * p, line, -p },                // 6: turn clockwise
		{ last * (p + line), -line, -p },      // 7: transversed
		{ last * line, -line, p },             // 8: turn anticlockwise
	};
	const ptrdiff_t *w = walk[orientation - 1];

	r->origin = w[0];
	r->step_x = w[1];
	r->step_y = w[2];
}

// pt_resampler_init prepares for rows of width pixels of so many bytes out of a
// picture of width × height; box is left, top, right, bottom. Behind rows of
// 4-byte pixels PT_SLACK bytes must be readable.
void
pt_resampler_init(pt_resampler *r, int size, uint8_t *dst, int orientation,
	int pixel, int width, int height, const float box[4])
{
	memset(r, 0, sizeof(*r));
	pt_axis_init(&r->x, size, width, box[0], box[2]);
	pt_axis_init(&r->y, size, height, box[1], box[3]);
	r->pixel = pixel;
	r->turned = orientation >= 5;
	r->line = r->turned ? pixel * (pt_axis_end(&r->x) - pt_axis_begin(&r->x)) : 3 * size;
	r->stride = r->line + 1;
	r->rows = r->y.taps + 1;
	r->ring = g_new(uint8_t, (size_t) r->rows * r->stride);
	r->sum = g_new(int32_t, r->line);
	r->row = g_new0(uint8_t, r->line + PT_SLACK + 3 * size + 1);
	r->dst = dst;
	place(r, size, orientation);
}

void
pt_resampler_free(pt_resampler *r)
{
	pt_axis_free(&r->x);
	pt_axis_free(&r->y);
	g_free(r->ring);
	g_free(r->sum);
	g_free(r->row);
}

static inline uint8_t
clip(int32_t sum)
{
	int32_t v = sum >> PRECISION;

	return (uint8_t) CLAMP(v, 0, 255);
}

// along_x resamples one source row; row points at the sample pt_axis_begin. A
// byte behind the row out may be written.
static void
along_x(const pt_axis *a, int pixel, const uint8_t *restrict row, uint8_t *restrict out)
{
	if (pixel == 4 && pt_wide()) {
		pt_wide_along_x(a, row, out, NULL, NULL);
		return;
	}
	int begin = pt_axis_begin(a);

	for (int i = 0; i < a->size; i++) {
		const uint8_t *p = row + pixel * (size_t) (a->first[i] - begin);
		const int32_t *w = a->weight + (size_t) i * a->taps;
		int32_t red = HALF, green = HALF, blue = HALF;

		for (int k = 0; k < a->count[i]; k++, p += pixel) {
			red += p[0] * w[k];
			green += p[1] * w[k];
			blue += p[2] * w[k];
		}
		*out++ = clip(red);
		*out++ = clip(green);
		*out++ = clip(blue);
	}
}

// The compiler writes this loop for wider registers, too, and the loader takes
// the one for this processor.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("avx2", "default")))
#endif
// along_y resamples the rows of the ring under output row i into r->row.
static void
along_y(pt_resampler *r, int i)
{
	const pt_axis *a = &r->y;
	const int32_t *w = a->weight + (size_t) i * a->taps;
	int line = r->line;
	int32_t *restrict sum = r->sum;

	for (int j = 0; j < line; j++)
		sum[j] = HALF;
	for (int k = 0; k < a->count[i]; k++) {
		const uint8_t *restrict row =
			r->ring + (size_t) ((a->first[i] + k) % r->rows) * r->stride;
		int32_t weight = w[k];

		for (int j = 0; j < line; j++)
			sum[j] += row[j] * weight;
	}
	for (int j = 0; j < line; j++)
		r->row[j] = clip(sum[j]);
}

// emit finishes output row i and puts it where the orientation wants it.
static void
emit(pt_resampler *r, int i)
{
	const uint8_t *row = r->row;
	uint8_t *out = r->dst + r->origin + i * r->step_y;

	along_y(r, i);
	if (r->turned) {
		along_x(&r->x, r->pixel, row, r->row + r->line + PT_SLACK);
		row += r->line + PT_SLACK;
	}
	for (int j = 0; j < r->x.size; j++, row += 3, out += r->step_x)
		memcpy(out, row, 3);
}

static uint8_t *
slot(pt_resampler *r, int y)
{
	return r->ring + (size_t) (y % r->rows) * r->stride;
}

// finish emits the output rows whose last source row is y.
static void
finish(pt_resampler *r, int y)
{
	const pt_axis *a = &r->y;

	while (r->next < a->size && a->first[r->next] + a->count[r->next] == y + 1)
		emit(r, r->next++);
}

// pt_resampler_row takes source row y; rows come once each, top to bottom,
// from pt_axis_begin(&r->y) to pt_axis_end(&r->y). row starts at the column
// pt_axis_begin(&r->x). Pillow turns first and then resamples along the upright
// x and rounds; where that is the stored y, the order here is the other one.
void
pt_resampler_row(pt_resampler *r, int y, const uint8_t *row)
{
	if (r->turned)
		memcpy(slot(r, y), row, r->line);
	else
		along_x(&r->x, r->pixel, row, slot(r, y));
	finish(r, y);
}

// pt_resampler_pair takes source rows y and y + 1.
void
pt_resampler_pair(pt_resampler *r, int y, const uint8_t *row, const uint8_t *next)
{
	if (r->turned || r->pixel != 4 || !pt_wide()) {
		pt_resampler_row(r, y, row);
		pt_resampler_row(r, y + 1, next);
		return;
	}
	pt_wide_along_x(&r->x, row, slot(r, y), next, slot(r, y + 1));
	finish(r, y);
	finish(r, y + 1);
}
