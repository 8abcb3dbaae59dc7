package consumer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"time"

	"github.com/segmentio/kafka-go/compress"
)

var (
	// errCorrupt is a batch that contradicts itself or its checksum.
	errCorrupt = errors.New("corrupt batch")
	// errFormat is a batch of a format that this package does not read.
	errFormat = errors.New("message format is older than kafka 0.11")
)

// batchHeader is the length of a batch without its records.
const batchHeader = 61

// maxInflated bounds what one batch may become when it is decompressed.
const maxInflated = 256 << 20

// Bits of a batch's attributes.
const (
	compressionBits  = 0x07
	appendTimeBit    = 0x08
	transactionalBit = 0x10
	controlBit       = 0x20
)

// batch is one record batch of format 2 as read, with its records still encoded.
type batch struct {
	base, last int64
	attributes int16
	firstTime  int64
	maxTime    int64
	producer   int64
	count      int32
	payload    []byte
}

func (b batch) control() bool       { return b.attributes&controlBit != 0 }
func (b batch) transactional() bool { return b.attributes&transactionalBit != 0 }

// cutBatch takes the first batch off data. A batch that is not there as a whole
// gives ok == false: brokers may cut the last one of an answer.
func cutBatch(data []byte) (b batch, rest []byte, ok bool, err error) {
	if len(data) < 17 {
		return b, nil, false, nil
	}
	length := int64(int32(binary.BigEndian.Uint32(data[8:])))
	if magic := data[16]; magic != 2 {
		return b, nil, false, fmt.Errorf("%w (magic %d)", errFormat, magic)
	}
	if length < batchHeader-12 {
		return b, nil, false, fmt.Errorf("%w: length %d", errCorrupt, length)
	}
	if int64(len(data)) < 12+length {
		return b, nil, false, nil
	}
	whole, rest := data[:12+length], data[12+length:]
	if sum := crc32.Checksum(whole[21:], crc32.MakeTable(crc32.Castagnoli)); sum != binary.BigEndian.Uint32(whole[17:]) {
		return b, nil, false, fmt.Errorf("%w: checksum differs", errCorrupt)
	}
	b = batch{
		base:       int64(binary.BigEndian.Uint64(whole)),
		attributes: int16(binary.BigEndian.Uint16(whole[21:])),
		firstTime:  int64(binary.BigEndian.Uint64(whole[27:])),
		maxTime:    int64(binary.BigEndian.Uint64(whole[35:])),
		producer:   int64(binary.BigEndian.Uint64(whole[43:])),
		count:      int32(binary.BigEndian.Uint32(whole[57:])),
		payload:    whole[batchHeader:],
	}
	delta := int32(binary.BigEndian.Uint32(whole[23:]))
	b.last = b.base + int64(delta)
	if b.base < 0 || delta < 0 || b.last < b.base || b.count < 0 {
		return b, nil, false, fmt.Errorf("%w: %d records from %d to %d", errCorrupt, b.count, b.base, b.last)
	}
	return b, rest, true, nil
}

// records appends the records of b from offset from on.
func (b batch) records(into []Record, topic string, partition int, from int64) ([]Record, error) {
	data, err := b.inflate()
	if err != nil {
		return into, err
	}
	const least = 7 // bytes of a record, whatever the batch says of their number
	into = slices.Grow(into, min(int(b.count), len(data)/least))
	cursor := cursor{data: data}
	for range b.count {
		r := cursor.record(b)
		if cursor.broken {
			return into, fmt.Errorf("%w: record %d of the batch at offset %d is cut", errCorrupt, len(into), b.base)
		}
		if r.Offset >= from {
			r.Topic, r.Partition = topic, partition
			into = append(into, r)
		}
	}
	return into, nil
}

func (b batch) inflate() ([]byte, error) {
	code := compress.Compression(b.attributes & compressionBits)
	if code == compress.None {
		return b.payload, nil
	}
	codec := code.Codec()
	if codec == nil {
		return nil, fmt.Errorf("%w: compression %d is not known", errCorrupt, code)
	}
	reader := codec.NewReader(bytes.NewReader(b.payload))
	defer reader.Close()
	data, err := io.ReadAll(io.LimitReader(reader, maxInflated+1))
	if err != nil {
		return nil, fmt.Errorf("%w: decompress %s: %w", errCorrupt, code, err)
	}
	if len(data) > maxInflated {
		return nil, fmt.Errorf("%w: decompresses to more than %d bytes", errCorrupt, maxInflated)
	}
	return data, nil
}

// cursor walks over encoded records. Once broken it stays broken and yields zeros.
type cursor struct {
	data   []byte
	broken bool
}

func (c *cursor) record(b batch) Record {
	length := c.varint()
	if length < 0 || length > int64(len(c.data)) {
		c.broken = true
		return Record{}
	}
	body := cursor{data: c.data[:length]}
	c.data = c.data[length:]
	r := body.fields(b)
	c.broken = c.broken || body.broken
	return r
}

func (c *cursor) fields(b batch) Record {
	c.skip(1) // attributes, unused in format 2
	at := b.firstTime + c.varint()
	if b.attributes&appendTimeBit != 0 {
		at = b.maxTime
	}
	r := Record{Offset: b.base + c.varint(), Time: time.UnixMilli(at)}
	r.Key, r.Value = c.bytes(), c.bytes()
	count := c.varint()
	if count < 0 || count > int64(len(c.data)/2) { // a header has at least two bytes
		c.broken = true
		return r
	}
	for ; count > 0 && !c.broken; count-- { // grown by what is there, not by what is claimed
		r.Headers = append(r.Headers, Header{Key: string(c.bytes()), Value: c.bytes()})
	}
	return r
}

func (c *cursor) varint() int64 {
	v, n := binary.Varint(c.data)
	if n <= 0 {
		c.broken, c.data = true, nil
		return 0
	}
	c.data = c.data[n:]
	return v
}

func (c *cursor) skip(n int) {
	if n > len(c.data) {
		c.broken, c.data = true, nil
		return
	}
	c.data = c.data[n:]
}

// bytes reads a length and as many bytes; the length -1 is nil.
func (c *cursor) bytes() []byte {
	n := c.varint()
	if n == -1 || c.broken {
		return nil
	}
	if n < 0 || n > int64(len(c.data)) {
		c.broken, c.data = true, nil
		return nil
	}
	value := c.data[:n:n]
	c.data = c.data[n:]
	return value
}
