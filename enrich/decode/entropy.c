// entropy.c: the Huffman codes of baseline JPEGs. Reading them takes libjpeg-turbo more
// time than all else that a photo needs before the network, so this one step is taken
// over. libjpeg-turbo reads the header, judges the tables, and makes pixels of the
// coefficients, which are its own to the last bit (TestCoefficientsAreLibjpegs); idct.c
// helps it with those of smooth blocks. What is faster here: one look at the next bits
// tells where up to two values are, however long, and whether the block ends behind them;
// the processor guesses wrong once a block; and the zeroes that follow each 0xff are taken
// out before, many bytes at once (unstuff.c).
//
// Nothing is judged here. A code that is none, a marker too early, data that end: whatever
// is out of the ordinary leaves by error_exit, and the photo is decoded once more without
// this file, so that there is one opinion about what is wrong with it. Where the headers of
// libjpeg-turbo's inside (jpegint.h) are not installed, it decodes all photos alone.

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "entropy.h"
#include "shim.h"

#ifdef JPEG_INTERNALS

_Noreturn static void
odd(j_decompress_ptr d)
{
	d->err->error_exit((j_common_ptr) d);
	abort();
}

static inline uint64_t
look_of(reader r)
{
	return r.window >> (64 - LOOK);
}

// symbol reads a code of any length, with its value still ahead.
static reader
symbol(j_decompress_ptr d, const codes *t, reader r, int *out)
{
	int bits = t->bits[look_of(r)] ? 1 : LOOK + 1;

	while (bits <= LONGEST && ahead(r, LONGEST) >= t->above[bits])
		bits++;
	if (bits > LONGEST)
		odd(d);
	*out = t->symbols[ahead(r, bits) + t->offset[bits]];
	return without(r, bits);
}

// difference reads what a block's first coefficient has more than the one before. It
// leaves bits for a look.
static inline reader
difference(j_decompress_ptr d, const codes *t, reader r, int *out)
{
	uint64_t i = look_of(r);
	int size;

	if (t->bits[i]) {
		*out = value(r, t->at[i].first);
		return without(r, t->bits[i]);
	}
	r = symbol(d, t, r, &size);
	*out = value(r, place_of(0, size));
	return refilled(without(r, size));
}

// slowly reads the coefficient after number k, and answers its number.
static __attribute__((noinline)) int
slowly(j_decompress_ptr d, const codes *t, reader *from, int k, JCOEF *out)
{
	int sym;
	reader r = symbol(d, t, refilled(*from), &sym);

	k += pt_step(sym);
	if (k > LAST && k < EMPTY)
		odd(d);
	if (k <= LAST && out)
		out[jpeg_natural_order[k]] = value(r, place_of(0, sym & 15));
	*from = refilled(without(r, sym & 15));
	return k;
}

// ended says whether a look that went to k saw the block's end, and nothing behind it.
static inline int
ended(const codes *t, uint64_t i, uint64_t k)
{
	return (t->bits[i] != 0) & ((k >= EMPTY) | (k - END < LAST));
}

// seen is a look at the next bits: which one, the number of the coefficient that it goes
// to, and the bits with what it tells of and without.
typedef struct {
	uint64_t i, to;
	reader before, after;
} seen;

// see is a look from coefficient number k on, at most 26 bits. What the next look waits
// for is fetched here and now; the compiler would put it off until it is used, behind all
// that can wait.
static inline __attribute__((always_inline)) seen
see(const codes *t, reader r, uint64_t k)
{
	uint64_t i = look_of(r), to = k + t->steps[i];
	int bits = t->bits[i];

	__asm__ volatile("" : "+r"(bits), "+r"(to));
	return (seen) { i, to, r, without(r, bits) };
}

// put stores the values that were seen, or something in the place of the block's first.
static inline __attribute__((always_inline)) void
put(const entropy *e, const codes *t, seen s, uint64_t k, JCOEF *out)
{
	out[e->natural[k + t->step[s.i]]] = value(s.before, t->at[s.i].first);
	out[e->natural[s.to]] = value(s.before, t->at[s.i].second);
}

// frequencies reads the coefficients but the first, in whose place anything may be
// afterwards, and stores them, or does not.
static inline __attribute__((always_inline)) reader
frequencies(j_decompress_ptr d, const entropy *e, const codes *t, reader r, int store, JCOEF *out)
{
	uint64_t k = 0;

	for (;;) {
		seen s = see(t, r, k);

		if (store)
			put(e, t, s, k, out);
		if (s.to < LAST) { // bits suffice for two
			k = s.to;
			s = see(t, refilled(s.after), k);
			if (store)
				put(e, t, s, k, out);
		}
		r = s.after;
		if (s.to < LAST) {
			k = s.to;
			continue;
		}
		if (ended(t, s.i, s.to))
			return r;
		reader copy = s.before; // r itself stays in registers

		k = slowly(d, t, &copy, k, store ? out : NULL);
		r = copy;
		if (k >= LAST)
			return r;
	}
}

// wanted says whether libjpeg-turbo makes pixels of the unit, or leaves its column out.
static inline int
wanted(j_decompress_ptr d, entropy *e)
{
	JDIMENSION at = e->column;

	e->column = at + 1 < d->MCUs_per_row ? at + 1 : 0;
	return at >= d->master->first_iMCU_col && at <= d->master->last_iMCU_col;
}

// unit reads the blocks of an MCU, which are all 0 before; without any, or if nobody
// wants them, it reads over them.
static boolean
unit(j_decompress_ptr d, JBLOCKROW *blocks)
{
	entropy *e = *(entropy **) d->client_data;

	if (d->restart_interval && !pt_restart(e, d->restart_interval))
		odd(d);
	if (e->last - e->r.next < UNIT && !e->marker)
		pt_unstuff(e);
	int store = wanted(d, e) && blocks;
	reader r = e->r;

	for (int i = 0; i < d->blocks_in_MCU; i++) {
		int more, *before = e->block[i].before;

		r = difference(d, e->block[i].dc, refilled(r), &more);
		*before += more;
		if (*before != (JCOEF) *before)
			odd(d);
		if (store) {
			r = frequencies(d, e, e->block[i].ac, r, 1, *blocks[i]);
			(*blocks[i])[0] = *before;
		} else
			r = frequencies(d, e, e->block[i].ac, r, 0, NULL);
	}
	// Who looks ahead where a photo was cut finds no photo: libjpeg-turbo does.
	if (e->cut ? r.next + sizeof(r.window) > e->last : r.next - r.bits / 8 > e->last)
		odd(d);
	e->r = r;
	return TRUE;
}

// prepare lays out what is known of the blocks before the first is read.
static void
prepare(j_decompress_ptr d, entropy *e)
{
	codes *dcs[NUM_HUFF_TBLS] = { NULL }, *acs[NUM_HUFF_TBLS] = { NULL };

	for (int i = 0; i < d->blocks_in_MCU; i++) {
		int c = d->MCU_membership[i], dc = d->cur_comp_info[c]->dc_tbl_no, ac = d->cur_comp_info[c]->ac_tbl_no;

		if (!dcs[dc])
			dcs[dc] = pt_codes(d, d->dc_huff_tbl_ptrs[dc], 0);
		if (!acs[ac])
			acs[ac] = pt_codes(d, d->ac_huff_tbl_ptrs[ac], 1);
		e->block[i].dc = dcs[dc];
		e->block[i].ac = acs[ac];
		e->block[i].before = &e->before[c];
	}
	for (int k = 0; k <= LAST; k++)
		e->natural[k] = e->natural[END + k] = jpeg_natural_order[k];
}

// pt_entropy takes the reading of a photo's coefficients over, after
// jpeg_start_decompress, and says so; not if they come in several scans, or otherwise
// coded. What client_data points to begins with a pointer for it. libjpeg-turbo has found
// the tables to be there and sound by then, or left.
int
pt_entropy(struct jpeg_decompress_struct *d)
{
	if (d->progressive_mode || d->arith_code || d->inputctl->has_multiple_scans || d->data_precision != 8 ||
		d->Ss != 0 || d->Se != LAST)
		return 0;
	entropy *e = d->mem->alloc_large((j_common_ptr) d, JPOOL_IMAGE, sizeof(entropy));

	memset(e, 0, offsetof(entropy, plain));
	e->in = d->src->next_input_byte;
	e->end = e->in + d->src->bytes_in_buffer;
	e->r.next = e->last = e->plain;
	e->until = d->restart_interval;
	prepare(d, e);
	*(entropy **) d->client_data = e;
	d->entropy->decode_mcu = unit;
	pt_idct(d, e);
	return 1;
}

#else

int
pt_entropy(struct jpeg_decompress_struct *d)
{
	return 0;
}

#endif
