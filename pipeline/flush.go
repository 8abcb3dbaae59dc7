package pipeline

import "time"

// flushStretch is how many flush intervals a transaction may stay open while photos pile up behind it.
const flushStretch = 5

// flush says when an open transaction is due. A transaction costs client and broker a few milliseconds however little it
// holds, so where a backlog makes every photo wait for seconds, transactions wait for more photos, too; a partition that
// keeps up commits after one interval.
type flush struct {
	interval time.Duration
	began    time.Time
	due      <-chan time.Time // fires when the transaction is due; nil while none is open
}

// begin opens a transaction, if none is open.
func (f *flush) begin() {
	if f.due == nil {
		f.began, f.due = time.Now(), time.After(f.interval)
	}
}

// later puts an open transaction that is due off, if there is a reason to.
func (f *flush) later(backlog bool) bool {
	if !backlog || time.Since(f.began) > (flushStretch-1)*f.interval {
		return false
	}
	f.due = time.After(f.interval)
	return true
}

// end closes the transaction.
func (f *flush) end() { f.due = nil }
