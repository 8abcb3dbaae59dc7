package infer

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// TestForeignHandlersAreUndone: a library that ignores a signal while it is opened.
func TestForeignHandlersAreUndone(t *testing.T) {
	const signal = int(unix.SIGUSR2)
	before, ok := exchange(signal, nil)
	if !ok {
		t.Fatal("how a signal is handled cannot be asked")
	}
	ignored := action{1} // SIG_IGN
	reason := errors.New("opened badly")
	err := withOwnSignals(func() error {
		if _, ok := exchange(signal, &ignored); !ok {
			t.Error("how a signal is handled cannot be set")
		}
		if now, _ := exchange(signal, nil); now == before {
			t.Error("nothing was changed")
		}
		return reason
	})
	if after, _ := exchange(signal, nil); after != before || !errors.Is(err, reason) {
		t.Errorf("handled by %v, before by %v; %v", after, before, err)
	}
}
