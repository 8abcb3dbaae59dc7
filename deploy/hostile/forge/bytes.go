package forge

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"math/rand/v2"
)

// fixed is a recipe of which the bytes are known at once.
func fixed(data []byte) func(*rand.Rand) []byte {
	return func(*rand.Rand) []byte { return data }
}

func join(pieces ...[]byte) []byte { return bytes.Join(pieces, nil) }

// be and le write numbers: each value with the number of bytes of its type.
func be(values ...any) []byte { return packed(binary.BigEndian, values) }
func le(values ...any) []byte { return packed(binary.LittleEndian, values) }

func packed(order binary.ByteOrder, values []any) []byte {
	var out bytes.Buffer
	for _, v := range values {
		if text, ok := v.(string); ok {
			v = []byte(text)
		}
		if err := binary.Write(&out, order, v); err != nil {
			panic("internal error: " + err.Error())
		}
	}
	return out.Bytes()
}

func patch(data []byte, at int, with []byte) []byte {
	out := bytes.Clone(data)
	copy(out[at:], with)
	return out
}

const mega = 1 << 20

// zeros is a zlib stream of so many MiB of zeros, about a thousandth of that long. Its sum is wrong: whoever checks it has unpacked everything already.
func zeros(megabytes int) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestCompression) // fails for unknown levels only
	block, marks := make([]byte, mega), []int{}
	for range 3 {
		_, _ = w.Write(block) // a buffer takes everything
		_ = w.Flush()
		marks = append(marks, out.Len())
	}
	stream := out.Bytes()
	same := stream[marks[1]:marks[2]] // a MiB that looks back on a MiB: each is coded like the one before
	return join([]byte{0x78, 0xda}, stream[:marks[1]], bytes.Repeat(same, max(0, megabytes-2)), []byte{3, 0, 0, 0, 0, 1})
}
