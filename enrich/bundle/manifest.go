package bundle

// Schema is the version of bundle.yaml this package reads.
const Schema = 1

// ManifestName is the manifest's file name inside a bundle.
const ManifestName = "bundle.yaml"

// Calibration keys of answers from one photo alone: what its picture says, and what that becomes with what Album.Diary says of
// its day. A bundle without the latter does not tell photos alone.
const (
	Single = "single"
	Dated  = "dated"
)

// The album modes: how the photos of one album help each other.
const (
	None       = "none"        // they do not: each photo keeps its own answer
	Average    = "average"     // every photo gets the mean of all photos' probabilities
	LSTM       = "lstm"        // the album model reads the photos in capture order
	LSTMRepeat = "lstm_repeat" // it reads them twice and answers at the second reading
	BLSTM      = "blstm"       // another album model reads them in both directions
	HMM        = "hmm"         // forward–backward over the cells with a travel prior; no model
)

// Manifest is bundle.yaml.
type Manifest struct {
	Schema  int    `yaml:"schema"`
	Name    string `yaml:"name"`
	Version string `yaml:"version"`
	Licence string `yaml:"licence"` // SPDX expression
	Summary string `yaml:"summary"`
	Head    string `yaml:"head"` // HeadClasses or HeadGallery

	Files []File `yaml:"files"`
	Input Input  `yaml:"input"`
	CNN   CNN    `yaml:"cnn"`
	Album Album  `yaml:"album"`
	Cells Cells  `yaml:"cells"`

	Gallery Gallery `yaml:"gallery,omitempty"`

	// Calibration by kind of answer: Single, each album mode but None and, if there is a diary, Dated.
	Calibration map[string]Calibration `yaml:"calibration"`

	// PrecisionCapLevel is the finest S2 level an answer may have.
	PrecisionCapLevel int `yaml:"precision_cap_level"`

	Golden string `yaml:"golden"` // path of the golden answers
}

// File pins one file of the bundle.
type File struct {
	Path   string `yaml:"path"` // slash-separated, relative to the bundle
	Bytes  int64  `yaml:"bytes"`
	SHA256 string `yaml:"sha256"` // lower-case hexadecimal
}

// Input is the picture the network was trained on. Everything but Size and
// Crop has exactly one accepted value: it is written down so that a bundle made
// for another pipeline is refused instead of answering nonsense.
type Input struct {
	Size   int     `yaml:"size"` // side of the square in pixels
	Crop   float64 `yaml:"crop"` // side of the centre square ÷ shorter side of the photo
	Colour string  `yaml:"colour"`
	Layout string  `yaml:"layout"`
	Type   string  `yaml:"type"`
	Resize string  `yaml:"resize"`
}

// CNN names the graph that sees one photo, with its inputs and outputs.
type CNN struct {
	File      string `yaml:"file"`
	Int8      string `yaml:"int8,omitempty"` // the same network for processors that are quicker with small integers; "" = none
	Input     string `yaml:"input"`          // uint8 [N,Size,Size,3]
	Embedding string `yaml:"embedding"`      // float32 [N,Width]
	Prob      string `yaml:"prob"`           // float32 [N,TopK], descending
	Cell      string `yaml:"cell"`           // int64 [N,TopK], rows of the cells file, or of the gallery
	Width     int    `yaml:"width"`
	TopK      int    `yaml:"top_k"`
	Buckets   []int  `yaml:"buckets"` // batch sizes to choose the cheapest from, ascending from 1
}

// Album names the graphs that read the embeddings of an album in order. A bundle
// whose modes need none may leave them out.
type Album struct {
	File string `yaml:"file"` // of LSTM and LSTMRepeat
	// Graphs are the files of modes with a graph of their own. Their inputs and
	// outputs are called as those of File.
	Graphs  Graphs   `yaml:"graphs"`
	Input   string   `yaml:"input"` // float32 [1,T,Width]
	Gaps    string   `yaml:"gaps"`  // float32 [1,T], see infer.Album; "" = the graphs have no such input
	Prob    string   `yaml:"prob"`  // float32 [1,T,TopK], descending
	Cell    string   `yaml:"cell"`  // int64 [1,T,TopK]
	Width   int      `yaml:"width"`
	TopK    int      `yaml:"top_k"`
	Modes   []string `yaml:"modes"`
	Default string   `yaml:"default"`
	// HMM is how people travel between two photos of an album, for the mode of
	// that name and for anchors in every mode; see Travel for what is left out.
	HMM Travel `yaml:"hmm"`
	// Diary says on which days the archive that a bundle has learned was where, for the photos of albums without a
	// position and, where Dated is calibrated, for photos alone; "" = the bundle knows no days.
	Diary string `yaml:"diary,omitempty"`
}

// Graphs names the graphs of single modes.
type Graphs struct {
	BLSTM string `yaml:"blstm"`
}

// Cells names the table of classes.
type Cells struct {
	File  string `yaml:"file"`
	Count int    `yaml:"count"`
}

// Calibration says what a probability of one kind of answer is worth, as
// measured on photos the model was not trained on.
type Calibration struct {
	// Temperature is for the reader; the graph has applied it already.
	Temperature float64  `yaml:"temperature"`
	Radius      []Radius `yaml:"radius"`
	// AbstainBelow is the confidence under which no location is given; 1 gives none.
	AbstainBelow float64 `yaml:"abstain_below"`
	// Expected, where a bundle has it, takes the place of Radius and
	// AbstainBelow, which stay for readers that know confidence only.
	Expected *Expected `yaml:"expected_error"`
}

// Radius is one step of the calibration: at this confidence and above, half of
// the held-out photos were within P50 metres and nine of ten within P90.
type Radius struct {
	Confidence float64 `yaml:"confidence"`
	P50        float64 `yaml:"p50_m"`
	P90        float64 `yaml:"p90_m"`
}

// At is the step for a confidence: the last whose confidence is not greater.
// Read has made sure that the first step starts at 0.
func (c Calibration) At(confidence float64) Radius {
	return step(c.Radius, func(r Radius) float64 { return r.Confidence }, confidence)
}

// step is the last of steps, ascending from 0, that does not start above x.
func step[S any](steps []S, start func(S) float64, x float64) S {
	at := steps[0]
	for _, s := range steps[1:] {
		if start(s) > x {
			break
		}
		at = s
	}
	return at
}
