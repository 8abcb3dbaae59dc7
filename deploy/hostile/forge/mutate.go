package forge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// mutation changes a photo by chance and says in a word what it did.
type mutation struct {
	name   string
	change func(f *Forge, rng *rand.Rand, p photo) ([]byte, string)
}

func mutations() []mutation {
	return []mutation{
		{"cut", cut},
		{"flip", flip},
		{"run", run},
		{"repeat", repeat},
		{"drop", drop},
		{"swap", swap},
		{"number", number},
		{"lie", lie},
		{"lie", lie},
		{"splice", splice},
		{"stuff", stuff},
		{"storm", storm},
	}
}

// place draws a position in data; every second one is near the start, where the headers are.
func place(rng *rand.Rand, data []byte) int {
	if rng.IntN(2) == 0 {
		return rng.IntN(min(len(data), 700))
	}
	return rng.IntN(len(data))
}

// cut ends the photo early: anywhere, at the border of one of its parts, or a few bytes before its end.
func cut(_ *Forge, rng *rand.Rand, p photo) ([]byte, string) {
	at := rng.IntN(len(p.data))
	switch parts := partsOf(p); rng.IntN(3) {
	case 0:
		at = min(len(p.data), max(0, parts[rng.IntN(len(parts))]+rng.IntN(5)-2))
	case 1:
		at = len(p.data) - 1 - rng.IntN(min(40, len(p.data)-1))
	}
	return bytes.Clone(p.data[:at]), fmt.Sprintf("at-%d", at)
}

// flip turns 1, 8 or 64 bits.
func flip(_ *Forge, rng *rand.Rand, p photo) ([]byte, string) {
	data, n := bytes.Clone(p.data), 1<<(3*rng.IntN(3))
	for range n {
		data[place(rng, data)] ^= 1 << rng.IntN(8)
	}
	return data, fmt.Sprintf("%d-bits", n)
}

// run overwrites a stretch with one byte or with noise.
func run(_ *Forge, rng *rand.Rand, p photo) ([]byte, string) {
	data := bytes.Clone(p.data)
	from, filler := place(rng, data), []int{0, 0xff, 0x80, -1}[rng.IntN(4)]
	to := min(len(data), from+1+rng.IntN(1<<(1+rng.IntN(12))))
	for i := from; i < to; i++ {
		data[i] = byte(filler)
		if filler < 0 {
			data[i] = byte(rng.Uint32())
		}
	}
	return data, fmt.Sprintf("%d-to-%d", from, to)
}

// repeat writes a stretch again and again behind itself.
func repeat(_ *Forge, rng *rand.Rand, p photo) ([]byte, string) {
	from := place(rng, p.data)
	to := min(len(p.data), from+1+rng.IntN(400))
	times := 1 + rng.IntN(200)
	var out bytes.Buffer
	out.Write(p.data[:to])
	for range times {
		out.Write(p.data[from:to])
	}
	out.Write(p.data[to:])
	return out.Bytes(), fmt.Sprintf("%d-to-%d-times-%d", from, to, times)
}

// drop leaves a stretch out.
func drop(_ *Forge, rng *rand.Rand, p photo) ([]byte, string) {
	from := place(rng, p.data)
	to := min(len(p.data), from+1+rng.IntN(1<<(1+rng.IntN(10))))
	return append(bytes.Clone(p.data[:from]), p.data[to:]...), fmt.Sprintf("%d-to-%d", from, to)
}

// swap lets two parts change places.
func swap(_ *Forge, rng *rand.Rand, p photo) ([]byte, string) {
	parts := partsOf(p)
	a, b := rng.IntN(len(parts)), rng.IntN(len(parts))
	if a > b {
		a, b = b, a
	}
	end := func(i int) int {
		if i+1 < len(parts) {
			return parts[i+1]
		}
		return len(p.data)
	}
	if a == b || end(a) > parts[b] {
		return flip(nil, rng, p)
	}
	return bytes.Join([][]byte{
		p.data[:parts[a]], p.data[parts[b]:end(b)], p.data[end(a):parts[b]], p.data[parts[a]:end(a)], p.data[end(b):],
	}, nil), fmt.Sprintf("parts-%d-and-%d", a, b)
}

// telling are the values at which counters, sizes and signs turn over.
func telling(rng *rand.Rand) uint32 {
	list := []uint32{
		0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 127, 128, 255, 256, 1024, 0x7fff, 0x8000, 65500, 0xffff, 0x10000, 0x7ffffff, 0x7fffffff, 0x80000000,
		0xfffffff0, 0xffffffff,
	}
	if n := rng.IntN(len(list) + 3); n < len(list) {
		return list[n]
	}
	return rng.Uint32()
}

// number writes one or two such values over 1, 2 or 4 bytes, in either order.
func number(_ *Forge, rng *rand.Rand, p photo) ([]byte, string) {
	data, detail := bytes.Clone(p.data), ""
	for range 1 + rng.IntN(2) {
		at, v := place(rng, data), telling(rng)
		overwrite(rng, data, at, v)
		detail += fmt.Sprintf("%x-at-%d.", v, at)
	}
	return data, detail[:len(detail)-1]
}

func overwrite(rng *rand.Rand, data []byte, at int, v uint32) {
	var order binary.ByteOrder = binary.BigEndian
	if rng.IntN(2) == 0 {
		order = binary.LittleEndian
	}
	word := make([]byte, 4)
	switch rng.IntN(3) {
	case 0:
		order.PutUint32(word, v)
	case 1:
		order.PutUint16(word, uint16(v))
		word = word[:2]
	default:
		word = []byte{byte(v)}
	}
	copy(data[at:], word)
}

// splice puts a piece of another photo, of any format, into this one.
func splice(f *Forge, rng *rand.Rand, p photo) ([]byte, string) {
	other := f.pick(rng, formatAt(rng.IntN(8)))
	from := rng.IntN(len(other.data))
	piece := other.data[from:min(len(other.data), from+1+rng.IntN(4096))]
	at := place(rng, p.data)
	return bytes.Join([][]byte{p.data[:at], piece, p.data[min(len(p.data), at+rng.IntN(len(piece)+1)):]}, nil), fmt.Sprintf("%s-at-%d", other.name, at)
}

// stuff inserts noise, or the whole photo into itself.
func stuff(_ *Forge, rng *rand.Rand, p photo) ([]byte, string) {
	at, piece := place(rng, p.data), p.data
	if rng.IntN(3) > 0 {
		piece = noise(rng, 1+rng.IntN(300))
	}
	return bytes.Join([][]byte{p.data[:at], piece, p.data[at:]}, nil), fmt.Sprintf("%d-at-%d", len(piece), at)
}

// storm does several of the others, one upon the other.
func storm(f *Forge, rng *rand.Rand, p photo) ([]byte, string) {
	list := []mutation{{"flip", flip}, {"run", run}, {"number", number}, {"drop", drop}, {"lie", lie}, {"splice", splice}}
	detail := ""
	for range 2 + rng.IntN(4) {
		m := list[rng.IntN(len(list))]
		if data, _ := m.change(f, rng, p); len(data) > 16 {
			p.data = data
			detail += m.name + "."
		}
	}
	return p.data, detail + "all"
}

func noise(rng *rand.Rand, n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	return data
}
