package decode

import "errors"

// Every failure of this package about an object is one of these, under
// [errors.Is]. None of them heals by trying again with the same bytes.
var (
	// ErrEmpty: the object has no bytes.
	ErrEmpty = errors.New("empty object")
	// ErrFormat: not a photo, or of a format or colour space that cannot be
	// loaded here.
	ErrFormat = errors.New("unknown format")
	// ErrLimits: too many bytes or pixels, too thin or too long.
	ErrLimits = errors.New("over a limit")
	// ErrCorrupt: it says it is a photo, but is truncated or damaged.
	ErrCorrupt = errors.New("corrupt photo")
)

// ErrClosed is what [Slots.Get] answers after [Slots.Close].
var ErrClosed = errors.New("slots are closed")

// fault is a sentence for a person that is also one of the sentinels.
type fault struct {
	kind error
	text string
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.kind }
