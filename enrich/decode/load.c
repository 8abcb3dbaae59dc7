// load.c: libvips' settings, and its loaders with ours.

#include <vips/vips.h>

#include "shim.h"

static void
hush(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer p)
{
}

static gpointer
start(gpointer unused)
{
	// A damaged photo is an answer, not a line on somebody's terminal.
	g_log_set_handler("VIPS",
		G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG,
		hush, NULL);
	if (VIPS_INIT("planetag"))
		return GINT_TO_POINTER(-1);
	vips_concurrency_set(1);
	vips_cache_set_max(0);
	vips_cache_set_max_mem(0);
	vips_cache_set_max_files(0);
	vips_block_untrusted_set(TRUE);
	return GINT_TO_POINTER(0);
}

// pt_start starts libvips once per process, however often it is called.
int
pt_start(void)
{
	static GOnce once = G_ONCE_INIT;

	return GPOINTER_TO_INT(g_once(&once, start, NULL));
}

int
pt_has_loader(int loader)
{
	static const char *const name[] = {
		[PT_JPEG] = "jpegload_buffer", [PT_PNG] = "pngload_buffer",
		[PT_WEBP] = "webpload_buffer", [PT_GIF] = "gifload_buffer",
		[PT_TIFF] = "tiffload_buffer", [PT_HEIF] = "heifload_buffer",
	};

	return vips_type_find("VipsOperation", name[loader]) != 0;
}

// pt_open opens the first frame or page. No loader turns the picture here:
// HEIF's own container rotation is the only one libvips cannot leave out.
int
pt_open(const void *data, size_t len, int loader, int shrink, struct _VipsImage **out)
{
	void *d = (void *) data; // the loaders only read
	VipsAccess seq = VIPS_ACCESS_SEQUENTIAL;
	VipsFailOn strict = VIPS_FAIL_ON_ERROR; // includes truncated

	switch (loader) {
	case PT_JPEG:
		return vips_jpegload_buffer(d, len, out,
			"access", seq, "fail_on", strict, "shrink", shrink, NULL);
	case PT_PNG:
		return vips_pngload_buffer(d, len, out, "access", seq, "fail_on", strict, NULL);
	case PT_WEBP:
		return vips_webpload_buffer(d, len, out, "access", seq, "fail_on", strict, NULL);
	case PT_GIF:
		return vips_gifload_buffer(d, len, out, "access", seq, "fail_on", strict, NULL);
	case PT_TIFF:
		return vips_tiffload_buffer(d, len, out, "access", seq, "fail_on", strict, NULL);
	default:
		// Never the embedded thumbnail: the model was trained on photos.
		return vips_heifload_buffer(d, len, out,
			"access", seq, "fail_on", strict, "thumbnail", FALSE, NULL);
	}
}
