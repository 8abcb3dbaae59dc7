package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"planetag/consumer"
	"planetag/pipeline"
)

func newTap(g *global, std streams) *cobra.Command {
	var o looking
	var from string
	var follow bool
	cmd := &cobra.Command{
		Use:   "tap TOPIC",
		Short: "Look at any topic, decoded: references, locations, embeddings, dead letters",
		Long: `Look at a topic as the worker sees it: on the topics of the configuration locations,
embeddings in brief and dead letters with their reasons; on every other topic what
input.map makes of each record. From the end it goes on until -n records were shown
or Ctrl-C; from elsewhere it stops at the end, unless --follow. No group is joined
and nothing is committed.`,
		Example: `  planetag tap planetag.locations --config planetag.yaml
  planetag tap planetag.dead-letters --from beginning --json
  planetag tap photo-events --map s3-event --from beginning -n 10`,
		Args: oneArgument("TOPIC"),
		RunE: func(cmd *cobra.Command, args []string) error {
			which, err := begin(cmd, from, follow)
			if err != nil {
				return err
			}
			if o.most < 0 {
				return wrongUsage(cmd, errors.New("-n must not be negative"))
			}
			cfg, err := g.mapped(o.path, o.setting)
			if err != nil {
				return err
			}
			shown := viewer{std: std, asJSON: o.asJSON}
			err = shown.tap(cmd.Context(), pipeline.TapOptions{Config: cfg, Topic: args[0], Range: which, Most: o.most})
			if cmd.Context().Err() != nil && onlyInterrupted(err) {
				return nil // that is how it is ended
			}
			return reached(err)
		},
	}
	cmd.Flags().StringVar(&from, "from", "end", "beginning, end or an offset, in each partition")
	cmd.Flags().BoolVar(&follow, "follow", false, "go on with what is written later")
	o.flags(cmd, 0, "how many records; 0 = all")
	return cmd
}

// looking is what the commands have in common that look at a topic.
type looking struct {
	path, topic, setting string
	most                 int
	asJSON               bool
}

func (o *looking) flags(cmd *cobra.Command, most int, help string) {
	flags := cmd.Flags()
	flags.StringVar(&o.path, "config", "", "configuration file (default: built-in defaults and PLANETAG_… variables)")
	flags.StringVar(&o.setting, "map", "", "preset, FILE.jq or program (default: input.map)")
	flags.IntVarP(&o.most, "number", "n", most, help)
	flags.BoolVar(&o.asJSON, "json", false, "print one JSON object a record and line")
}

// begin is where --from says.
func begin(cmd *cobra.Command, from string, follow bool) (consumer.Range, error) {
	which := consumer.Range{Follow: follow}
	switch from {
	case "beginning":
	case "end":
		which.New, which.Follow = true, true
	default:
		if n, err := fmt.Sscanf(from, "%d", &which.From); n != 1 || err != nil || which.From < 0 {
			return which, wrongUsage(cmd, fmt.Errorf("--from is %q; it can be beginning, end or an offset", from))
		}
	}
	return which, nil
}

// viewer prints records for a person or, as JSON lines, for a program.
type viewer struct {
	std           streams
	asJSON        bool
	count, failed int
}

func (v *viewer) tap(ctx context.Context, o pipeline.TapOptions) error {
	log, err := logger(o.Config.Log, v.std.err)
	if err != nil {
		return err
	}
	return pipeline.Tap(ctx, o, log, v.show)
}

func (v *viewer) show(s pipeline.Sighting) error {
	v.count++
	for _, ask := range s.Asks {
		if ask["error"] != nil && s.Error == "" {
			s.Error = fmt.Sprint(ask["error"])
		}
	}
	if s.Error != "" {
		v.failed++
	}
	if v.asJSON {
		return jsonLine(v.std.out, s)
	}
	_, err := fmt.Fprint(v.std.out, words(s))
	return err
}

// jsonLine writes v as JSON on one line; keys of objects stay readable.
func jsonLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// words is a record on a few lines.
func words(s pipeline.Sighting) string {
	var b strings.Builder
	key := "no key"
	if s.Key != nil {
		key = fmt.Sprintf("key %q", *s.Key)
	}
	fmt.Fprintf(&b, "%s/%d@%d  %s  %s  %d bytes\n", s.Topic, s.Partition, s.Offset, s.Time.Format("2006-01-02T15:04:05.000Z"), key, s.Bytes)
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		fmt.Fprintf(&b, "    %s: %q\n", name, s.Headers[name])
	}
	for _, name := range slices.Sorted(maps.Keys(s.DeadLetter)) {
		fmt.Fprintf(&b, "    %s: %s\n", name, s.DeadLetter[name])
	}
	say := func(mark string, v any) {
		fmt.Fprintf(&b, "  %s ", mark)
		if err := jsonLine(&b, v); err != nil {
			fmt.Fprintln(&b, err)
		}
	}
	for _, ask := range s.Asks {
		if ask["error"] == nil {
			say("→", ask)
		}
	}
	switch {
	case s.Skipped:
		b.WriteString("  – skipped\n")
	case s.Error != "":
		fmt.Fprintf(&b, "  ✗ %s\n", s.Error)
	case s.Location != nil:
		say("→", s.Location)
	case s.Embedding != nil:
		say("→ embedding", s.Embedding)
	case s.Control != nil:
		say("→ control", s.Control)
	case s.Asks == nil:
		b.WriteString("  → removed\n")
	}
	return b.String()
}
