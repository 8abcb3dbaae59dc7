// codes.c: what each of the next bits of a JPEG's coefficients means, laid out so that
// entropy.c has to look once.

#include <string.h>

#include "entropy.h"

// fill says of all looks that begin with a code what its symbol means.
static void
fill(codes *t, int code, int bits, int symbol, int ac)
{
	int begin = code << (LOOK - bits), n = 1 << (LOOK - bits), size = ac ? symbol & 15 : symbol;
	place value = place_of(bits, size);

	memset(t->bits + begin, bits + size, n);
	memset(t->step + begin, ac ? pt_step(symbol) : 1, n);
	for (int i = begin; i < begin + n; i++)
		t->at[i] = (look) { value, value };
}

// follow has a look tell what comes behind its first coefficient, too: a second one if
// its code can be seen, and the end of the block if that can be seen whole.
static void
follow(codes *t, unsigned i)
{
	const unsigned all = (1 << LOOK) - 1;
	unsigned bits = t->bits[i], next = i << bits & all, code = t->at[next].first.from;

	if (code && bits + code <= LOOK && t->step[next] != EMPTY) {
		place second = { bits + code, t->at[next].first.drop };

		t->at[i].second = second;
		t->steps[i] += t->step[next];
		bits = second.from + 63 - second.drop;
		next = i << bits & all;
		code = t->at[next].first.from;
	}
	if (code && bits + code <= LOOK && t->step[next] == EMPTY) {
		t->steps[i] += END;
		bits += code;
	}
	t->bits[i] = bits;
}

// pair has the n looks that begin with one code tell what follows. What does not depends
// on the value between, of as many bits as begin makes.
static void
pair(codes *t, int begin, int n)
{
	int size = 63 - t->at[begin].first.drop, some = n >> size;

	if (t->step[begin] == EMPTY || some < 2)
		return;
	for (int i = begin; i < begin + some; i++)
		follow(t, i);
	for (; some < n; some *= 2) {
		memcpy(t->bits + begin + some, t->bits + begin, some);
		memcpy(t->steps + begin + some, t->steps + begin, some);
		memcpy(t->at + begin + some, t->at + begin, some * sizeof(look));
	}
}

// pt_codes lays out a table that libjpeg-turbo has found sound; it lives as long as the
// photo's decoding.
codes *
pt_codes(j_decompress_ptr d, const JHUFF_TBL *from, int ac)
{
	codes *t = d->mem->alloc_small((j_common_ptr) d, JPOOL_IMAGE, sizeof(codes));
	int code = 0, symbol = 0;

	memset(t->bits, 0, sizeof(t->bits));
	memset(t->step, EMPTY, sizeof(t->step));
	memset(t->at, 0, sizeof(t->at));
	t->symbols = from->huffval;
	for (int bits = 1; bits <= LONGEST; bits++, code <<= 1) {
		t->offset[bits] = symbol - code;
		for (int n = from->bits[bits]; n > 0; n--, code++, symbol++)
			if (bits <= LOOK)
				fill(t, code, bits, from->huffval[symbol], ac);
		t->above[bits] = code << (LONGEST - bits);
	}
	if (!ac)
		return t; // a block has one first coefficient: no steps, and nothing follows
	memcpy(t->steps, t->step, sizeof(t->step));
	for (int i = 0; i < 1 << LOOK && t->bits[i];) {
		int n = 1 << (LOOK - t->at[i].first.from);

		pair(t, i, n);
		i += n;
	}
	return t;
}
