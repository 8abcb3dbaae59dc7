package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"planetag/consumer"
)

// Headers of a dead letter. They are added behind the input's own.
const (
	headerErrorType         = "error.type"    // errorType: one word for dashboards and routing
	headerErrorMessage      = "error.message" // the reason, for a person
	headerErrorStage        = "error.stage"
	headerOriginalTopic     = "original.topic"
	headerOriginalPartition = "original.partition"
	headerOriginalOffset    = "original.offset"
	headerAttempt           = "attempt"
)

// maxReason bounds error.message: a header is read by people and indexed by tools.
const maxReason = 1000

// deadLetter is the record for an input that can never succeed: key, value and headers untouched, so that it can be
// played back as it came, and behind them why, where and at which attempt it failed. Headers of an earlier death are
// replaced: a dead letter that was played back and failed again says where it failed last, and counts all of its attempts.
func deadLetter(topic string, rec consumer.Record, stage string, attempt int, err error) consumer.Record {
	headers := slices.DeleteFunc(slices.Clone(rec.Headers), func(h consumer.Header) bool {
		return slices.Contains(deadLetterHeaders(), h.Key)
	})
	for _, h := range rec.Headers {
		if before, err := strconv.Atoi(string(h.Value)); h.Key == headerAttempt && err == nil && before > 0 {
			attempt += before
		}
	}
	add := func(key, value string) { headers = append(headers, consumer.Header{Key: key, Value: []byte(value)}) }
	add(headerErrorType, errorType(err))
	add(headerErrorMessage, errorMessage(err))
	add(headerErrorStage, stage)
	add(headerOriginalTopic, rec.Topic)
	add(headerOriginalPartition, strconv.Itoa(rec.Partition))
	add(headerOriginalOffset, strconv.FormatInt(rec.Offset, 10))
	add(headerAttempt, strconv.Itoa(attempt))
	return consumer.Record{
		Topic: topic, Partition: -1, Key: rec.Key, Value: rec.Value, Headers: headers, Time: time.Now().UTC(),
	}
}

// Buried is the dead letter for a location that can never be used, with the type and the words of err: see Judge.
func Buried(topic string, rec consumer.Record, stage string, err error) consumer.Record {
	return deadLetter(topic, rec, stage, 1, err)
}

func deadLetterHeaders() []string {
	return []string{
		headerErrorType, headerErrorMessage, headerErrorStage,
		headerOriginalTopic, headerOriginalPartition, headerOriginalOffset, headerAttempt,
	}
}

// errorMessage is the error as one line of valid UTF-8 of at most maxReason bytes.
func errorMessage(err error) string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(err.Error(), "\uFFFD")), " ")
	if len(text) <= maxReason {
		return text
	}
	return strings.ToValidUTF8(text[:maxReason-len("…")], "") + "…"
}

// ErrDeadLetter says that a record is no dead letter: a header is missing or cannot be read.
var ErrDeadLetter = errors.New("not a dead letter")

// DeadRecord is a record of the dead-letter topic, understood.
type DeadRecord struct {
	Type, Message, Stage string
	Original             consumer.Record // as it came, with its topic, partition and offset
	Attempt              int
	Time                 time.Time
}

// ParseDeadRecord reads a record of the dead-letter topic. Every error is ErrDeadLetter.
func ParseDeadRecord(rec consumer.Record) (DeadRecord, error) {
	d := DeadRecord{Time: rec.Time, Original: consumer.Record{Key: rec.Key, Value: rec.Value}}
	var errs []error
	number := func(h consumer.Header) int64 {
		n, err := strconv.ParseInt(string(h.Value), 10, 64)
		if err != nil {
			errs = append(errs, fmt.Errorf("header %s is %q", h.Key, h.Value))
		}
		return n
	}
	found := 0
	for _, h := range rec.Headers {
		switch h.Key {
		case headerErrorType:
			d.Type = string(h.Value)
		case headerErrorMessage:
			d.Message = string(h.Value)
		case headerErrorStage:
			d.Stage = string(h.Value)
		case headerOriginalTopic:
			d.Original.Topic = string(h.Value)
		case headerOriginalPartition:
			d.Original.Partition = int(number(h))
		case headerOriginalOffset:
			d.Original.Offset = number(h)
		case headerAttempt:
			d.Attempt = int(number(h))
		default:
			d.Original.Headers = append(d.Original.Headers, h)
			continue
		}
		found++
	}
	if found < len(deadLetterHeaders()) || d.Original.Topic == "" || len(errs) > 0 {
		return d, fmt.Errorf("%w: record at offset %d of partition %d of topic %q: %w", ErrDeadLetter, rec.Offset, rec.Partition, rec.Topic,
			errors.Join(append(errs, fmt.Errorf("%d of its %d headers are there", found, len(deadLetterHeaders())))...))
	}
	return d, nil
}

// Again is the record that puts the reference back onto its topic: as it came, with the attempts that were made. One without
// a key goes to the partition that it came from.
func (d DeadRecord) Again() consumer.Record {
	again := d.Original
	again.Offset = 0
	if again.Key != nil {
		again.Partition = -1
	}
	again.Headers = append(slices.Clone(again.Headers), consumer.Header{Key: headerAttempt, Value: []byte(strconv.Itoa(d.Attempt))})
	return again
}
