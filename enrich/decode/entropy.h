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

enum {
	LOOK = 11,        // bits that are looked up at once
	LONGEST = 16,     // bits of a code
	END = 128,        // steps over all that is left of a block
	PLAIN = 32 << 10, // bytes of the scan that are ready to be read
	// Bytes that a unit does not reach the end of, whatever is in it: a code and its value are
	// up to 31 bits, and eight bytes are read ahead.
	UNIT = D_MAX_BLOCKS_IN_MCU * DCTSIZE2 * 4,
};

_Static_assert(PLAIN > UNIT, "a unit begins where all of it is ready");

// A look tells of the next LOOK bits how many are used up, and of up to two coefficients
// how many steps after the one before it each is, and its value. Without a second, the
// second is the first again. Without a first, the bits are those of a code that has the
// first value as its symbol; without bits, the code is longer than a look.
typedef struct {
	uint8_t bits, first_bits, step, more; // more: steps from the first to the second
	int16_t first, second;
} look;

typedef struct {
	look at[1 << LOOK];
	int32_t above[LONGEST + 1];  // the first 16 bits that no code of so many begins with
	int32_t offset[LONGEST + 1]; // from a code of so many bits to its place in symbols
	const UINT8 *symbols;
} codes;

// The bits of a reader are those on the left of its window; next has none of them.
typedef struct {
	uint64_t window;
	int bits;
	const uint8_t *next;
} reader;

// entropy is what is known of a photo while its coefficients are read.
typedef struct {
	const uint8_t *in, *end; // of the photo, what is not in plain yet
	int marker, cut;         // in is at a marker, or where there should be one
	reader r;
	const uint8_t *last;     // end of what is in plain
	unsigned until, restart; // how many units the next marker is away, and which it is
	int before[MAX_COMPS_IN_SCAN]; // the DC coefficient before, of each component
	codes *dc[NUM_HUFF_TBLS], *ac[NUM_HUFF_TBLS];
	JBLOCK spare;
	uint8_t plain[PLAIN + UNIT]; // a unit that is longer than the photo reads zeroes
} entropy;

codes *pt_codes(j_decompress_ptr d, const JHUFF_TBL *from, int ac);
void pt_unstuff(entropy *e);
int pt_restart(entropy *e, unsigned interval);

// pt_valued is what so many bits say: half of them are negative.
static inline int
pt_valued(int bits, int size)
{
	return size == 0 || bits >> (size - 1) ? bits : bits - (1 << size) + 1;
}

// pt_step is that of the symbol of an AC code. Sixteen zeroes are fifteen and one stored.
static inline int
pt_step(int symbol)
{
	return symbol & 15 || symbol == 0xf0 ? (symbol >> 4) + 1 : END;
}

#endif
