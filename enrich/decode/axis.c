// axis.c: the weights of the bicubic along one axis, Pillow's to the last bit; see
// resample.c.

#include <math.h>

#include <glib.h>

#include "shim.h"

#define PRECISION 22

static double
bicubic(double x)
{
	const double a = -0.5;

	x = fabs(x);
	if (x < 1.0)
		return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
	if (x < 2.0)
		return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
	return 0.0;
}

// weigh fills output sample i of the axis, whose source is in samples long.
static void
weigh(pt_axis *a, double *w, int i, int in, double centre, double scale)
{
	double support = 2.0 * scale, total = 0.0;
	int lo = (int) (centre - support + 0.5);
	int hi = (int) (centre + support + 0.5);

	lo = MAX(lo, 0);
	hi = MIN(hi, in);
	a->first[i] = lo;
	a->count[i] = hi - lo;
	for (int k = 0; k < hi - lo; k++) {
		w[k] = bicubic((k + lo - centre + 0.5) / scale);
		total += w[k];
	}
	for (int k = 0; k < hi - lo; k++) {
		double v = (total != 0.0 ? w[k] / total : w[k]) * (1 << PRECISION);

		a->weight[(size_t) i * a->taps + k] = (int32_t) (v < 0 ? v - 0.5 : v + 0.5);
	}
}

// pt_axis_init weighs size outputs between begin and end of in samples. The box is float, not double, because Pillow's is.
void
pt_axis_init(pt_axis *a, int size, int in, float begin, float end)
{
	double scale = (double) (end - begin) / size;
	double shrink = MAX(scale, 1.0);

	a->size = size;
	a->taps = (int) ceil(2.0 * shrink) * 2 + 1;
	a->first = g_new(int, size);
	a->count = g_new(int, size);
	a->weight = g_new0(int32_t, (size_t) size * a->taps);

	double *scratch = g_new(double, a->taps);

	for (int i = 0; i < size; i++)
		weigh(a, scratch, i, in, begin + (i + 0.5) * scale, shrink);
	g_free(scratch);
	a->quads = (a->taps + 5) / 4; // room for a weight of 0 before and behind
	a->bytes = NULL;
	a->odd = g_new(int, size);
	a->high = g_new0(int16_t, (size_t) size * a->quads * 4);
	a->low = g_new0(int16_t, (size_t) size * a->quads * 4);
	for (int i = 0; i < size; i++) {
		a->odd[i] = (a->first[i] - a->first[0]) % 2;
		for (int k = 0; k < a->count[i]; k++) {
			int32_t w = a->weight[(size_t) i * a->taps + k];
			size_t at = (size_t) i * a->quads * 4 + a->odd[i] + k;

			a->high[at] = (int16_t) (w >> 11);
			a->low[at] = (int16_t) (w & 2047);
		}
	}
}

void
pt_axis_free(pt_axis *a)
{
	g_free(a->first);
	g_free(a->count);
	g_free(a->weight);
	g_free(a->odd);
	g_free(a->high);
	g_free(a->low);
	g_free(a->bytes);
}

// pt_axis_begin and pt_axis_end bound the source samples that the axis reads.
int
pt_axis_begin(const pt_axis *a)
{
	return a->first[0];
}

int
pt_axis_end(const pt_axis *a)
{
	return a->first[a->size - 1] + a->count[a->size - 1];
}
