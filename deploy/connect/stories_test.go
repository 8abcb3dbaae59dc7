package connect

// story is what happens to one photo, and the row that must be left.
type story struct {
	name  string
	steps []step
	want  row
	// unguarded is the row without the guard, where it differs: what the sink alone would leave.
	unguarded *row
}

// stories are told to the real sink, and to the table as the sink speaks to it.
func stories() []story {
	const rome, wrong = 41.89, -33.0
	at := func(what string, revision int64) step {
		return step{what: what, revision: revision, lat: rome, lon: 12.49}
	}
	late := func(what string, revision int64) step {
		return step{what: what, revision: revision, lat: wrong, lon: 12.49}
	}
	estimated := func(revision int64, lat float64) row { return row{"estimated", revision, lat, false} }
	removed := func(revision int64) row { return row{"removed", revision, 0, true} }
	resurrected := estimated(1000, wrong)
	later := at("album", 90_000)
	later.later = 3600e9
	return []story{
		{"an estimate", []step{at("photo", 1000)}, estimated(1000, rome), nil},
		{"a measured position", []step{at("given", 1000)}, row{"given", 1000, rome, false}, nil},
		{"nobody was sure", []step{at("abstained", 1000)}, row{"abstained", 1000, 0, false}, nil},
		{"the album knew better", []step{late("photo", 1000), at("album", 31_000)}, estimated(31_000, rome), nil},
		{"then nobody was sure", []step{late("photo", 1000), at("abstained", 2000)}, row{"abstained", 2000, 0, false}, nil},
		{"an older one comes last", []step{at("photo", 2000), late("photo", 1000)}, estimated(2000, rome), &resurrected},
		{"the photo's own comes after its album's", []step{at("photo", 1000), at("album", 31_000), late("photo", 1000)}, estimated(31_000, rome), &resurrected},
		{"removed", []step{at("photo", 1000), at("removed", 2000)}, removed(1000), nil},
		{"removed, and an older one comes last", []step{at("photo", 1000), at("removed", 2000), late("photo", 1000)}, removed(1000), &resurrected},
		{"removed while its album was closed", []step{at("photo", 1000), at("removed", 2000), late("album", 30_000)}, removed(1000), &row{"estimated", 30_000, wrong, false}},
		{"removed, and answered by its album an hour later", []step{at("photo", 1000), at("removed", 2000), later}, removed(1000), &row{"estimated", 90_000, rome, false}},
		{"removed and taken again", []step{late("photo", 1000), at("removed", 2000), at("photo", 70_000)}, estimated(70_000, rome), nil},
		{
			"taken again with a revision below its old album's",
			[]step{late("photo", 1000), late("album", 900_000), at("removed", 2000), at("photo", 3000)},
			estimated(3000, rome), nil,
		},
		{
			"removed, and one comes last that its album outdid before",
			[]step{at("photo", 1000), at("album", 900_000), late("photo", 3000), at("removed", 4000), late("photo", 3000)},
			removed(900_000), &row{"estimated", 3000, wrong, false},
		},
		{"opted out", []step{at("photo", 1000), at("opted_out", 2000)}, row{"opted_out", 2000, 0, true}, nil},
		{"opted out from the start", []step{at("opted_out", 2000)}, row{"opted_out", 2000, 0, true}, nil},
		{"opted out, and an older one comes last", []step{at("photo", 1000), at("opted_out", 2000), late("photo", 1000)}, row{"opted_out", 2000, 0, true}, &resurrected},
		{
			"opted out while its album was closed",
			[]step{at("photo", 1000), at("opted_out", 2000), late("album", 30_000)},
			row{"opted_out", 2000, 0, true},
			&row{"estimated", 30_000, wrong, false},
		},
		{
			"opted out after its album",
			[]step{at("photo", 1000), at("album", 900_000), at("opted_out", 2000), late("album", 900_000)},
			row{"opted_out", 900_000, 0, true},
			&row{"estimated", 900_000, wrong, false},
		},
		{"opted out, and in again", []step{late("photo", 1000), at("opted_out", 2000), at("photo", 70_000)}, estimated(70_000, rome), nil},
		// What planetag retract publishes is a tombstone of the next revision.
		{"retracted", []step{at("photo", 1000), at("album", 31_000), at("removed", 31_001), late("photo", 1000)}, removed(31_000), &resurrected},
	}
}
