package chaos

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"planetag/deploy/realkafka"
)

// TestSoak keeps one worker under steady input for CHAOS_SOAK minutes while its companion is killed, the broker dies and frozen moments pass, and prints
// by how much the worker's own figures grow per hour.
func TestSoak(t *testing.T) {
	minutes := number("CHAOS_SOAK", 0)
	if minutes == 0 {
		t.Skip("takes as long as CHAOS_SOAK says, in minutes")
	}
	set := build(t, 1)
	seed := uint64(number("CHAOS_SEED", 1))
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(minutes)*time.Minute+15*time.Minute)
	defer cancel()
	perSecond := number("CHAOS_SOAK_RATE", 20)
	all := perSecond * 60 * minutes * (5 + warmUp) / 6
	s := enter(ctx, t, set, row{name: "soak", workers: 2, references: all, albums: all / 20, settings: map[string]string{
		"ALBUMS_LINGER": "1m", // long against the idle time, short against the soak: what lingers must be let go, too
	}}, seed)
	s.rng = rand.New(rand.NewPCG(seed, 1))
	s.queue, s.late = oldAlbumsFirst(s.queue), nil
	watched := s.fleet.running[0]
	series := s.soak(ctx, watched, time.Duration(minutes)*time.Minute, perSecond)
	found := s.settle(ctx)
	s.stop()
	for _, text := range found.Texts {
		t.Error(text)
	}
	text := fmt.Sprintf("`make soak HOURS=%.1f SEED=%d`: %d references at %d per second, %d times as many in the first sixth; %s; %d lost, %d twice, %d wrong.\n\n%s",
		float64(minutes)/60, seed, found.References, perSecond, warmUp, counted(s.counts), found.Lost, found.Twice, found.Wrong, series.table(time.Duration(minutes)*time.Minute/6))
	fmt.Println(text)
	set.report(t, "soak", text)
}

// oldAlbumsFirst makes albums come one after the other, as they do over hours, where crowd has them all at once.
func oldAlbumsFirst(list []*reference) []*reference {
	albums, of := max(len(list)/20, 1), map[string]string{}
	for i, r := range list {
		if r.album == "" || r.kind == removal {
			continue
		}
		// A few albums are open at any time. The value names the album, too.
		album := fmt.Sprintf("album-%05d", min(i/20+i%3, albums))
		if before, twice := of[r.id]; twice {
			album = before // a photo of two albums is answered from both, and the revisions of two albums tell nothing about each other
		}
		of[r.id] = album
		r.value = []byte(strings.Replace(string(r.value), `"album":"`+r.album+`"`, `"album":"`+album+`"`, 1))
		r.album = album
	}
	return list
}

// warmUp is by how much more is fed in the first sixth: what has a high-water mark, such as Go's heap, is to reach it before the slopes begin.
const warmUp = 6

// soak feeds and breaks things at a low rate, and takes a sample of the watched worker every ten seconds.
func (s *scene) soak(ctx context.Context, watched *worker, d time.Duration, perSecond int) *growth {
	s.t.Helper()
	g := &growth{}
	begun, faults := time.Now(), time.Now().Add(time.Minute)
	for tick := 1; time.Since(begun) < d; tick++ {
		share := perSecond
		if time.Since(begun) < d/6 {
			share *= warmUp
		}
		s.release(ctx, share)
		s.pause(ctx, time.Until(begun.Add(time.Duration(tick)*time.Second)))
		if tick%10 == 0 {
			g.sample(s.t, watched, time.Since(begun))
			s.fleet.tend()
		}
		if time.Now().After(faults) {
			faults = time.Now().Add(time.Minute)
			s.disturb(ctx, watched)
		}
	}
	s.release(ctx, len(s.queue))
	return g
}

// disturb breaks one thing that is not the watched worker.
func (s *scene) disturb(ctx context.Context, watched *worker) {
	var other *worker
	for _, w := range s.fleet.running {
		if w != watched {
			other = w
		}
	}
	switch dice := s.rng.IntN(6); {
	case other == nil:
		s.fleet.start()
	case dice == 0:
		s.set.brokers[0].Kill9()
		s.pause(ctx, realkafka.Missed)
		s.set.brokers[0].Restart()
		s.counts["broker kill -9"]++
	case dice < 3:
		s.fleet.kill9(other)
		s.fleet.start()
		s.counts["kill -9 of the other worker"]++
	case dice < 5:
		s.fleet.terminate(other)
		s.fleet.start()
		s.counts["restart of the other worker"]++
	default:
		other.freeze()
		s.pause(ctx, session+2*time.Second)
		other.thaw()
		s.counts["SIGSTOP of the other worker"]++
	}
}

// growth is a worker's figures over time.
type growth struct {
	hours []float64
	of    map[string][]float64
}

var growing = []string{"RSS, MiB", "RSS with children, MiB", "Go runtime, MiB", "heap in use, MiB", "goroutines", "open files", "child processes"}

func (g *growth) sample(t *testing.T, w *worker, at time.Duration) {
	f, err := w.scrape()
	if err != nil {
		t.Logf("no sample at %s: %v", at, err)
		return
	}
	pid := w.cmd.Process.Pid
	files, _ := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "fd"))
	if g.of == nil {
		g.of = map[string][]float64{}
	}
	g.hours = append(g.hours, at.Hours())
	for i, value := range []float64{
		float64(rss(pid)) / (1 << 20), float64(treeRSS(pid)) / (1 << 20),
		(f["go_memstats_sys_bytes"] - f["go_memstats_heap_released_bytes"]) / (1 << 20), f["go_memstats_heap_inuse_bytes"] / (1 << 20), f["go_goroutines"],
		float64(len(files)), float64(len(children(pid))),
	} {
		g.of[growing[i]] = append(g.of[growing[i]], value)
	}
}

// table is the figures' mean, least and greatest, and their slope by least squares, after the warm-up.
func (g *growth) table(warmUp time.Duration) string {
	var b strings.Builder
	b.WriteString("| figure of the watched worker, after the first sixth | mean | least | greatest | slope per hour | its standard error |\n|---|---|---|---|---|---|\n")
	from := 0
	for from < len(g.hours) && g.hours[from] < warmUp.Hours() {
		from++
	}
	for _, name := range growing {
		values := g.of[name]
		if len(values) <= from {
			continue
		}
		x, y := g.hours[from:], values[from:]
		mean, least, greatest := sum(y)/float64(len(y)), y[0], y[0]
		for _, v := range y {
			least, greatest = min(least, v), max(greatest, v)
		}
		percent := 100 / max(mean, 1e-9)
		x, y = blocks(x), blocks(y)
		up, err := slope(x, y)
		fmt.Fprintf(&b, "| %s | %.1f | %.1f | %.1f | %+.2f (%+.2f %%) | %.2f (%.2f %%) |\n", name, mean, least, greatest, up, percent*up, err, percent*err)
	}
	return b.String()
}

// blocks are the means of 30 stretches of equal length: samples of seconds after each other go up and down together, and would make an error look small.
func blocks(list []float64) (means []float64) {
	for i := range 30 {
		if part := list[i*len(list)/30 : (i+1)*len(list)/30]; len(part) > 0 {
			means = append(means, sum(part)/float64(len(part)))
		}
	}
	return means
}

// slope is the line of least squares' and its standard error.
func slope(x, y []float64) (up, err float64) {
	n := float64(len(x))
	mx, my := sum(x)/n, sum(y)/n
	var xy, xx, rest float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
	}
	if xx == 0 || n < 3 {
		return 0, 0
	}
	up = xy / xx
	for i := range x {
		off := y[i] - my - up*(x[i]-mx)
		rest += off * off
	}
	return up, math.Sqrt(rest / (n - 2) / xx)
}

func sum(list []float64) (total float64) {
	for _, v := range list {
		total += v
	}
	return total
}
