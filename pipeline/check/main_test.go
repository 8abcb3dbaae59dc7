package check

import (
	"fmt"
	"os"
	"testing"

	"planetag/enrich/decode"
)

// TestMain lets this test binary be a decoder process of the checks in it.
func TestMain(m *testing.M) {
	if os.Args[len(os.Args)-1] == decode.ChildName {
		if err := decode.RunChild(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}
