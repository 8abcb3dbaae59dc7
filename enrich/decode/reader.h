// reader.h: the bits of a JPEG's scan, one after the other, and the values among them.
#ifndef PLANETAG_DECODE_READER_H
#define PLANETAG_DECODE_READER_H

#include <stdint.h>
#include <string.h>

#include <glib.h>

// The bits of a reader are those on the left of its window; next has none of them.
typedef struct {
	uint64_t window;
	int bits;
	const uint8_t *next;
} reader;

// A place is that of a value in the bits ahead.
typedef struct {
	uint8_t from; // as many bits are before it
	uint8_t drop; // 63 less as many bits as it has
} place;

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

// value is what the bits at a place say: half of them are negative. There are no branches
// for the processor to guess at.
static inline int
value(reader r, place p)
{
	uint64_t bits = r.window << p.from, negative = (int64_t) ~bits >> 63;

	return (((bits ^ negative) >> 1 >> p.drop) ^ negative) - negative;
}

// place_of is that of a value of so many bits, behind a code of so many.
static inline place
place_of(int code, int size)
{
	return (place) { code, 63 - size };
}

#endif
