package bench

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"planetag/enrich/bundle"
	"planetag/pipeline"
)

// peersVariable names a folder of peers, so that one may be named without its path.
const peersVariable = "PLANETAG_PEERS"

// peer is another worker's program and the Python that runs it.
type peer struct{ python, script string }

// findPeer finds the peer and installs what it needs into a folder of its own in the user's cache, once per list.
func (b *bench) findPeer(ctx context.Context) (peer, error) {
	dir := b.Compare
	if _, err := os.Stat(dir); err != nil && os.Getenv(peersVariable) != "" {
		dir = filepath.Join(os.Getenv(peersVariable), b.Compare)
	}
	needs, err := os.ReadFile(filepath.Join(dir, "requirements.txt"))
	if err != nil {
		return peer{}, fmt.Errorf("%w: peer %s: %w; give the directory of a peer, or its name in the folder that %s names", ErrBench, b.Compare, err, peersVariable)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	home := filepath.Join(cache, "planetag", fmt.Sprintf("peer-%.6x", sha256.Sum256(needs)))
	p := peer{filepath.Join(home, "bin", "python"), absolute(filepath.Join(dir, "worker.py"))}
	ready := filepath.Join(home, "ready")
	if _, err := os.Stat(ready); err == nil {
		return p, nil
	}
	b.Progress("Python packages of the peer")
	for _, argv := range [][]string{
		{"python3", "-m", "venv", home},
		{p.python, "-m", "pip", "install", "--quiet", "--require-virtualenv", "-r", filepath.Join(dir, "requirements.txt")},
	} {
		if out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput(); err != nil {
			return peer{}, fmt.Errorf("%w: install what peer %s needs: %w\n%s", ErrBench, b.Compare, err, out)
		}
	}
	if err := os.WriteFile(ready, nil, 0o644); err != nil {
		return peer{}, fmt.Errorf("%w: install what peer %s needs: %w", ErrBench, b.Compare, err)
	}
	return p, nil
}

// realBundle is the configured one, whatever the rest of the run is measured with.
func (b *bench) realBundle() (string, error) {
	path, err := pipeline.FindBundle(b.Config.Bundle.Path)
	return absolute(path), err
}

// peerModel is a bundle's network as a peer wants it.
func (b *bench) peerModel(dir, name string) (string, error) {
	read, err := bundle.Read(dir)
	if err != nil {
		return "", err
	}
	model, err := os.ReadFile(read.Path(read.Manifest.CNN.File))
	if err == nil {
		model, err = renamed(model, read.Manifest.CNN.Input, "photo")
	}
	path := filepath.Join(b.scratch, name+".onnx")
	if err == nil {
		err = os.WriteFile(path, model, 0o644)
	}
	if err != nil {
		return "", fmt.Errorf("%w: model for the peer: %w", ErrBench, err)
	}
	return path, nil
}

func (b *bench) peerEntrant(p peer, model string) entrant {
	b.runs++
	group := fmt.Sprintf("peer-%d-%d", os.Getpid(), b.runs)
	return entrant{
		name: "peer", path: p.python, argv: []string{p.python, p.script, b.world.brokers, b.world.store.Host, group, model},
		copies: runtime.NumCPU(), topic: inputTopic, group: group,
	}
}
