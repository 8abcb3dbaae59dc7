// wider.c: the resampling for processors with AVX-512 and its instruction for networks
// of bytes (VNNI), number for number what resample.c does. It multiplies 64 samples by as
// many weights of one byte and adds them up by fours, so a weight goes in three; their
// sums are put together again exactly. Sixteen samples under an output are one step,
// which for most photos is all there are.

#include "shim.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <string.h>

#include <glib.h>
#include <immintrin.h>

#define WIDER __attribute__((target("avx512f,avx512bw,avx512vnni")))

enum { STEP = 16, PARTS = 3 };

int
pt_wider(void)
{
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni");
}

// pt_wider_init lays the weights out in bytes, -128 to 127 each, in as many steps as the
// output with the most samples takes: weight = (first * 256 + second) * 256 + third. With
// fours, outputs begin where four samples do, some of them without weight.
void
pt_wider_init(pt_axis *a, int fours)
{
	int most = 0;

	for (int i = 0; i < a->size; i++)
		most = MAX(most, a->count[i] + (fours ? (a->first[i] - a->first[0]) % 4 : 0));
	a->steps = (most + STEP - 1) / STEP;
	a->bytes = g_new0(int8_t, (size_t) a->size * a->steps * PARTS * STEP);
	for (int i = 0; i < a->size; i++)
		for (int k = 0; k < a->count[i]; k++) {
			int32_t w = a->weight[(size_t) i * a->taps + k];
			int8_t third = (int8_t) w, second = (int8_t) ((w - third) >> 8);
			int at = k + (fours ? (a->first[i] - a->first[0]) % 4 : 0);
			int8_t *out = a->bytes + ((size_t) i * a->steps + at / STEP) * PARTS * STEP + at % STEP;

			out[0] = (int8_t) ((w - third - second * 256) >> 16);
			out[STEP] = second;
			out[2 * STEP] = third;
		}
}

// gather lays a row of 4-byte pixels out by fours: red of the first four, green of the
// first four, …
WIDER static void
gather(const uint8_t *row, int pixels, uint8_t *out)
{
	const __m512i fours = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));

	for (int x = 0; x < pixels; x += STEP) {
		__mmask16 there = pixels - x < STEP ? (1 << (pixels - x)) - 1 : 0xffff;
		__m512i some = _mm512_maskz_loadu_epi32(there, row + 4 * x);

		_mm512_storeu_si512(out + 4 * x, _mm512_shuffle_epi8(some, fours));
	}
}

// weights are one byte of the weights of a step, each four of them for all four samples
// of a pixel.
WIDER static inline __m512i
weights(const int8_t *bytes)
{
	const __m512i spread = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);

	return _mm512_permutexvar_epi32(spread, _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *) bytes)));
}

// one is four weights, for every sample of four rows.
WIDER static inline __m512i
one(const int8_t *bytes)
{
	int32_t four;

	memcpy(&four, bytes, 4);
	return _mm512_set1_epi32(four);
}

// whole puts the sums of the three bytes together.
WIDER static inline __m512i
whole(__m512i first, __m512i second, __m512i third)
{
	first = _mm512_add_epi32(_mm512_slli_epi32(first, 8), second);
	return _mm512_add_epi32(_mm512_slli_epi32(first, 8), third);
}

// rounded are sums as samples, not yet clipped.
WIDER static inline __m512i
rounded(__m512i sum)
{
	return _mm512_srai_epi32(_mm512_add_epi32(sum, _mm512_set1_epi32(1 << 21)), 22);
}

// under is the sum of the samples under an output pixel, four and four of them beside
// each other, still to be added up.
WIDER static inline __m512i
under(const uint8_t *fours, const int8_t *bytes, int steps)
{
	__m512i first = _mm512_setzero_si512(), second = first, third = first;

	for (int k = 0; k < steps; k++, bytes += PARTS * STEP, fours += 4 * STEP) {
		__m512i some = _mm512_loadu_si512(fours);

		first = _mm512_dpbusd_epi32(first, some, weights(bytes));
		second = _mm512_dpbusd_epi32(second, some, weights(bytes + STEP));
		third = _mm512_dpbusd_epi32(third, some, weights(bytes + 2 * STEP));
	}
	return whole(first, second, third);
}

// halved adds what a and b have in their lower halves to what they have in their upper
// ones, and puts the two results side by side.
WIDER static inline __m512i
halved(__m512i a, __m512i b)
{
	return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x44), _mm512_shuffle_i32x4(a, b, 0xee));
}

// put writes one pixel, and a byte behind it.
static inline void
put(uint8_t *out, int pixel)
{
	memcpy(out, &pixel, 4);
}

// across resamples output i of PT_WIDER_ROWS rows that were gathered; the compiler makes one
// of a single step.
WIDER __attribute__((always_inline)) static inline void
across(const pt_axis *a, int i, int steps, const uint8_t *fours, size_t room, uint8_t *const *out)
{
	const int8_t *bytes = a->bytes + (size_t) i * steps * PARTS * STEP;
	const uint8_t *p = fours + (size_t) (a->first[i] - a->first[0]) / 4 * 16;
	__m512i upper = halved(under(p, bytes, steps), under(p + room, bytes, steps));
	__m512i lower = halved(under(p + 2 * room, bytes, steps), under(p + 3 * room, bytes, steps));
	__m512i sum = rounded(_mm512_add_epi32(
		_mm512_shuffle_i32x4(upper, lower, 0x88), _mm512_shuffle_i32x4(upper, lower, 0xdd)));
	__m128i pixels = _mm512_cvtusepi32_epi8(_mm512_max_epi32(sum, _mm512_setzero_si512()));

	put(out[0] + 3 * i, _mm_extract_epi32(pixels, 0));
	put(out[1] + 3 * i, _mm_extract_epi32(pixels, 1));
	put(out[2] + 3 * i, _mm_extract_epi32(pixels, 2));
	put(out[3] + 3 * i, _mm_extract_epi32(pixels, 3));
}

// pt_wider_along_x resamples PT_WIDER_ROWS rows of 4-byte pixels; row points at the sample
// pt_axis_begin of the first. out gets 3 bytes a pixel and one behind the last; fours is
// room for as many rows of so many bytes, of which twice the pixels' own and 72 behind
// them are written or read.
WIDER void
pt_wider_along_x(const pt_axis *a, const uint8_t *row, size_t stride, uint8_t *const *out, uint8_t *fours, size_t room)
{
	int pixels = pt_axis_end(a) - pt_axis_begin(a);

	for (int y = 0; y < PT_WIDER_ROWS; y++)
		gather(row + y * stride, pixels, fours + y * room);
	if (a->steps == 1)
		for (int i = 0; i < a->size; i++)
			across(a, i, 1, fours, room, out);
	else
		for (int i = 0; i < a->size; i++)
			across(a, i, a->steps, fours, room, out);
}

// blend multiplies 16 samples of four rows, laid side by side, and adds them up.
WIDER static inline void
blend(__m512i four, const __m512i weight[PARTS], __m512i sum[PARTS])
{
	for (int part = 0; part < PARTS; part++)
		sum[part] = _mm512_dpbusd_epi32(sum[part], four, weight[part]);
}

// blended are the sums as samples, not yet clipped.
WIDER static inline __m512i
blended(const __m512i sum[PARTS])
{
	return rounded(whole(sum[0], sum[1], sum[2]));
}

// pt_wider_along_y resamples output i of the axis: line samples of each of the count
// rows, which are filled up with others to a multiple of four.
WIDER void
pt_wider_along_y(const pt_axis *a, int i, const uint8_t *const *rows, int line, uint8_t *out)
{
	const int8_t *bytes = a->bytes + (size_t) i * a->steps * PARTS * STEP;

	for (int x = 0; x < line; x += 64) {
		__mmask64 there = line - x < 64 ? ((__mmask64) 1 << (line - x)) - 1 : ~(__mmask64) 0;
		__m512i sum[4][PARTS] = { 0 };

		for (int k = 0; k < a->count[i]; k += 4) {
			const int8_t *at = bytes + k / STEP * PARTS * STEP + k % STEP;
			__m512i weight[PARTS] = { one(at), one(at + STEP), one(at + 2 * STEP) };
			__m512i r0 = _mm512_maskz_loadu_epi8(there, rows[k] + x);
			__m512i r1 = _mm512_maskz_loadu_epi8(there, rows[k + 1] + x);
			__m512i r2 = _mm512_maskz_loadu_epi8(there, rows[k + 2] + x);
			__m512i r3 = _mm512_maskz_loadu_epi8(there, rows[k + 3] + x);
			__m512i few = _mm512_unpacklo_epi8(r0, r1), more = _mm512_unpackhi_epi8(r0, r1);
			__m512i other = _mm512_unpacklo_epi8(r2, r3), rest = _mm512_unpackhi_epi8(r2, r3);

			blend(_mm512_unpacklo_epi16(few, other), weight, sum[0]);
			blend(_mm512_unpackhi_epi16(few, other), weight, sum[1]);
			blend(_mm512_unpacklo_epi16(more, rest), weight, sum[2]);
			blend(_mm512_unpackhi_epi16(more, rest), weight, sum[3]);
		}
		_mm512_mask_storeu_epi8(out + x, there, _mm512_packus_epi16(
			_mm512_packs_epi32(blended(sum[0]), blended(sum[1])), _mm512_packs_epi32(blended(sum[2]), blended(sum[3]))));
	}
}

#else

int
pt_wider(void)
{
	return 0;
}

void
pt_wider_init(pt_axis *a, int fours)
{
}

void
pt_wider_along_x(const pt_axis *a, const uint8_t *row, size_t stride, uint8_t *const *out, uint8_t *fours, size_t room)
{
}

void
pt_wider_along_y(const pt_axis *a, int i, const uint8_t *const *rows, int line, uint8_t *out)
{
}

#endif
