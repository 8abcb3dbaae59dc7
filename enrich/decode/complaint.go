package decode

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// tooBig is the sentence for an object of too many bytes.
func (l Limits) tooBig(f format, n int) error {
	return &fault{ErrLimits, fmt.Sprintf("%s is %s MiB, the limit is %s MiB", f,
		decimal(float64(n)/(1<<20)), decimal(float64(l.MaxBytes)/(1<<20)))}
}

// refusal is the sentence for a header over a limit: the first that it breaks.
func (l Limits) refusal(f format, width, height int) error {
	shorter, longer := min(width, height), max(width, height)
	what := fmt.Sprintf("%s %d×%d", f, width, height)
	switch aspect := float64(longer) / float64(max(shorter, 1)); {
	case shorter < l.MinSide:
		return &fault{ErrLimits, fmt.Sprintf("%s has a side of %d pixels, the least is %d", what, shorter, l.MinSide)}
	case aspect > l.MaxAspect:
		return &fault{ErrLimits, fmt.Sprintf("%s is %s times as long as wide, the limit is %s",
			what, decimal(aspect), decimal(l.MaxAspect))}
	default:
		return &fault{ErrLimits, fmt.Sprintf("%s is %s megapixels, the limit is %s", what,
			decimal(float64(width)*float64(height)/1e6), decimal(float64(l.MaxPixels)/1e6))}
	}
}

// decimal writes 1600 as 1600, 187.5 as 187.5 and 100.01 as 100.01.
func decimal(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}

func notInstalled(f format) error {
	return &fault{ErrFormat, fmt.Sprintf("%s is not supported by the installed libvips", f)}
}

func unsupported(f format, message string) error {
	text := fmt.Sprintf("%s has colours that cannot be turned into sRGB", f)
	if line := ownLine(f, message); line != "" {
		text += ": " + line
	}
	return &fault{ErrFormat, text}
}

// damaged turns the loader's complaint into a sentence. A codec that the
// library was built without is the one complaint that is not about the photo.
func damaged(f format, message string) error {
	line := ownLine(f, message)
	low := strings.ToLower(line)
	if f.heavy() && (strings.Contains(low, "unsupported codec") || strings.Contains(low, "unsupported feature")) {
		return notInstalled(f)
	}
	state := "corrupt"
	for _, sign := range []string{"premature end", "truncated", "unexpected end", "end of file", "end of stream", "not enough data", "read error", "bad seek"} {
		if strings.Contains(low, sign) {
			state = "truncated"
			break
		}
	}
	text := fmt.Sprintf("%s is %s", f, state)
	if line != "" {
		text += ": " + line
	}
	return &fault{ErrCorrupt, text}
}

// ownLine picks the first line of libvips' error text that the loader of f
// wrote: the text is shared by the process, so a neighbour's photo of another
// format may have added to it.
func ownLine(f format, message string) string {
	own := map[format][]string{
		formatJPEG: {"vipsjpeg", "jpeg"}, formatPNG: {"png", "spng", "vipspng"},
		formatWebP: {"webp"}, formatGIF: {"gif"}, formatTIFF: {"tiff", "vips_tiff", "tiff2vips"},
		formatHEIC: {"heif"}, formatAVIF: {"heif"},
	}[f]
	common := []string{"vips", "vips2", "source", "exif"}
	for line := range strings.Lines(message) {
		domain, text, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		low := strings.ToLower(domain)
		for _, prefix := range append(own, common...) {
			if strings.HasPrefix(low, prefix) {
				return printable(text)
			}
		}
	}
	return ""
}

// printable keeps what a terminal and a Kafka header can show.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\uFFFD' || !strconv.IsPrint(r) {
			return -1
		}
		return r
	}, s))
}
