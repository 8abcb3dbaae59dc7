// wide.c: the resampling for processors with AVX2, number for number what
// resample.c does. A weight of 22 bits does not fit the instruction that
// multiplies and adds 16 of them at once, so it goes in two halves; their sums
// are put together again exactly.

#include "shim.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <string.h>

#include <immintrin.h>

int
pt_wide(void)
{
	return __builtin_cpu_supports("avx2");
}

// pair widens a row of 4-byte pixels to 16 bits and lays neighbours side by side:
// red of the first two, green of the first two, … Each pixel is read by several
// outputs; this is done once.
__attribute__((target("avx2"))) static void
pair(const uint8_t *row, int pixels, int16_t *out)
{
	const __m128i pairs = _mm_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);

	for (int x = 0; x < pixels; x += 4, out += 16) {
		__m128i four = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *) (row + 4 * x)), pairs);

		_mm256_storeu_si256((__m256i *) out, _mm256_cvtepu8_epi16(four));
	}
}

// whole puts the sums of the two halves together.
__attribute__((target("avx2"))) static inline __m256i
whole(__m256i high, __m256i low)
{
	return _mm256_add_epi32(_mm256_slli_epi32(high, 11), low);
}

// rounded are sums as samples, not yet clipped.
__attribute__((target("avx2"))) static inline __m256i
rounded(__m256i sum)
{
	return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(1 << 21)), 22);
}

// put writes one pixel, and a byte behind it.
static inline void
put(uint8_t *out, int pixel)
{
	memcpy(out, &pixel, 4);
}

// across resamples output i of n rows that were paired, 1 or PT_ROWS; the compiler
// makes one of each.
__attribute__((target("avx2"), always_inline)) static inline void
across(const pt_axis *a, int i, const int16_t *paired, size_t stride, int n, uint8_t *const *out)
{
	const __m256i spread = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
	size_t weights = (size_t) i * a->quads * 4;
	int odd = a->odd[i];
	const int16_t *p = paired + 4 * (size_t) (a->first[i] - a->first[0] - odd);
	__m256i high[PT_ROWS], low[PT_ROWS];

	for (int y = 0; y < n; y++)
		high[y] = low[y] = _mm256_setzero_si256();
	for (int k = 0; k < a->count[i] + odd; k += 4, p += 16) {
		__m256i h = _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *) (a->high + weights + k)));
		__m256i l = _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *) (a->low + weights + k)));

		h = _mm256_permutevar8x32_epi32(h, spread);
		l = _mm256_permutevar8x32_epi32(l, spread);
		for (int y = 0; y < n; y++) {
			__m256i four = _mm256_loadu_si256((const __m256i *) (p + y * stride));

			high[y] = _mm256_add_epi32(high[y], _mm256_madd_epi16(four, h));
			low[y] = _mm256_add_epi32(low[y], _mm256_madd_epi16(four, l));
		}
	}
	for (int y = 0; y < n; y += 2) {
		__m256i one = whole(high[y], low[y]), two = y + 1 < n ? whole(high[y + 1], low[y + 1]) : one;
		__m256i sum = rounded(_mm256_add_epi32(
			_mm256_permute2x128_si256(one, two, 0x20), _mm256_permute2x128_si256(one, two, 0x31)));

		sum = _mm256_packus_epi16(_mm256_packs_epi32(sum, sum), sum);
		put(out[y] + 3 * i, _mm256_extract_epi32(sum, 0));
		if (y + 1 < n)
			put(out[y + 1] + 3 * i, _mm256_extract_epi32(sum, 4));
	}
}

// pt_wide_along_x resamples rows of 4-byte pixels, 1 or PT_ROWS of them; row points at
// the sample pt_axis_begin of the first. out gets 3 bytes a pixel and one behind the
// last; paired is room for as many rows of width numbers.
__attribute__((target("avx2"))) void
pt_wide_along_x(const pt_axis *a, const uint8_t *row, size_t stride, int n, uint8_t *const *out, int16_t *paired, size_t width)
{
	int pixels = pt_axis_end(a) - pt_axis_begin(a);

	for (int y = 0; y < n; y++)
		pair(row + y * stride, pixels, paired + y * width);
	if (n == PT_ROWS)
		for (int i = 0; i < a->size; i++)
			across(a, i, paired, width, PT_ROWS, out);
	else
		for (int i = 0; i < a->size; i++)
			across(a, i, paired, width, 1, out);
}

// pt_wide_along_y resamples output i of the axis: line samples of each of the
// count rows. 15 samples behind each are read, and 15 behind out written.
__attribute__((target("avx2"))) void
pt_wide_along_y(const pt_axis *a, int i, const uint8_t *const *rows, int line, uint8_t *out)
{
	size_t weights = (size_t) i * a->quads * 4;

	for (int x = 0; x < line; x += 16) {
		__m256i high[2], low[2];

		high[0] = high[1] = low[0] = low[1] = _mm256_setzero_si256();
		for (int k = 0; k < a->count[i]; k += 2) {
			int h, l;

			memcpy(&h, a->high + weights + a->odd[i] + k, 4);
			memcpy(&l, a->low + weights + a->odd[i] + k, 4);
			__m256i hs = _mm256_set1_epi32(h), ls = _mm256_set1_epi32(l);
			__m256i one = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *) (rows[k] + x)));
			__m256i two = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *) (rows[k + 1] + x)));
			__m256i few = _mm256_unpacklo_epi16(one, two), more = _mm256_unpackhi_epi16(one, two);

			high[0] = _mm256_add_epi32(high[0], _mm256_madd_epi16(few, hs));
			low[0] = _mm256_add_epi32(low[0], _mm256_madd_epi16(few, ls));
			high[1] = _mm256_add_epi32(high[1], _mm256_madd_epi16(more, hs));
			low[1] = _mm256_add_epi32(low[1], _mm256_madd_epi16(more, ls));
		}
		__m256i sum = _mm256_packs_epi32(rounded(whole(high[0], low[0])), rounded(whole(high[1], low[1])));

		sum = _mm256_permute4x64_epi64(_mm256_packus_epi16(sum, sum), 0x08);
		_mm_storeu_si128((__m128i *) (out + x), _mm256_castsi256_si128(sum));
	}
}

#else

int
pt_wide(void)
{
	return 0;
}

void
pt_wide_along_x(const pt_axis *a, const uint8_t *row, size_t stride, int n, uint8_t *const *out, int16_t *paired, size_t width)
{
}

void
pt_wide_along_y(const pt_axis *a, int i, const uint8_t *const *rows, int line, uint8_t *out)
{
}

#endif
