// entropy.c: the Huffman codes of baseline JPEGs. Reading them takes libjpeg-turbo more
// time than all else that a photo needs before the network, so this one step is taken
// over. libjpeg-turbo reads the header, judges the tables, and makes pixels of the
// coefficients, which are its own to the last bit (TestCoefficientsAreLibjpegs). What is
// faster here: one look at the next bits tells up to two codes with their values, and the
// zeroes that follow each 0xff are taken out before, many bytes at once (unstuff.c).
//
// Nothing is judged here. A code that is none, a marker too early, data that end: whatever
// is out of the ordinary leaves by error_exit, and the photo is decoded once more without
// this file, so that there is one opinion about what is wrong with it. Where the headers of
// libjpeg-turbo's inside (jpegint.h) are not installed, it decodes all photos alone.

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "entropy.h"
#include "shim.h"

#ifdef JPEG_INTERNALS

enum {
	AT_ONCE = 5,         // looks without a refill: of 56 bits
	LAST = DCTSIZE2 - 1, // place of a block's last coefficient
};

_Noreturn static void
odd(j_decompress_ptr d)
{
	d->err->error_exit((j_common_ptr) d);
	abort();
}

// refilled has at least 56 bits.
static inline reader
refilled(reader r)
{
	uint64_t more;

	memcpy(&more, r.next, sizeof(more));
	r.window |= GUINT64_FROM_BE(more) >> r.bits;
	r.next += (63 - r.bits) >> 3;
	r.bits |= 56;
	return r;
}

static inline reader
without(reader r, int n)
{
	r.window <<= n;
	r.bits -= n;
	return r;
}

// ahead are the next bits, up to 16.
static inline int
ahead(reader r, int n)
{
	return r.window >> 1 >> (63 - n);
}

static inline const look *
look_at(const codes *t, reader r)
{
	return &t->at[r.window >> (64 - LOOK)];
}

// symbol reads a code that a look does not tell whole, with its value still ahead.
static inline reader
symbol(j_decompress_ptr d, const codes *t, reader r, int *out)
{
	const look *l = look_at(t, r);
	int bits = l->bits;

	if (bits) {
		*out = l->first;
		return without(r, bits);
	}
	for (bits = LOOK + 1; bits <= LONGEST && ahead(r, LONGEST) >= t->above[bits]; bits++)
		;
	if (bits > LONGEST)
		odd(d);
	*out = t->symbols[ahead(r, bits) + t->offset[bits]];
	return without(r, bits);
}

// difference reads what a block's first coefficient has more than the one before.
static inline reader
difference(j_decompress_ptr d, const codes *t, reader r, int *out)
{
	const look *l = look_at(t, r);
	int size;

	if (l->step) {
		*out = l->first;
		return without(r, l->bits);
	}
	r = symbol(d, t, r, &size);
	*out = pt_valued(ahead(r, size), size);
	return without(r, size);
}

// slowly reads one coefficient, and answers its place or END.
static inline reader
slowly(j_decompress_ptr d, const codes *t, reader r, int *k, JCOEF *out)
{
	int sym;

	r = symbol(d, t, refilled(r), &sym);
	*k += pt_step(sym);
	if (*k <= LAST)
		out[jpeg_natural_order[*k]] = pt_valued(ahead(r, sym & 15), sym & 15);
	return without(r, sym & 15);
}

// frequencies reads the coefficients but the first.
static inline __attribute__((always_inline)) reader
frequencies(j_decompress_ptr d, const codes *t, reader r, JCOEF *out)
{
	int k = 0;

	while (k < LAST) {
		r = refilled(r);
		for (int i = 0; i < AT_ONCE; i++) {
			const look *l = look_at(t, r);
			int first = k + l->step;

			if (!l->step) {
				r = slowly(d, t, r, &k, out);
				break;
			}
			k = first + l->more;
			if (first >= LAST) { // what may follow is of the next block
				k = first;
				if (k == LAST)
					out[DCTSIZE2 - 1] = l->first;
				r = without(r, l->first_bits);
				break;
			}
			r = without(r, l->bits);
			out[jpeg_natural_order[first]] = l->first;
			if (k >= LAST) {
				if (k == LAST)
					out[DCTSIZE2 - 1] = l->second;
				break;
			}
			out[jpeg_natural_order[k]] = l->second;
		}
	}
	if (k > LAST && k < END)
		odd(d);
	return r;
}

// unit reads the blocks of an MCU, which are all 0 before; without any, it reads over them.
static boolean
unit(j_decompress_ptr d, JBLOCKROW *blocks)
{
	entropy *e = *(entropy **) d->client_data;

	if (d->restart_interval && !pt_restart(e, d->restart_interval))
		odd(d);
	if (e->last - e->r.next < UNIT && !e->marker)
		pt_unstuff(e);
	reader r = e->r;

	for (int i = 0; i < d->blocks_in_MCU; i++) {
		int c = d->MCU_membership[i], more;
		const jpeg_component_info *of = d->cur_comp_info[c];
		JCOEF *out = blocks ? *blocks[i] : e->spare;

		r = difference(d, e->dc[of->dc_tbl_no], refilled(r), &more);
		e->before[c] += more;
		if (e->before[c] != (JCOEF) e->before[c])
			odd(d);
		out[0] = e->before[c];
		r = frequencies(d, e->ac[of->ac_tbl_no], r, out);
	}
	// Who looks ahead where a photo was cut finds no photo: libjpeg-turbo does.
	if (e->cut ? r.next + sizeof(r.window) > e->last : r.next - r.bits / 8 > e->last)
		odd(d);
	e->r = r;
	return TRUE;
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
	for (int c = 0; c < d->comps_in_scan; c++) {
		int dc = d->cur_comp_info[c]->dc_tbl_no, ac = d->cur_comp_info[c]->ac_tbl_no;

		if (!e->dc[dc])
			e->dc[dc] = pt_codes(d, d->dc_huff_tbl_ptrs[dc], 0);
		if (!e->ac[ac])
			e->ac[ac] = pt_codes(d, d->ac_huff_tbl_ptrs[ac], 1);
	}
	*(entropy **) d->client_data = e;
	d->entropy->decode_mcu = unit;
	return 1;
}

#else

int
pt_entropy(struct jpeg_decompress_struct *d)
{
	return 0;
}

#endif
