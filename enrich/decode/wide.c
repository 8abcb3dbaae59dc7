// wide.c: the resampling along x for processors with AVX2, number for number what
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

// step adds four taps of one row to its sums.
__attribute__((target("avx2"))) static inline void
step(const uint8_t *p, __m256i high, __m256i low, __m256i *highs, __m256i *lows)
{
	// Of four pixels: red of the first two, green of the first two, …
	const __m128i pairs = _mm_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
	__m256i wide = _mm256_cvtepu8_epi16(_mm_shuffle_epi8(_mm_loadu_si128((const __m128i *) p), pairs));

	*highs = _mm256_add_epi32(*highs, _mm256_madd_epi16(wide, high));
	*lows = _mm256_add_epi32(*lows, _mm256_madd_epi16(wide, low));
}

// put rounds the sums of one pixel and writes it, and a byte behind it.
__attribute__((target("avx2"))) static inline void
put(uint8_t *out, __m256i highs, __m256i lows)
{
	__m256i both = _mm256_add_epi32(_mm256_slli_epi32(highs, 11), lows);
	__m128i sum = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));

	sum = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(1 << 21)), 22);
	sum = _mm_packus_epi16(_mm_packs_epi32(sum, sum), sum);
	int rgb = _mm_cvtsi128_si32(sum);
	memcpy(out, &rgb, 4);
}

// pt_wide_along_x resamples two rows of 4-byte pixels, which share the loading of
// the weights; next may be NULL. row and next point at the sample pt_axis_begin,
// out and out_next get 3 bytes a pixel and one behind the last.
__attribute__((target("avx2"))) void
pt_wide_along_x(const pt_axis *a, const uint8_t *row, uint8_t *out, const uint8_t *next, uint8_t *out_next)
{
	const __m256i spread = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
	int begin = a->first[0];

	for (int i = 0; i < a->size; i++) {
		size_t at = 4 * (size_t) (a->first[i] - begin), weights = (size_t) i * a->quads * 4;
		__m256i highs = _mm256_setzero_si256(), lows = highs, next_highs = highs, next_lows = highs;

		for (int k = 0; k < a->count[i]; k += 4, at += 16) {
			__m256i high = _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *) (a->high + weights + k)));
			__m256i low = _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *) (a->low + weights + k)));

			high = _mm256_permutevar8x32_epi32(high, spread);
			low = _mm256_permutevar8x32_epi32(low, spread);
			step(row + at, high, low, &highs, &lows);
			if (next)
				step(next + at, high, low, &next_highs, &next_lows);
		}
		put(out + 3 * i, highs, lows);
		if (next)
			put(out_next + 3 * i, next_highs, next_lows);
	}
}

#else

int
pt_wide(void)
{
	return 0;
}

void
pt_wide_along_x(const pt_axis *a, const uint8_t *row, uint8_t *out, const uint8_t *next, uint8_t *out_next)
{
}

#endif
