package onnx

import (
	"bytes"
	"errors"
	"testing"
)

func small() Message {
	graph := Message{}.Text(GraphName, "small").Bytes(GraphNode, Node("Relu", []string{"in"}, []string{"out"}, Int("axis", -1), Ints("perm", 1, 0))).
		Bytes(GraphTensor, Tensor("weights", []int{2}, float32(1), 2)).Bytes(GraphInput, Value("in", Float, 0, 3))
	return Message{}.Number(ModelIR, 8).Bytes(ModelGraph, graph)
}

func TestEditChangesWhatItIsAskedTo(t *testing.T) {
	same, err := Edit(small(), Edits{})
	if err != nil || !bytes.Equal(same, small()) {
		t.Errorf("without edits it is another model: %v", err)
	}
	// A number is no bytes: an edit of its field leaves it alone.
	louder := func(name []byte) ([]byte, error) { return bytes.ToUpper(name), nil }
	graph := func(g []byte) ([]byte, error) { return Edit(g, Edits{GraphName: louder}) }
	loud, err := Edit(small(), Edits{ModelGraph: graph, ModelIR: louder})
	if want := bytes.Replace(small(), []byte("small"), []byte("SMALL"), 1); err != nil || !bytes.Equal(loud, want) {
		t.Errorf("%q, want %q (%v)", loud, want, err)
	}
	broken := errors.New("broken")
	if _, err := Edit(small(), Edits{ModelGraph: func([]byte) ([]byte, error) { return nil, broken }}); !errors.Is(err, broken) {
		t.Errorf("the edit's own error is lost: %v", err)
	}
}

func TestEveryCutIsNoticed(t *testing.T) {
	whole := small()
	for n := 1; n < len(whole); n++ {
		if n == 2 {
			continue // a model of a version alone is a message, too
		}
		if _, err := Edit(whole[:n], nil); !errors.Is(err, ErrModel) {
			t.Errorf("cut at %d of %d: %v", n, len(whole), err)
		}
	}
}
