// unstuff.c: the bytes of a JPEG's scan without what is not of its codes: the zero after
// each 0xff, and the markers.

#include <string.h>

#include <glib.h>

#include "entropy.h"

// pt_unstuff makes more of the scan ready to be read. A marker may have any number of 0xff
// before it. What several are before a zero, no standard says: libjpeg-turbo has two ways
// of reading them, and mixes them.
void
pt_unstuff(entropy *e)
{
	size_t left = e->last - e->r.next;
	uint8_t *last = e->plain + left;

	memmove(e->plain, e->r.next, left);
	while (!e->marker && last < e->plain + PLAIN) {
		size_t room = MIN(e->plain + PLAIN - last, e->end - e->in);
		const uint8_t *stop = memchr(e->in, 0xff, room);
		size_t n = stop ? (size_t) (stop - e->in) : room;
		int filled = 0;

		memcpy(last, e->in, n);
		last += n;
		e->in += n;
		for (; stop && e->end - e->in > 1 && e->in[1] == 0xff; e->in++)
			filled = 1;
		if (e->end - e->in < 2 || (filled && e->in[1] == 0))
			e->marker = e->cut = 1;
		else if (stop && e->in[1] != 0)
			e->marker = 1;
		else if (stop) {
			*last++ = 0xff;
			e->in += 2;
		}
	}
	memset(last, 0, UNIT);
	e->r.next = e->plain;
	e->last = last;
}

// pt_restart counts a unit, and goes on behind the marker that is due before it, or says
// that another comes there, or that more than the bits that fill up a byte does.
int
pt_restart(entropy *e, unsigned interval)
{
	if (e->until == 0) {
		if (8 * (e->last - e->r.next) + e->r.bits >= 8 || !e->marker || e->cut ||
			e->in[1] != JPEG_RST0 + e->restart % 8)
			return 0;
		e->in += 2;
		e->marker = 0;
		e->restart++;
		e->until = interval;
		e->r = (reader) { .next = e->plain };
		e->last = e->plain;
		memset(e->before, 0, sizeof(e->before));
	}
	e->until--;
	return 1;
}
