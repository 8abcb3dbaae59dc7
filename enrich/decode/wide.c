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

// pairs lays neighbours among four pixels of 4 bytes side by side: red of the first two,
// green of the first two, … Each pixel is read by several outputs; this is done once.
__attribute__((target("avx2"))) static inline __m128i
pairs(const uint8_t *four)
{
	const __m128i order = _mm_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);

	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *) four), order);
}

// widened are samples in 16 bits.
__attribute__((target("avx2"))) static inline __m256i
widened(__m128i samples)
{
	return _mm256_cvtepu8_epi16(samples);
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

// both are two weights, for every two neighbours.
__attribute__((target("avx2"))) static inline __m256i
both(const int16_t *weights)
{
	int two;

	memcpy(&two, weights, 4);
	return _mm256_set1_epi32(two);
}

// pair pairs a row.
__attribute__((target("avx2"))) static void
pair(const uint8_t *row, int pixels, int16_t *out)
{
	for (int x = 0; x < pixels; x += 4, out += 16)
		_mm256_storeu_si256((__m256i *) out, widened(pairs(row + 4 * x)));
}

// across resamples output i of a row that was paired.
__attribute__((target("avx2"))) static inline void
across(const pt_axis *a, int i, const int16_t *paired, uint8_t *out)
{
	const __m256i spread = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
	size_t weights = (size_t) i * a->quads * 4;
	int odd = a->odd[i];
	const int16_t *p = paired + 4 * (size_t) (a->first[i] - a->first[0] - odd);
	__m256i high = _mm256_setzero_si256(), low = high;

	for (int k = 0; k < a->count[i] + odd; k += 4, p += 16) {
		__m256i h = _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *) (a->high + weights + k)));
		__m256i l = _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *) (a->low + weights + k)));
		__m256i four = _mm256_loadu_si256((const __m256i *) p);

		high = _mm256_add_epi32(high, _mm256_madd_epi16(four, _mm256_permutevar8x32_epi32(h, spread)));
		low = _mm256_add_epi32(low, _mm256_madd_epi16(four, _mm256_permutevar8x32_epi32(l, spread)));
	}
	__m256i sum = whole(high, low);

	sum = rounded(_mm256_add_epi32(sum, _mm256_permute2x128_si256(sum, sum, 0x01)));
	sum = _mm256_packus_epi16(_mm256_packs_epi32(sum, sum), sum);
	put(out + 3 * i, _mm256_extract_epi32(sum, 0));
}

// weave pairs eight rows and lays the same pair of all of them side by side, first its
// reds, then its greens, then its blues: 16 numbers each, of two pixels of every row.
__attribute__((target("avx2"))) static void
weave(const uint8_t *row, size_t stride, int pixels, int16_t *out)
{
	for (int x = 0; x < pixels; x += 4, out += 2 * 3 * 16) {
		__m256i *to = (__m256i *) out;
		__m128i r[PT_ROWS], two[PT_ROWS], four[PT_ROWS];

		for (int y = 0; y < PT_ROWS; y++)
			r[y] = pairs(row + y * stride + 4 * x);
		for (int y = 0; y < PT_ROWS; y += 2) { // of two rows each: the first pair, four on the second
			two[y / 2] = _mm_unpacklo_epi16(r[y], r[y + 1]);
			two[y / 2 + 4] = _mm_unpackhi_epi16(r[y], r[y + 1]);
		}
		for (int y = 0; y < PT_ROWS; y += 2) { // of four rows each: red and green, behind them blue
			four[y] = _mm_unpacklo_epi32(two[y], two[y + 1]);
			four[y + 1] = _mm_unpackhi_epi32(two[y], two[y + 1]);
		}
		for (int p = 0; p < 2; p++, to += 3) {
			const __m128i *f = four + 4 * p;

			_mm256_storeu_si256(to, widened(_mm_unpacklo_epi64(f[0], f[2])));
			_mm256_storeu_si256(to + 1, widened(_mm_unpackhi_epi64(f[0], f[2])));
			_mm256_storeu_si256(to + 2, widened(_mm_unpacklo_epi64(f[1], f[3])));
		}
	}
}

// across_woven is across for rows that were woven.
__attribute__((target("avx2"))) static inline void
across_woven(const pt_axis *a, int i, const int16_t *woven, uint8_t *const *out)
{
	size_t weights = (size_t) i * a->quads * 4;
	int odd = a->odd[i];
	const __m256i *p = (const __m256i *) (woven + 24 * (size_t) (a->first[i] - a->first[0] - odd));
	__m256i high[3] = { _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256() };
	__m256i low[3] = { high[0], high[0], high[0] };

	for (int k = 0; k < a->count[i] + odd; k += 2, p += 3) {
		__m256i h = both(a->high + weights + k), l = both(a->low + weights + k);

		for (int c = 0; c < 3; c++) {
			__m256i some = _mm256_loadu_si256(p + c);

			high[c] = _mm256_add_epi32(high[c], _mm256_madd_epi16(some, h));
			low[c] = _mm256_add_epi32(low[c], _mm256_madd_epi16(some, l));
		}
	}
	const __m256i order = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 4, 8, 8, 1, 5, 9, 9, 2, 6, 10, 10, 3, 7, 11, 11));
	__m256i red = rounded(whole(high[0], low[0])), green = rounded(whole(high[1], low[1])), blue = rounded(whole(high[2], low[2]));
	__m256i sum = _mm256_packus_epi16(_mm256_packs_epi32(red, green), _mm256_packs_epi32(blue, blue));

	sum = _mm256_shuffle_epi8(sum, order);
	put(out[0] + 3 * i, _mm256_extract_epi32(sum, 0));
	put(out[1] + 3 * i, _mm256_extract_epi32(sum, 1));
	put(out[2] + 3 * i, _mm256_extract_epi32(sum, 2));
	put(out[3] + 3 * i, _mm256_extract_epi32(sum, 3));
	put(out[4] + 3 * i, _mm256_extract_epi32(sum, 4));
	put(out[5] + 3 * i, _mm256_extract_epi32(sum, 5));
	put(out[6] + 3 * i, _mm256_extract_epi32(sum, 6));
	put(out[7] + 3 * i, _mm256_extract_epi32(sum, 7));
}

// pt_wide_along_x resamples rows of 4-byte pixels, 1 or PT_ROWS of them; row points at
// the sample pt_axis_begin of the first. out gets 3 bytes a pixel and one behind the
// last; paired is room for four numbers a pixel of each row, and for 16 pixels more.
__attribute__((target("avx2"))) void
pt_wide_along_x(const pt_axis *a, const uint8_t *row, size_t stride, int n, uint8_t *const *out, int16_t *paired)
{
	int pixels = pt_axis_end(a) - pt_axis_begin(a);

	if (n == PT_ROWS) {
		weave(row, stride, pixels, paired);
		for (int i = 0; i < a->size; i++)
			across_woven(a, i, paired, out);
	} else {
		pair(row, pixels, paired);
		for (int i = 0; i < a->size; i++)
			across(a, i, paired, *out);
	}
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
			__m256i hs = both(a->high + weights + a->odd[i] + k), ls = both(a->low + weights + a->odd[i] + k);
			__m256i one = widened(_mm_loadu_si128((const __m128i *) (rows[k] + x)));
			__m256i two = widened(_mm_loadu_si128((const __m128i *) (rows[k + 1] + x)));
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
pt_wide_along_x(const pt_axis *a, const uint8_t *row, size_t stride, int n, uint8_t *const *out, int16_t *paired)
{
}

void
pt_wide_along_y(const pt_axis *a, int i, const uint8_t *const *rows, int line, uint8_t *out)
{
}

#endif
