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

// pt_wide_along_x resamples one row of 4-byte pixels; row points at the sample
// pt_axis_begin, out gets 3 bytes a pixel and one behind the last.
__attribute__((target("avx2"))) void
pt_wide_along_x(const pt_axis *a, const uint8_t *row, uint8_t *out)
{
	// Of four pixels: red of the first two, green of the first two, …
	const __m128i pairs = _mm_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
	const __m256i spread = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
	int begin = a->first[0];

	for (int i = 0; i < a->size; i++, out += 3) {
		const uint8_t *p = row + 4 * (size_t) (a->first[i] - begin);
		const int16_t *high = a->high + (size_t) i * a->quads * 4;
		const int16_t *low = a->low + (size_t) i * a->quads * 4;
		__m256i highs = _mm256_setzero_si256(), lows = highs;

		for (int k = 0; k < a->count[i]; k += 4, p += 16) {
			__m128i four = _mm_loadu_si128((const __m128i *) p);
			__m256i wide = _mm256_cvtepu8_epi16(_mm_shuffle_epi8(four, pairs));
			__m256i h = _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *) (high + k)));
			__m256i l = _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *) (low + k)));

			highs = _mm256_add_epi32(highs, _mm256_madd_epi16(wide, _mm256_permutevar8x32_epi32(h, spread)));
			lows = _mm256_add_epi32(lows, _mm256_madd_epi16(wide, _mm256_permutevar8x32_epi32(l, spread)));
		}
		__m256i both = _mm256_add_epi32(_mm256_slli_epi32(highs, 11), lows);
		__m128i sum = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));

		sum = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(1 << 21)), 22);
		sum = _mm_packus_epi16(_mm_packs_epi32(sum, sum), sum);
		int rgb = _mm_cvtsi128_si32(sum);
		memcpy(out, &rgb, 4);
	}
}

#else

int
pt_wide(void)
{
	return 0;
}

void
pt_wide_along_x(const pt_axis *a, const uint8_t *row, uint8_t *out)
{
}

#endif
