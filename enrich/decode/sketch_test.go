package decode

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
)

// sketch is a baseline JPEG of random codes (ITU-T T.81, annexes B and F): what no camera writes and every decoder must read. The codes
// come first, the picture is what they happen to mean.
type sketch struct {
	width, height int
	sampling      [][2]int // of each component, across and down
	dc, ac        []huffman
	dcPicks       []byte // the symbols that are written
	acPicks       []byte
	quantum       byte // of every coefficient
	restart       int  // units between two markers; 0 = none
	apart         bool // a scan for each component
	empty, full   float64
	ones          bool // all bits of the values are set, for many bytes of 0xff
	random        *rand.Rand
}

// jpeg is the file.
func (s sketch) jpeg() []byte {
	out := []byte{0xff, 0xd8}
	out = segment(out, 0xdb, append([]byte{0}, slices.Repeat([]byte{s.quantum}, 64)...))
	frame := binary.BigEndian.AppendUint16([]byte{8}, uint16(s.height))
	frame = append(binary.BigEndian.AppendUint16(frame, uint16(s.width)), byte(len(s.sampling)))
	var all []int
	var each [][]int
	for c, sampling := range s.sampling {
		frame = append(frame, byte(c+1), byte(sampling[0]<<4|sampling[1]), 0)
		all, each = append(all, c), append(each, []int{c})
	}
	out = segment(out, 0xc0, frame)
	for i := range s.dc {
		out = segment(out, 0xc4, s.dc[i].described(byte(i)))
	}
	for i := range s.ac {
		out = segment(out, 0xc4, s.ac[i].described(0x10|byte(i)))
	}
	if s.restart > 0 {
		out = segment(out, 0xdd, binary.BigEndian.AppendUint16(nil, uint16(s.restart)))
	}
	scans := [][]int{all}
	if s.apart {
		scans = each
	}
	for _, components := range scans {
		out = s.scan(out, components)
	}
	return append(out, 0xff, 0xd9)
}

func segment(out []byte, marker byte, body []byte) []byte {
	out = binary.BigEndian.AppendUint16(append(out, 0xff, marker), uint16(len(body)+2))
	return append(out, body...)
}

// scan writes every block of the components, in the order of the units (MCUs) that they belong to.
func (s sketch) scan(out []byte, components []int) []byte {
	header := []byte{byte(len(components))}
	for _, c := range components {
		header = append(header, byte(c+1), byte(c%len(s.dc)<<4|c%len(s.ac)))
	}
	out = segment(out, 0xda, append(header, 0, 63, 0))
	w := codeWriter{out: out}
	var before [4]int
	for unit := range s.unitsOf(components) {
		if s.restart > 0 && unit > 0 && unit%s.restart == 0 {
			w.fill()
			w.out = append(w.out, 0xff, 0xd0+byte((unit/s.restart-1)%8))
			clear(before[:])
		}
		for _, c := range components {
			blocks := 1
			if len(components) > 1 {
				blocks = s.sampling[c][0] * s.sampling[c][1]
			}
			for range blocks {
				s.block(&w, s.dc[c%len(s.dc)], s.ac[c%len(s.ac)], &before[c])
			}
		}
	}
	w.fill()
	return w.out
}

// unitsOf is how many units a scan has; of one component alone a unit is a block.
func (s sketch) unitsOf(components []int) int {
	across, down := 1, 1
	for _, c := range s.sampling {
		across, down = max(across, c[0]), max(down, c[1])
	}
	if len(components) > 1 {
		return upTo(s.width, 8*across) * upTo(s.height, 8*down)
	}
	one := s.sampling[components[0]]
	return upTo(upTo(s.width*one[0], across), 8) * upTo(upTo(s.height*one[1], down), 8)
}

func upTo(n, by int) int { return (n + by - 1) / by }

func (s sketch) block(w *codeWriter, dc, ac huffman, before *int) {
	size := int(pick(s.random, s.dcPicks))
	bits := s.value(size)
	sum := *before + valued(bits, size)
	if sum != int(int16(sum)) { // no encoder lets it grow so far
		bits ^= 1<<size - 1
		sum = *before + valued(bits, size)
	}
	*before = sum
	w.put(dc.code[size], int(dc.length[size]))
	w.put(bits, size)

	toss := s.random.Float64()
	if toss < s.empty {
		w.put(ac.code[0], int(ac.length[0]))
		return
	}
	for k := 0; k < 63; {
		symbol := pick(s.random, s.acPicks)
		run, size := int(symbol>>4), int(symbol&15)
		last := size == 0 && run != 15
		if toss > 1-s.full && last || !last && k+run+1 > 63 {
			symbol, run, size, last = 1, 0, 1, false
		}
		w.put(ac.code[symbol], int(ac.length[symbol]))
		w.put(s.value(size), size)
		if last {
			return
		}
		k += run + 1
	}
}

// value is the bits of one of so many.
func (s sketch) value(size int) int {
	if s.ones {
		return 1<<size - 1
	}
	return s.random.IntN(1 << size)
}

func valued(bits, size int) int {
	if size > 0 && bits>>(size-1) == 0 {
		return bits - 1<<size + 1
	}
	return bits
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

// codeWriter writes bits, and a zero after each byte of 0xff.
type codeWriter struct {
	out  []byte
	acc  uint64
	bits int
}

func (w *codeWriter) put(code, length int) {
	w.acc, w.bits = w.acc<<length|uint64(code), w.bits+length
	for ; w.bits >= 8; w.bits -= 8 {
		b := byte(w.acc >> (w.bits - 8))
		w.out = append(w.out, b)
		if b == 0xff {
			w.out = append(w.out, 0)
		}
	}
}

// fill makes the last byte whole.
func (w *codeWriter) fill() {
	if w.bits > 0 {
		w.put(1<<(8-w.bits)-1, 8-w.bits)
	}
}

// huffman is a table of codes: how many are of each length, and whose they are, shortest first.
type huffman struct {
	counts  [17]byte
	symbols []byte
	code    [256]int
	length  [256]byte
}

// grown is a random table with the later symbols' codes the longer ones. The deeper, the more of them have 16 bits; so many codes, at least the
// one of ones alone, are nobody's.
func grown(random *rand.Rand, symbols []byte, deep float64, unused int) huffman {
	leaves := []byte{1, 1}
	for len(leaves) < len(symbols)+unused {
		open := slices.DeleteFunc(slices.Clone(leaves), func(l byte) bool { return l == 16 })
		leaf := pick(random, open)
		if random.Float64() < deep {
			leaf = slices.Max(open)
		}
		at := slices.Index(leaves, leaf)
		leaves[at]++
		leaves = append(leaves, leaf+1)
	}
	random.Shuffle(len(leaves), func(i, j int) { leaves[i], leaves[j] = leaves[j], leaves[i] })
	leaves = leaves[:len(symbols)]
	slices.Sort(leaves)
	return coded(symbols, leaves)
}

// coded has codes of so many bits, in ascending order.
func coded(symbols, lengths []byte) huffman {
	h := huffman{symbols: symbols}
	code := 0
	for i, symbol := range symbols {
		if i > 0 {
			code = (code + 1) << (lengths[i] - lengths[i-1])
		}
		h.counts[lengths[i]]++
		h.code[symbol], h.length[symbol] = code, lengths[i]
	}
	return h
}

func (h huffman) described(class byte) []byte {
	return append(append([]byte{class}, h.counts[1:]...), h.symbols...)
}
