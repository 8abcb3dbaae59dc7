package consumer

// Problem is something wrong that a person can mend, and how: an error whose
// remedy can be shown apart from it.
type Problem struct {
	Kind   error  // a sentinel, or nil
	What   string // what is wrong
	Remedy string // what to do: a command line, a setting
	Cause  error  // what the broker said, or nil
}

// Error is kind, problem, remedy and cause on one line.
func (p *Problem) Error() string {
	text := p.What + ": " + p.Remedy
	if p.Kind != nil {
		text = p.Kind.Error() + ": " + text
	}
	if p.Cause != nil {
		text += ": " + p.Cause.Error()
	}
	return text
}

// Unwrap gives kind and cause, as far as there are any.
func (p *Problem) Unwrap() (errs []error) {
	for _, err := range []error{p.Kind, p.Cause} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}
