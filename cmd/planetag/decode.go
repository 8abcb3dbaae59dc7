package main

import (
	"github.com/spf13/cobra"

	"planetag/enrich/decode"
)

// newDecodeChild is what the worker starts to decode photos in; it is of no use to people.
func newDecodeChild() *cobra.Command {
	return &cobra.Command{
		Use:    decode.ChildName,
		Short:  "Decode photos for the worker that started this process",
		Hidden: true,
		Args:   noArguments,
		RunE:   func(*cobra.Command, []string) error { return decode.RunChild() },
	}
}
