// codes.c: what each of the next bits of a JPEG's coefficients means, laid out so that
// entropy.c has to look once.

#include <string.h>

#include "entropy.h"

// looked is what bits say that begin with a code of so many; step is 0 for DC.
static look
looked(int bits, int code, int symbol, int step)
{
	int size = step ? symbol & 15 : symbol, left = LOOK - code - size;

	if (left < 0)
		return (look) { .bits = code, .first = symbol };
	int value = pt_valued(bits >> left & ((1 << size) - 1), size);

	return (look) { code + size, code + size, step ? step : 1, 0, value, value };
}

// pair has each look tell the second coefficient, too, where its bits suffice.
static void
pair(codes *t)
{
	for (int bits = (1 << LOOK) - 1; bits >= 0; bits--) {
		look *a = &t->at[bits];
		const look *b = &t->at[bits << a->bits & ((1 << LOOK) - 1)];

		if (a->step && b->step && a->bits + b->first_bits <= LOOK) {
			a->bits += b->first_bits;
			a->more = b->step;
			a->second = b->first;
		}
	}
}

// pt_codes lays out a table that libjpeg-turbo has found sound; it lives as long as the
// photo's decoding.
codes *
pt_codes(j_decompress_ptr d, const JHUFF_TBL *from, int ac)
{
	codes *t = d->mem->alloc_small((j_common_ptr) d, JPOOL_IMAGE, sizeof(codes));
	int code = 0, place = 0;

	memset(t->at, 0, sizeof(t->at));
	t->symbols = from->huffval;
	for (int bits = 1; bits <= LONGEST; bits++, code <<= 1) {
		t->offset[bits] = place - code;
		for (int n = from->bits[bits]; n > 0; n--, code++, place++) {
			int symbol = from->huffval[place], step = ac ? pt_step(symbol) : 0;

			if (bits <= LOOK)
				for (int i = code << (LOOK - bits); i < (code + 1) << (LOOK - bits); i++)
					t->at[i] = looked(i, bits, symbol, step);
		}
		t->above[bits] = code << (LONGEST - bits);
	}
	if (ac)
		pair(t);
	return t;
}
