// jpeg.c: JPEG straight through libjpeg-turbo. Most photos are JPEGs, and libvips
// spends as much again on them as the decoder itself. What this file cannot do,
// or does not like, is libvips' to decode and to judge: there is one set of
// verdicts and words.

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <glib.h>

#include "shim.h"

typedef struct {
	void *entropy; // first, where entropy.c finds what it keeps
	struct jpeg_decompress_struct d;
	struct jpeg_error_mgr errors;
	struct jpeg_source_mgr source;
	jmp_buf leave;
	pt_resampler r;
	int sampling; // r is initialised
	int quick;    // entropy.c may read the coefficients, or does
	uint8_t *rows;
} job;

static void
leave(j_common_ptr d)
{
	longjmp(((job *) d->client_data)->leave, 1);
}

static void
hush(j_common_ptr d)
{
}

static void
nothing(j_decompress_ptr d)
{
}

// A photo that ends early is no photo: libjpeg's own source would go on in grey.
static boolean
ended(j_decompress_ptr d)
{
	leave((j_common_ptr) d);
	return FALSE;
}

static void
skip(j_decompress_ptr d, long n)
{
	if (n > (long) d->src->bytes_in_buffer)
		leave((j_common_ptr) d);
	if (n > 0) {
		d->src->next_input_byte += n;
		d->src->bytes_in_buffer -= n;
	}
}

// new_job is on the heap because what a setjmp returns to finds locals as it likes.
static job *
new_job(void)
{
	job *j = g_new0(job, 1);

	j->d.err = jpeg_std_error(&j->errors);
	j->d.client_data = j;
	j->errors.error_exit = leave;
	j->errors.output_message = hush;
	return j;
}

static void
free_job(job *j)
{
	jpeg_destroy_decompress(&j->d);
	if (j->sampling)
		pt_resampler_free(&j->r);
	g_free(j->rows);
	g_free(j);
}

// begin reads the header.
static void
begin(job *j, const void *data, size_t len)
{
	jpeg_create_decompress(&j->d);
	j->d.client_data = j;
	j->source.init_source = nothing;
	j->source.fill_input_buffer = ended;
	j->source.skip_input_data = skip;
	j->source.resync_to_restart = jpeg_resync_to_restart;
	j->source.term_source = nothing;
	j->source.next_input_byte = data;
	j->source.bytes_in_buffer = len;
	j->d.src = &j->source;
	jpeg_read_header(&j->d, TRUE);
}

// window narrows the decoder to the columns and rows that the resampler reads.
// A margin on either side keeps the neighbours that smooth chroma looks at. Where four
// columns of luma are one of chroma, libjpeg-turbo may scale chroma by less and yet count
// its columns as if it did not: nothing is left out there.
static void
window(job *j, JDIMENSION *left)
{
	const int margin = 16;
	int from = MAX(0, pt_axis_begin(&j->r.x) - margin);
	int to = MIN((int) j->d.output_width, pt_axis_end(&j->r.x) + margin);
	JDIMENSION width = to - from;

	*left = from;
	if (width < j->d.output_width && j->d.max_h_samp_factor <= 2)
		jpeg_crop_scanline(&j->d, left, &width);
	else
		*left = 0;
}

enum { STRIP = 8 }; // rows that go to the resampler at once, a multiple of PT_ROWS

// lay makes room for a strip of rows and answers their stride. Rows of libjpeg-turbo
// that begin at a multiple of 16 or 32 are written around the cache, as nobody reads
// them soon; these are read at once, so none begins there.
static size_t
lay(job *j, JSAMPROW row[STRIP])
{
	const size_t even = 32, beside = 4;
	size_t stride = (4 * (size_t) j->d.output_width + PT_SLACK) / even * even + even;

	j->rows = g_malloc0(even + beside + STRIP * stride);
	for (int i = 0; i < STRIP; i++)
		row[i] = j->rows + (-(uintptr_t) j->rows & (even - 1)) + beside + i * stride;
	return stride;
}

// pour reads the rows that the resampler needs and nothing below them.
static void
pour(job *j)
{
	int top = pt_axis_begin(&j->r.y), end = pt_axis_end(&j->r.y);
	JDIMENSION left;
	JSAMPROW row[STRIP];

	window(j, &left);
	size_t stride = lay(j, row), at = 4 * (size_t) (pt_axis_begin(&j->r.x) - (int) left);

	if (top > 0 && jpeg_skip_scanlines(&j->d, top) != (JDIMENSION) top)
		leave((j_common_ptr) &j->d);
	for (int y = top; y < end; y += STRIP) {
		int n = 0, want = MIN(STRIP, end - y);

		while (n < want) { // libjpeg hands out a row or two at a time
			int more = jpeg_read_scanlines(&j->d, row + n, want - n);

			if (more == 0)
				leave((j_common_ptr) &j->d);
			n += more;
		}
		pt_resampler_rows(&j->r, y, n, row[0] + at, stride);
	}
}

static int
decode(job *j, const void *data, size_t len, const pt_request *req, uint8_t *dst, pt_answer *out)
{
	begin(j, data, len);
	out->width = j->d.image_width;
	out->height = j->d.image_height;
	if (j->d.jpeg_color_space != JCS_YCbCr && j->d.jpeg_color_space != JCS_GRAYSCALE &&
		j->d.jpeg_color_space != JCS_RGB)
		return PT_ELSEWHERE; // inks mean nothing without their profile
	if (pt_refused(req, out->width, out->height))
		return PT_REFUSED;

	int shrink = pt_shrink(req, out->width, out->height);
	float box[4];

	pt_box(req, out->width, out->height, shrink, box);
	j->d.scale_num = 1;
	j->d.scale_denom = shrink;
	j->d.out_color_space = JCS_EXT_RGBX;
	int scans = !req->plain && pt_scans_apply(&j->d), quick = j->quick;

	j->quick = 0;
	if (!scans)
		jpeg_start_decompress(&j->d);
	else if (!pt_scans(&j->d))
		return PT_ELSEWHERE;
	j->quick = out->quick = quick && !scans && j->source.bytes_in_buffer >= req->worth && pt_entropy(&j->d);
	// The last sample may be covered by the photo in part only; it is left out.
	pt_resampler_init(&j->r, req, dst, 4,
		MAX(1, out->width / shrink), MAX(1, out->height / shrink), box);
	j->sampling = 1;
	pour(j);
	return PT_OK;
}

// attempt decodes the photo, and clears quick unless entropy.c read it.
static int
attempt(const void *data, size_t len, const pt_request *req, uint8_t *dst, pt_answer *out, int *quick)
{
	job *j = new_job();
	volatile int code = PT_ELSEWHERE;

	j->quick = *quick;
	if (setjmp(j->leave) == 0)
		code = decode(j, data, len, req, dst, out);
	*quick = j->quick;
	free_job(j);
	return code;
}

// pt_jpeg decodes the photo, or answers PT_REFUSED, or PT_ELSEWHERE when libvips
// is to have a look: at inks, at a photo that is cut or corrupt. What entropy.c
// stumbled over it tries once more without.
int
pt_jpeg(const void *data, size_t len, const pt_request *req, uint8_t *dst, pt_answer *out)
{
	int quick = !req->plain, code = attempt(data, len, req, dst, out, &quick);

	if (code == PT_ELSEWHERE && quick) {
		quick = 0;
		code = attempt(data, len, req, dst, out, &quick);
	}
	return code;
}

// pt_coefficients has libjpeg-turbo read the coefficients, and nothing else.
int
pt_coefficients(const void *data, size_t len)
{
	job *j = new_job();
	volatile int code = PT_CORRUPT;

	if (setjmp(j->leave) == 0) {
		begin(j, data, len);
		code = jpeg_read_coefficients(&j->d) ? PT_OK : PT_CORRUPT;
	}
	free_job(j);
	return code;
}
