// idct.c: the inverse DCT of blocks that have next to no detail, as most blocks of colour
// are: nothing but the first four frequencies along x and y. It takes a third of the
// time of libjpeg-turbo's own for whole blocks (its "islow", jidctint.c), whose numbers it
// gives, to the last bit: what is left out there is multiplied by 0.

#include "entropy.h"
#include "shim.h"

#if defined(JPEG_INTERNALS) && defined(__x86_64__) && defined(__GNUC__)

#include <string.h>

#include <immintrin.h>

#define WIDE __attribute__((target("avx2")))

enum { BITS = 13, MORE = 2 }; // fraction of the factors, and of what is between the passes

// The factors of one dimension, times 1 << BITS, for two neighbours of 16 bits: outputs
// 0 to 3 are the sum of an even and an odd part, 7 to 4 their difference. The even parts
// are of inputs 0 and 2, the odd ones of 1 and 3.
static const int16_t even[4][2] = { { 8192, 10703 }, { 8192, 4433 }, { 8192, -4433 }, { 8192, -10703 } };
static const int16_t odd[4][2] = { { 11363, 9633 }, { 9633, -2259 }, { 6437, -11362 }, { 2260, -6436 } };

WIDE static inline __m256i
factors(const int16_t one[2], const int16_t other[2])
{
	int a, b;

	memcpy(&a, one, 4);
	memcpy(&b, other, 4);
	return _mm256_inserti128_si256(_mm256_set1_epi32(a), _mm_set1_epi32(b), 1);
}

// beside is two rows of the block side by side, times their quanta, on either half.
WIDE static inline __m256i
beside(const JCOEF *block, const UINT16 *quanta, int one, int other)
{
	__m128i a = _mm_mullo_epi16(_mm_loadl_epi64((const __m128i *) (block + 8 * one)), _mm_loadl_epi64((const __m128i *) (quanta + 8 * one)));
	__m128i b = _mm_mullo_epi16(_mm_loadl_epi64((const __m128i *) (block + 8 * other)), _mm_loadl_epi64((const __m128i *) (quanta + 8 * other)));

	return _mm256_broadcastsi128_si256(_mm_unpacklo_epi16(a, b));
}

// smooth says whether a block has only the first four frequencies along x and y, and none
// of an amount that no photo has, for which libjpeg-turbo goes two different ways.
WIDE static inline int
smooth(const JCOEF *block, const UINT16 *quanta)
{
	const __m256i right = _mm256_setr_epi64x(0, -1, 0, -1);
	const __m256i *rows = (const __m256i *) block; // two each
	__m256i beyond = _mm256_and_si256(right, _mm256_or_si256(_mm256_loadu_si256(rows), _mm256_loadu_si256(rows + 1)));
	__m256i below = _mm256_or_si256(_mm256_loadu_si256(rows + 2), _mm256_loadu_si256(rows + 3));
	__m128i first = _mm_mullo_epi16(_mm_loadl_epi64((const __m128i *) block), _mm_loadl_epi64((const __m128i *) quanta));
	__m128i cut = _mm_xor_si128(first, _mm_srai_epi16(_mm_slli_epi16(first, MORE), MORE));
	__m256i rest = _mm256_or_si256(_mm256_or_si256(beyond, below), _mm256_zextsi128_si256(cut));

	return _mm256_testz_si256(rest, rest);
}

// columns is the first pass. out[0] has four numbers of each of the rows 0, 3, 1 and 2, and
// out[1] of 7, 4, 6 and 5.
WIDE static inline void
columns(const JCOEF *block, const UINT16 *quanta, __m256i out[2])
{
	const __m256i half = _mm256_set1_epi32(1 << (BITS - MORE - 1));
	__m256i evens = beside(block, quanta, 0, 2), odds = beside(block, quanta, 1, 3), e[2], o[2];

	for (int i = 0; i < 2; i++) { // 0 and 1, then 3 and 2
		e[i] = _mm256_add_epi32(half, _mm256_madd_epi16(evens, factors(even[3 * i], even[1 + i])));
		o[i] = _mm256_madd_epi16(odds, factors(odd[3 * i], odd[1 + i]));
	}
	out[0] = _mm256_packs_epi32(_mm256_srai_epi32(_mm256_add_epi32(e[0], o[0]), BITS - MORE),
		_mm256_srai_epi32(_mm256_add_epi32(e[1], o[1]), BITS - MORE));
	out[1] = _mm256_packs_epi32(_mm256_srai_epi32(_mm256_sub_epi32(e[0], o[0]), BITS - MORE),
		_mm256_srai_epi32(_mm256_sub_epi32(e[1], o[1]), BITS - MORE));
}

// rows is the second pass. out[0] has samples 0 to 3 of the rows 0, 3, 7, 4, 1, 2, 6 and 5,
// and out[1] samples 4 to 7.
WIDE static inline void
rows(const __m256i in[2], __m256i out[2])
{
	const __m256i apart = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15));
	const __m256i turned = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
	const __m256i half = _mm256_set1_epi32(1 << (BITS + MORE + 2));
	__m256i upper = _mm256_shuffle_epi8(in[0], apart), lower = _mm256_shuffle_epi8(in[1], apart);
	__m256i evens = _mm256_unpacklo_epi64(upper, lower), odds = _mm256_unpackhi_epi64(upper, lower), sample[8];

	for (int i = 0; i < 4; i++) {
		__m256i e = _mm256_add_epi32(half, _mm256_madd_epi16(evens, factors(even[i], even[i])));
		__m256i o = _mm256_madd_epi16(odds, factors(odd[i], odd[i]));

		sample[i] = _mm256_srai_epi32(_mm256_add_epi32(e, o), BITS + MORE + 3);
		sample[7 - i] = _mm256_srai_epi32(_mm256_sub_epi32(e, o), BITS + MORE + 3);
	}
	for (int i = 0; i < 2; i++) {
		const __m256i *s = sample + 4 * i;

		out[i] = _mm256_shuffle_epi8(
			_mm256_packs_epi16(_mm256_packs_epi32(s[0], s[1]), _mm256_packs_epi32(s[2], s[3])), turned);
	}
}

// idct is libjpeg-turbo's, for the blocks that are not smooth; the others are done here.
WIDE static void
idct(j_decompress_ptr d, jpeg_component_info *of, JCOEFPTR block, JSAMPARRAY to, JDIMENSION column)
{
	const UINT16 *quanta = of->quant_table->quantval;

	if (!smooth(block, quanta)) {
		(*(entropy **) d->client_data)->idct[of->component_index](d, of, block, to, column);
		return;
	}
	static const int order[2][4] = { { 0, 3, 7, 4 }, { 1, 2, 6, 5 } };
	const __m256i grey = _mm256_set1_epi8((char) CENTERJSAMPLE);
	__m256i between[2], samples[2];

	columns(block, quanta, between);
	rows(between, samples);
	__m256i first = _mm256_add_epi8(_mm256_unpacklo_epi32(samples[0], samples[1]), grey);
	__m256i last = _mm256_add_epi8(_mm256_unpackhi_epi32(samples[0], samples[1]), grey);

	for (int i = 0; i < 2; i++) {
		__m128i f = i ? _mm256_extracti128_si256(first, 1) : _mm256_castsi256_si128(first);
		__m128i l = i ? _mm256_extracti128_si256(last, 1) : _mm256_castsi256_si128(last);

		_mm_storel_epi64((__m128i *) (to[order[i][0]] + column), f);
		_mm_storeh_pd((double *) (to[order[i][1]] + column), _mm_castsi128_pd(f));
		_mm_storel_epi64((__m128i *) (to[order[i][2]] + column), l);
		_mm_storeh_pd((double *) (to[order[i][3]] + column), _mm_castsi128_pd(l));
	}
}

// pt_idct takes the inverse DCT of components that are not scaled over, after
// jpeg_start_decompress.
void
pt_idct(j_decompress_ptr d, entropy *e)
{
	if (!pt_wide() || d->dct_method != JDCT_ISLOW)
		return;
	for (int c = 0; c < d->num_components; c++) {
		jpeg_component_info *of = d->comp_info + c;
#if JPEG_LIB_VERSION >= 70
		int whole = of->DCT_h_scaled_size == DCTSIZE && of->DCT_v_scaled_size == DCTSIZE;
#else
		int whole = of->DCT_scaled_size == DCTSIZE;
#endif

		e->idct[c] = d->idct->inverse_DCT[c];
		if (whole && of->component_needed)
			d->idct->inverse_DCT[c] = idct;
	}
}

#elif defined(JPEG_INTERNALS)

void
pt_idct(j_decompress_ptr d, entropy *e)
{
}

#endif
