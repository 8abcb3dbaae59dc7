// entropy.h: what entropy.c, codes.c and unstuff.c have in common. A look at the next bits
// tells of what codes.c has laid out; the bits are where unstuff.c puts them.
#ifndef PLANETAG_DECODE_ENTROPY_H
#define PLANETAG_DECODE_ENTROPY_H

#include <stdint.h>
#include <stdio.h>

#if __has_include(<jpegint.h>)
#define JPEG_INTERNALS // for the reader of coefficients, which is replaced
#endif
#include <jpeglib.h>

#include "reader.h"

enum {
	LOOK = 11,            // bits that are looked up at once
	LONGEST = 16,         // bits of a code
	LAST = DCTSIZE2 - 1,  // number of a block's last coefficient, after that of its first
	END = 128,            // steps over all that is left of a block, behind a coefficient …
	EMPTY = 224,          // … and behind none
	STEPS = LAST + EMPTY, // more than any look goes to
	PLAIN = 32 << 10,     // bytes of the scan that are ready to be read
	// Bytes that a unit does not reach the end of, whatever is in it: a code and its value are
	// up to 31 bits, and eight bytes are read ahead.
	UNIT = D_MAX_BLOCKS_IN_MCU * DCTSIZE2 * 4,
};

_Static_assert(PLAIN > UNIT, "a unit begins where all of it is ready");
_Static_assert(END > LAST + 32 && EMPTY > END + LAST + 32 && EMPTY < 256, "two steps of up to 16 lead to none of these");

// A look finds the values of up to two coefficients; a single one is the second, too. A
// value may reach farther than LOOK bits, its code must not.
typedef struct {
	place first, second;
} look;

// A table tells of the next LOOK bits how many the codes of a look and its values take;
// 0 if the first code is longer. The arrays are apart because the next look waits for
// bits alone, and the end of a block for steps: these stay in the nearest cache.
typedef struct {
	uint8_t bits[1 << LOOK];
	uint8_t steps[1 << LOOK]; // from the coefficient before to the last of the look, or to the block's end
	uint8_t step[1 << LOOK];  // to the first one; EMPTY if there is none
	look at[1 << LOOK];
	int32_t above[LONGEST + 1];  // the first 16 bits that no code of so many begins with
	int32_t offset[LONGEST + 1]; // from a code of so many bits to its place in symbols
	const UINT8 *symbols;
} codes;

// entropy is what is known of a photo while its coefficients are read.
typedef struct {
	const uint8_t *in, *end; // of the photo, what is not in plain yet
	int marker, cut;         // in is at a marker, or where there should be one
	reader r;
	const uint8_t *last;     // end of what is in plain
	unsigned until, restart; // how many units the next marker is away, and which it is
	JDIMENSION column;       // of the next unit
	int before[MAX_COMPS_IN_SCAN]; // the DC coefficient before, of each component
	struct {
		const codes *dc, *ac;
		int *before;
	} block[D_MAX_BLOCKS_IN_MCU]; // of a unit
#ifdef JPEG_INTERNALS
	inverse_DCT_method_ptr idct[MAX_COMPONENTS]; // libjpeg-turbo's own, where idct.c works
#endif
	uint8_t natural[STEPS + 1];   // where the coefficient of a number is stored; the first's place for what is none
	uint8_t plain[PLAIN + UNIT];  // a unit that is longer than the photo reads zeroes
} entropy;

codes *pt_codes(j_decompress_ptr d, const JHUFF_TBL *from, int ac);
void pt_unstuff(entropy *e);
int pt_restart(entropy *e, unsigned interval);
void pt_idct(j_decompress_ptr d, entropy *e);

// pt_step is that of the symbol of an AC code. Sixteen zeroes are fifteen and one stored.
static inline int
pt_step(int symbol)
{
	return symbol & 15 || symbol == 0xf0 ? (symbol >> 4) + 1 : EMPTY;
}

#endif
