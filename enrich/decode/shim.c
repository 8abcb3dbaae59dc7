// shim.c: from an object in memory to size × size RGB, in one call, on the
// calling thread, reading the picture from top to bottom once: through libjpeg
// where that can (jpeg.c), through libvips otherwise.

#include <string.h>

#include <vips/vips.h>

#include "shim.h"

// Source rows asked of libvips at a time. Its sequential loaders work in
// strips of 8 or 16 lines; more would only be held, not saved.
#define STRIP 16

// pt_refused says whether the header is over a limit. Pixels alone are no guard:
// a few hundred bytes can claim 59424 × 3.
int
pt_refused(const pt_request *req, int width, int height)
{
	double shorter = MIN(width, height), longer = MAX(width, height);

	return shorter < req->min_side || longer > shorter * req->max_aspect ||
		shorter * longer > req->max_pixels;
}

// pt_shrink is the largest DCT scaling of a JPEG that leaves the bicubic at
// least 2 source samples per output sample; below that quality suffers.
int
pt_shrink(const pt_request *req, int width, int height)
{
	double side = req->crop * MIN(width, height);
	int shrink = 8;

	if (req->loader != PT_JPEG || req->whole)
		return 1;
	while (shrink > 1 && side < 2.0 * shrink * req->size)
		shrink /= 2;
	return shrink;
}

// step replaces *image with next, so that one reference is held at any time.
static void
step(VipsImage **image, VipsImage *next)
{
	g_object_unref(*image);
	*image = next;
}

// to_rgb makes *image 8 bit sRGB of three bands, transparency on white.
// Profiles of RGB photos are not applied, exactly as in training; CMYK has no
// meaning without one, so there the embedded or a standard one is.
static int
to_rgb(VipsImage **image)
{
	VipsImage *next;
	VipsArrayDouble *white;
	int failed;

	if (vips_colourspace(*image, &next, VIPS_INTERPRETATION_sRGB, NULL))
		return -1;
	step(image, next);
	if (vips_image_hasalpha(*image)) {
		white = vips_array_double_newv(1, 255.0);
		failed = vips_flatten(*image, &next, "background", white, NULL);
		vips_area_unref(VIPS_AREA(white));
		if (failed)
			return -1;
		step(image, next);
	}
	if ((*image)->Bands > 3) {
		if (vips_extract_band(*image, &next, 0, "n", 3, NULL))
			return -1;
		step(image, next);
	}
	return (*image)->Bands == 3 && (*image)->BandFmt == VIPS_FORMAT_UCHAR ? 0 : -1;
}

// pour reads what the resampler needs and nothing below it, strip by strip.
static int
pour(VipsImage *image, pt_resampler *r)
{
	int left = pt_axis_begin(&r->x), end = pt_axis_end(&r->y);
	VipsRect strip = { left, 0, pt_axis_end(&r->x) - left, 0 };
	VipsRegion *region = vips_region_new(image);
	int failed = 0;

	for (int top = pt_axis_begin(&r->y); top < end && !failed; top += STRIP) {
		strip.top = top;
		strip.height = MIN(STRIP, end - top);
		failed = vips_region_prepare(region, &strip);
		if (!failed)
			pt_resampler_rows(r, top, strip.height,
				VIPS_REGION_ADDR(region, left, top), VIPS_REGION_LSKIP(region));
	}
	g_object_unref(region);
	return failed;
}

// pt_box is the wanted square in samples of a picture that was loaded at
// 1/shrink: left, top, right, bottom. The divisor is shrink itself, not the ratio
// of the sizes: the last, partly covered sample is dropped, but the others stay
// shrink apart. The box may so end a fraction of a sample outside; the kernel
// then ends inside.
void
pt_box(const pt_request *req, int width, int height, int shrink, float box[4])
{
	double side = req->crop * MIN(width, height);
	double left = (width - side) * req->across / shrink;
	double top = (height - side) * req->down / shrink;

	box[0] = left;
	box[1] = top;
	box[2] = left + side / shrink;
	box[3] = top + side / shrink;
}

// square resamples the wanted square of image, which was loaded at 1/shrink,
// into dst.
static int
square(VipsImage *image, const pt_request *req, const pt_answer *a,
	int shrink, uint8_t *dst)
{
	float box[4];
	pt_resampler r;
	int failed;

	pt_box(req, a->width, a->height, shrink, box);
	pt_resampler_init(&r, req, dst, 3,
		image->Xsize, image->Ysize, box);
	failed = pour(image, &r);
	pt_resampler_free(&r);
	return failed;
}

static int
decode(const void *data, size_t len, const pt_request *req, uint8_t *dst,
	pt_answer *out, VipsImage **image)
{
	int shrink;

	if (pt_open(data, len, req->loader, 1, image))
		return PT_CORRUPT;
	out->width = (*image)->Xsize;
	out->height = (*image)->Ysize;
	if (pt_refused(req, out->width, out->height))
		return PT_REFUSED;
	shrink = pt_shrink(req, out->width, out->height);
	if (shrink > 1) {
		g_clear_object(image);
		if (pt_open(data, len, req->loader, shrink, image))
			return PT_CORRUPT;
	}
	if (to_rgb(image))
		return PT_UNSUPPORTED;
	return square(*image, req, out, shrink, dst) ? PT_CORRUPT : PT_OK;
}

// patched is a copy of the object with the patches applied, NULL when there
// are none. The object itself is the caller's and may be read by others.
static uint8_t *
patched(const void *data, size_t len, const pt_patch *patches, size_t n)
{
	uint8_t *copy;

	if (n == 0)
		return NULL;
	copy = g_malloc(len);
	memcpy(copy, data, len);
	for (size_t i = 0; i < n; i++)
		memcpy(copy + patches[i].at, patches[i].with, 4);
	return copy;
}

// pt_decode writes the upright centre square of the photo into dst, or says
// why it cannot. dst's content after a failure is unspecified.
int
pt_decode(const void *data, size_t len, const pt_patch *patches, size_t n,
	const pt_request *req, uint8_t *dst, pt_answer *out)
{
	uint8_t *copy;
	VipsImage *image = NULL;
	int code;

	memset(out, 0, sizeof(*out));
	if (req->loader == PT_JPEG) { // it reads no EXIF, so there is nothing to hide
		code = pt_jpeg(data, len, req, dst, out);
		if (code != PT_ELSEWHERE)
			return code;
	}
	copy = patched(data, len, patches, n);
	// libvips has one error text for the whole process. What stands there now
	// is old; what a neighbour adds meanwhile is sorted out by its prefix.
	vips_error_clear();
	code = decode(copy ? copy : data, len, req, dst, out, &image);
	g_clear_object(&image);
	g_free(copy);
	if (code != PT_OK) {
		char *text = vips_error_buffer_copy();

		g_strlcpy(out->message, text, sizeof(out->message));
		g_free(text);
	}
	// The thread belongs to Go and may never call again: leave nothing on it.
	vips_thread_shutdown();
	return code;
}
