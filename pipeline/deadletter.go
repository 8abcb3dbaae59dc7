package pipeline

import (
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
// replaced: a dead letter that was played back and failed again says where it failed last.
func deadLetter(topic string, rec consumer.Record, stage string, attempt int, err error) consumer.Record {
	headers := slices.DeleteFunc(slices.Clone(rec.Headers), func(h consumer.Header) bool {
		return slices.Contains(deadLetterHeaders(), h.Key)
	})
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
