//go:build !linux

package decode

import (
	"context"
	"errors"
	"time"
)

var errElsewhere = errors.New("decoder processes need Linux")

// RunChild fails: decoder processes need Linux.
func RunChild() error { return errElsewhere }

// child is never made here.
type child struct{ confined bool }

func startChild(context.Context, []string, setup) (*child, error) { return nil, errElsewhere }

func (c *child) ask(context.Context, []byte, []byte, time.Duration) (answer, error) {
	return answer{}, errElsewhere
}

func (c *child) alive() bool { return false }
func (c *child) end() string { return "" }
