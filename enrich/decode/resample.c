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
pt_resampler_init(pt_resampler *r, const pt_request *req, uint8_t *dst,
	int pixel, int width, int height, const float box[4])
{
	int size = req->size, columns;

	memset(r, 0, sizeof(*r));
	pt_axis_init(&r->x, size, width, box[0], box[2]);
	pt_axis_init(&r->y, size, height, box[1], box[3]);
	r->pixel = pixel;
	r->turned = req->orientation >= 5;
	r->wide = pt_wide() && !req->plain;
	columns = pt_axis_end(&r->x) - pt_axis_begin(&r->x);
	r->line = r->turned ? pixel * columns : 3 * size;
	r->stride = r->line + PT_SLACK;
	r->rows = r->y.taps + PT_ROWS - 1;
	r->ring = g_new0(uint8_t, (size_t) r->rows * r->stride);
	r->under = g_new(const uint8_t *, r->y.taps + 3);
	r->width = 4 * ((size_t) columns + 16);
	if (pixel == 4 && r->wide)
		r->paired = g_new0(int16_t, PT_ROWS * r->width);
	r->wider = r->wide && !req->narrow && pt_wider();
	r->together = PT_ROWS;
	if (r->wider && r->paired && !r->turned) {
		pt_wider_init(&r->x, 1);
		r->together = PT_WIDER_ROWS;
	}
	if (r->wider)
		pt_wider_init(&r->y, 0);
	r->sum = g_new(int32_t, r->line);
	r->row = g_new0(uint8_t, r->line + PT_SLACK + 3 * size + 1);
	r->dst = dst;
	place(r, size, req->orientation);
}

void
pt_resampler_free(pt_resampler *r)
{
	pt_axis_free(&r->x);
	pt_axis_free(&r->y);
	g_free(r->ring);
	g_free(r->under);
	g_free(r->paired);
	g_free(r->sum);
	g_free(r->row);
}

static inline uint8_t
clip(int32_t sum)
{
	int32_t v = sum >> PRECISION;

	return (uint8_t) CLAMP(v, 0, 255);
}

// along_x resamples one source row; row points at the sample pt_axis_begin.
static void
along_x(const pt_axis *a, int pixel, const uint8_t *restrict row, uint8_t *restrict out)
{
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

// along_y resamples the count rows under output row i.
static void
along_y(const pt_axis *a, int i, const uint8_t *const *rows, int line, int32_t *restrict sum, uint8_t *restrict out)
{
	const int32_t *w = a->weight + (size_t) i * a->taps;

	for (int j = 0; j < line; j++)
		sum[j] = HALF;
	for (int k = 0; k < a->count[i]; k++) {
		const uint8_t *restrict row = rows[k];
		int32_t weight = w[k];

		for (int j = 0; j < line; j++)
			sum[j] += row[j] * weight;
	}
	for (int j = 0; j < line; j++)
		out[j] = clip(sum[j]);
}

static uint8_t *
slot(const pt_resampler *r, int y)
{
	return r->ring + (size_t) (y % r->rows) * r->stride;
}

// rows_along_x resamples n rows, 1 or r->together. A byte behind each row out may be
// written.
static void
rows_along_x(pt_resampler *r, const uint8_t *row, size_t stride, int n, uint8_t *const *out)
{
	if (r->x.bytes && n > 1)
		pt_wider_along_x(&r->x, row, stride, out, (uint8_t *) r->paired, 2 * r->width);
	else if (r->pixel == 4 && r->wide)
		pt_wide_along_x(&r->x, row, stride, n, out, r->paired);
	else
		for (int y = 0; y < n; y++)
			along_x(&r->x, r->pixel, row + y * stride, out[y]);
}

// emit finishes output row i and puts it where the orientation wants it.
static void
emit(pt_resampler *r, int i)
{
	const pt_axis *a = &r->y;
	const uint8_t *row = r->row;
	uint8_t *turned = r->row + r->line + PT_SLACK, *out = r->dst + r->origin + i * r->step_y;

	for (int k = 0; k < a->count[i]; k++)
		r->under[k] = slot(r, a->first[i] + k);
	for (int k = 0; k < 3; k++)
		r->under[a->count[i] + k] = r->ring; // has no weight
	if (r->wider)
		pt_wider_along_y(a, i, r->under, r->line, r->row);
	else if (r->wide)
		pt_wide_along_y(a, i, r->under, r->line, r->row);
	else
		along_y(a, i, r->under, r->line, r->sum, r->row);
	if (r->turned) {
		rows_along_x(r, row, 0, 1, &turned);
		row = turned;
	}
	if (r->step_x == 3)
		memcpy(out, row, 3 * (size_t) r->x.size);
	else
		for (int j = 0; j < r->x.size; j++, row += 3, out += r->step_x)
			memcpy(out, row, 3);
}

// take puts n source rows into the ring, 1 or r->together, and emits the output rows
// whose last source row is among them.
static void
take(pt_resampler *r, int y, int n, const uint8_t *row, size_t stride)
{
	const pt_axis *a = &r->y;
	uint8_t *out[PT_ROWS];

	for (int i = 0; i < n; i++)
		out[i] = slot(r, y + i);
	if (!r->turned)
		rows_along_x(r, row, stride, n, out);
	else
		for (int i = 0; i < n; i++)
			memcpy(out[i], row + i * stride, r->line);
	while (r->next < a->size && a->first[r->next] + a->count[r->next] <= y + n)
		emit(r, r->next++);
}

// pt_resampler_rows takes n source rows from y on, which lie stride bytes apart;
// rows come once each, top to bottom, from pt_axis_begin(&r->y) to
// pt_axis_end(&r->y). row starts at the column pt_axis_begin(&r->x). Pillow turns
// first and then resamples along the upright x and rounds; where that is the
// stored y, the order here is the other one.
void
pt_resampler_rows(pt_resampler *r, int y, int n, const uint8_t *row, size_t stride)
{
	while (n > 0) {
		int some = n < r->together ? 1 : r->together;

		take(r, y, some, row, stride);
		y += some;
		n -= some;
		row += some * stride;
	}
}
