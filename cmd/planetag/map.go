package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"planetag/pipeline"
	"planetag/pipeline/mapping"
)

func newMap(g *global, std streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "map",
		Short: "Try out how records become references, and locations what is published",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newMapShow(std), newMapTry(g, std), newMapTest(g, std))
	return cmd
}

func newMapShow(std streams) *cobra.Command {
	var output bool
	cmd := &cobra.Command{
		Use:   "show PRESET",
		Short: "Print a preset: the program in jq that is run",
		Long: fmt.Sprintf(`Print a preset: the very text that is run, to read or to begin one of your own with.

For input.map there are %s;
for output.map (--output) there are %s.`,
			strings.Join(mapping.Presets(mapping.Input), ", "), strings.Join(mapping.Presets(mapping.Output), ", ")),
		Example: `  planetag map show s3-event > mine.jq
  planetag map show --output flat`,
		Args: oneArgument("PRESET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			direction := mapping.Input
			if output {
				direction = mapping.Output
			}
			text, err := mapping.Show(direction, args[0])
			if err != nil {
				return wrongUsage(cmd, err)
			}
			_, err = fmt.Fprint(std.out, text)
			return err
		},
	}
	cmd.Flags().BoolVar(&output, "output", false, "a preset of output.map")
	return cmd
}

func newMapTry(g *global, std streams) *cobra.Command {
	var o looking
	cmd := &cobra.Command{
		Use:   "try",
		Short: "Map the newest records of a topic, changing nothing",
		Long: `Show the newest records of a topic and what the mapping makes of each. No group is
joined and nothing is committed: whoever works on the topic does not notice. Ends
with status 3 when a record would be a dead letter.`,
		Example: `  planetag map try --topic photo-events --map s3-event
  planetag map try --topic photo-events -n 20 --config planetag.yaml --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.most < 1 {
				return wrongUsage(cmd, errors.New("-n must be at least 1"))
			}
			cfg, err := g.mapped(o.path, o.setting)
			if err != nil {
				return err
			}
			return tryMapping(cmd, cfg, o, std)
		},
	}
	cmd.Flags().StringVar(&o.topic, "topic", "", "topic to read (default: topics.input)")
	o.flags(cmd, 5, "how many records")
	return cmd
}

func tryMapping(cmd *cobra.Command, cfg pipeline.Config, o looking, std streams) error {
	if o.topic == "" {
		o.topic = cfg.Topics.Input
	}
	cfg.Topics.Locations, cfg.Topics.Embeddings, cfg.Topics.DeadLetters = "", "", "" // whatever it is, it is to be mapped
	shown := viewer{std: std, asJSON: o.asJSON}
	err := shown.tap(cmd.Context(), pipeline.TapOptions{Config: cfg, Topic: o.topic, Most: o.most, Newest: true})
	switch {
	case err != nil:
		return reached(err)
	case shown.count == 0:
		return fmt.Errorf("topic %q has no records", o.topic)
	case shown.failed > 0:
		return tagged{errSaid, errPhotoFailed}
	}
	return nil
}

func newMapTest(g *global, std streams) *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "test FILE",
		Short:   "Run the tests of a mapping",
		Long:    casesHelp,
		Example: "  planetag map test cases.yaml",
		Args:    oneArgument("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := g.config(path)
			if err != nil {
				return err
			}
			results, err := pipeline.RunMapCases(cmd.Context(), cfg, args[0])
			if err != nil {
				return err
			}
			return sayCases(std, results, asJSON)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "configuration file, for input.map and s3.bucket")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON list")
	return cmd
}

const casesHelp = `Run the cases of a YAML file: records, and what must become of each.

  input: mine.jq            # or output: …; default: input.map of --config
  cases:
    - name: a key with a plus
      value: {Records: [{eventName: "ObjectCreated:Put", s3: {…}}]}
      want: [{bucket: images, key: "my photo+1.jpg"}]
    - name: a test event is skipped
      value: {Event: "s3:TestEvent"}
      want: []
    - name: something else
      text: not JSON
      error: value is not JSON

A case may have topic, key, headers and timestamp, too. Ends with status 1 when one fails.`

func sayCases(std streams, results []pipeline.CaseResult, asJSON bool) error {
	var text strings.Builder
	failed := 0
	for _, r := range results {
		if r.OK {
			fmt.Fprintf(&text, "✓ %s\n", r.Name)
			continue
		}
		failed++
		fmt.Fprintf(&text, "✗ %s\n%s", r.Name, r.Diff)
	}
	if asJSON {
		if err := printJSON(std.out, true, results); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(std.out, "%s%d of %d cases pass\n", text.String(), len(results)-failed, len(results))
	}
	if failed > 0 {
		return errSaid
	}
	return nil
}

// mapped is the configuration with another mapping for the input.
func (g *global) mapped(path, setting string) (pipeline.Config, error) {
	cfg, err := g.config(path)
	if err == nil && setting != "" {
		cfg.Input.Map = setting
		err = cfg.Validate()
	}
	return cfg, err
}
