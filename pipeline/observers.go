package pipeline

import (
	"time"

	"planetag/consumer"
)

// observers tells each of several observers; the worker's are its Metrics and its Health.
type observers []consumer.Observer

func (all observers) Transaction(stage string, records int, took time.Duration, err error) {
	for _, o := range all {
		o.Transaction(stage, records, took, err)
	}
}

func (all observers) DataLost(topic string, partition int, from, to int64) {
	for _, o := range all {
		o.DataLost(topic, partition, from, to)
	}
}

func (all observers) Progress(stage, topic string, partition int, position, end int64) {
	for _, o := range all {
		o.Progress(stage, topic, partition, position, end)
	}
}
