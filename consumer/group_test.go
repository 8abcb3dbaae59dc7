package consumer

import (
	"testing"
	"time"
)

func TestGroupCopiesEveryRecordOnce(t *testing.T) {
	b := newBroker(t)
	c := newClient(t, b.Addr())
	makeTopics(t, c, 3, input, output)
	seed(t, c, input, 0, 500)

	began := time.Now()
	stop := runGroup(t, c, copyAll)
	eventually(t, "500 copies", func() bool { return len(read(t, b.Addr(), output)) == 500 })
	t.Log("copied after", time.Since(began))
	began = time.Now()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	t.Log("stopped after", time.Since(began))
	wantOnce(t, b.Addr(), output, 500)
}
