package pipeline

import (
	"time"

	"planetag/consumer"
)

// Observers tells each of several observers; the worker's are its Metrics and its Health.
type Observers []consumer.Observer

// Transaction is part of consumer.Observer.
func (all Observers) Transaction(stage string, records int, took time.Duration, err error) {
	for _, o := range all {
		o.Transaction(stage, records, took, err)
	}
}

// DataLost is part of consumer.Observer.
func (all Observers) DataLost(topic string, partition int, from, to int64) {
	for _, o := range all {
		o.DataLost(topic, partition, from, to)
	}
}

// Progress is part of consumer.Observer.
func (all Observers) Progress(stage, topic string, partition int, position, end int64) {
	for _, o := range all {
		o.Progress(stage, topic, partition, position, end)
	}
}
