// scans.c: a progressive JPEG comes in scans, each of which makes the ones before it
// finer. The last refines by one bit what is fine already and takes a third of the
// time; where the decoder scales to a quarter or an eighth, nobody sees that bit.

#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include "shim.h"

// enough says whether all that the scans read so far leave open is the last bit of
// the luma's frequencies. What is asked of chroma is more, as libjpeg scales it by
// less where it was stored with fewer samples.
static int
enough(const struct jpeg_decompress_struct *d)
{
	for (int c = 0; c < d->num_components; c++)
		for (int k = 0; k < DCTSIZE2; k++) {
			int open = d->coef_bits[c][k]; // lowest bits that are missing; -1: all

			if (open < 0 || open > (c == 0 && k > 0))
				return 0;
		}
	return 1;
}

// closed says whether the photo has its end, be it the marker that ended the last
// scan or behind it. One that was cut is no photo, whatever could be seen of it.
static int
closed(const struct jpeg_decompress_struct *d)
{
	const JOCTET *p = d->src->next_input_byte, *end = p + d->src->bytes_in_buffer;

	if (d->unread_marker == JPEG_EOI)
		return 1;
	while (p < end && (p = memchr(p, 0xff, end - p)) && p + 1 < end)
		if (*++p == JPEG_EOI)
			return 1;
	return 0;
}

// pt_scans_apply says whether there may be scans to be left out.
int
pt_scans_apply(const struct jpeg_decompress_struct *d)
{
	return d->progressive_mode && d->jpeg_color_space != JCS_RGB && d->scale_denom >= 4;
}

// pt_scans starts decompression with as many scans as are enough; 0 when the photo
// ends too early.
int
pt_scans(struct jpeg_decompress_struct *d)
{
	int at;

	d->buffered_image = TRUE;
	d->do_block_smoothing = FALSE; // would guess at frequencies that are known well
	jpeg_start_decompress(d);
	do {
		at = jpeg_consume_input(d);
		if (at == JPEG_SUSPENDED)
			return 0;
	} while (at != JPEG_REACHED_EOI && !(at == JPEG_SCAN_COMPLETED && enough(d)));
	if (at != JPEG_REACHED_EOI && !closed(d))
		return 0;
	return jpeg_start_output(d, d->input_scan_number);
}
