package forge

import (
	"archive/zip"
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
)

// strangers are what else people store under the name of a photo, and files that are two things at once.
func (f *Forge) strangers() []recipe {
	list := []recipe{
		{"none", "stranger", "nothing", fixed(nil)},
		{"none", "stranger", "one-byte", fixed([]byte{0xff})},
		{"none", "stranger", "noise", func(rng *rand.Rand) []byte { return noise(rng, mega) }},
		{"none", "stranger", "zeros-16-MiB", func(*rand.Rand) []byte { return make([]byte, 16*mega) }},
		{"none", "stranger", "over-the-limit-of-bytes", func(*rand.Rand) []byte { return patch(make([]byte, 64*mega+1), 0, []byte("\xff\xd8\xff")) }},
		{"none", "stranger", "zip", fixed(zipOf("photo.jpg", f.first(jpegFormat, "photo.jpg").data))},
		{"none", "stranger", "svg-that-grows", fixed([]byte(laughs()))},
	}
	for name, text := range texts() {
		list = append(list, recipe{"none", "stranger", name, fixed([]byte(text))})
	}
	return append(sorted(list), f.polyglots()...)
}

func texts() map[string]string {
	return map[string]string{
		"text": "not a photo", "newline": "\n", "html": "<!DOCTYPE html><html><body><h1>404 Not Found</h1></body></html>",
		"s3-error": `<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>`, "pdf": "%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
		"svg":        `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="900"><image href="file:///etc/passwd"/></svg>`,
		"postscript": "%!PS-Adobe-3.0\n/showpage{quit}def\n", "imagemagick": "push graphic-context\nviewbox 0 0 640 480\nfill 'url(https://127.0.0.1/|id)'\npop graphic-context\n",
		"ppm": "P6 60000 60000 255\n", "pfm": "PF\n60000 60000\n-1.0\n", "hdr": "#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 60000 +X 60000\n",
		"bmp": "BM\xff\xff\xff\x7f\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\xff\xff\x00\x00\xff\xff\x00\x00\x01\x00\x18\x00",
		"ico": "\x00\x00\x01\x00\xff\xff", "jxl": "\xff\x0a\xff\x07\x08\x83\x04\x0c", "jxl-box": "\x00\x00\x00\x0cJXL \r\n\x87\n", "jp2": "\x00\x00\x00\x0cjP  \r\n\x87\n",
		"psd": "8BPS\x00\x01\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\xea\x60\x00\x00\xea\x60\x00\x08\x00\x03", "exr": "\x76\x2f\x31\x01\x02\x00\x00\x00",
		"fits": "SIMPLE  =                    T", "elf": "\x7fELF\x02\x01\x01", "wasm": "\x00asm\x01\x00\x00\x00", "gzip": "\x1f\x8b\x08\x00\x00\x00\x00\x00",
		"mp4": "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42", "avi": "RIFF\xff\xff\xff\xffAVI LIST", "wav": "RIFF\x24\x00\x00\x00WAVEfmt ",
		"cr2": "II*\x00\x10\x00\x00\x00CR\x02\x00", "cr3": "\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom", "bigtiff": "II+\x00\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00",
		"raf": "FUJIFILMCCD-RAW 0201", "webp-alone": "RIFF\x04\x00\x00\x00WEBP", "gif-alone": "GIF89a", "png-alone": "\x89PNG\r\n\x1a\n", "jpeg-alone": "\xff\xd8\xff",
		"tiff-alone": "II*\x00", "tiff-at-the-end": "II*\x00\x08\x00\x00\x00", "heic-alone": "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "json": `{"bucket":"photos","key":"a.jpg"}`,
		"utf-16": "\xff\xfen\x00o\x00t\x00", "git-lfs": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n",
	}
}

// polyglots begin as one thing and go on as another.
func (f *Forge) polyglots() []recipe {
	formats := []string{jpegFormat, "png", "gif", "webp", "tiff", "heic", "avif"}
	var list []recipe
	for i, format := range formats {
		p, other := f.photos[format][0], f.photos[formats[(i+1)%len(formats)]][0]
		list = append(list,
			recipe{format, "polyglot", "then-zip", fixed(join(p.data, zipOf("x.txt", []byte("x"))))},
			recipe{format, "polyglot", "then-" + other.format, fixed(join(p.data, other.data))},
			recipe{format, "polyglot", "then-html", fixed(join(p.data, []byte("<script>alert(1)</script>")))},
			recipe{format, "polyglot", "ten-times", fixed(bytes.Repeat(p.data, 10))},
			recipe{format, "polyglot", "then-8-MiB-of-zeros", func(*rand.Rand) []byte { return join(p.data, make([]byte, 8*mega)) }},
			recipe{format, "polyglot", "head-of-" + format + "-body-of-" + other.format, fixed(join(p.data[:16], other.data[min(16, len(other.data)):]))},
			recipe{"none", "polyglot", "after-a-line-of-text-" + format, fixed(join([]byte("HTTP/1.1 200 OK\r\n\r\n"), p.data))},
		)
	}
	return list
}

// laughs is the XML whose entities grow to a billion.
func laughs() string {
	var out strings.Builder
	out.WriteString(`<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a0 "ha">`)
	for i := range 9 {
		fmt.Fprintf(&out, `<!ENTITY a%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
	}
	return out.String() + `]><svg xmlns="http://www.w3.org/2000/svg"><text>&a9;</text></svg>`
}

func zipOf(name string, data []byte) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	if file, err := w.CreateHeader(&zip.FileHeader{Name: name}); err == nil { // a buffer takes everything
		_, _ = file.Write(data)
	}
	_ = w.Close()
	return out.Bytes()
}
