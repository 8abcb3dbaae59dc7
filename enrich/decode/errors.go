package decode

import "errors"

// Every failure of this package about an object is one of these, under
// [errors.Is], or in a [Pool] one of those below. None of them heals by trying again with the same bytes.
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

// Only a [Pool] fails with these.
var (
	// ErrCrashed: two decoder processes in turn died of the photo, or wanted more
	// memory for it than they may have.
	ErrCrashed = errors.New("decoder crashed")
	// ErrTooSlow: the photo was not decoded within the deadline.
	ErrTooSlow = errors.New("decoder too slow")
	// ErrChild: no decoder process can be started; no photo is the reason.
	ErrChild = errors.New("decoder process cannot start")
)

// ErrClosed is what [Slots.Get] answers after [Slots.Close], and [Pool.Photo] after [Pool.Close].
var ErrClosed = errors.New("slots are closed")

// fault is a sentence for a person that is also one of the sentinels.
type fault struct {
	kind error
	text string
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.kind }
