package main

import (
	"encoding/json"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"planetag/pipeline"
	"planetag/pipeline/demo"
)

func newDemo(g *global, std streams) *cobra.Command {
	var attach string
	var asJSON, keep bool
	cmd := &cobra.Command{
		Use:   "demo [FOLDER]",
		Short: "Watch photos become locations, with an embedded broker and S3",
		Long: `Start a Kafka broker, an S3 store and the worker inside this process, send photos
through them, and show each answer as it arrives. FOLDER replaces the photos that
come with planetag; its sub-folders are albums, and a manifest.csv in it
(file,lat,lon,taken_at,album) tells where they were really taken.`,
		Example: `  planetag demo
  planetag demo ~/Pictures/2019
  planetag demo --attach planetag.yaml     # on your broker, store and worker`,
		Args: atMostOneFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := g.config(attach)
			if err != nil {
				return err
			}
			screen := std.out
			if asJSON {
				screen = std.err
			}
			o := demo.Options{Folder: strings.Join(args, ""), Config: cfg, Attach: attach != "", Keep: keep, Colour: colour(screen)}
			if o.Log, err = demoLog(g, cfg, std); err != nil {
				return err
			}
			sum, err := demo.Run(cmd.Context(), o, screen)
			if err != nil {
				return reached(err)
			}
			return printJSON(std.out, asJSON, sum)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object; the show goes to standard error")
	cmd.Flags().BoolVar(&keep, "keep", false, "leave everything running after the summary, until ^C")
	cmd.Flags().StringVar(&attach, "attach", "", "use the broker, the store and the running worker of this configuration file")
	return cmd
}

func atMostOneFolder(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return oneArgument("FOLDER")(cmd, args)
}

// demoLog keeps the worker quiet, so that only the show is seen, unless somebody asks for its log.
func demoLog(g *global, cfg pipeline.Config, std streams) (*slog.Logger, error) {
	if g.logLevel == "" {
		cfg.Log.Level = "error"
	}
	return logger(cfg.Log, std.err)
}

// printJSON prints v as one indented JSON object when asked to.
func printJSON(out *os.File, asked bool, v any) error {
	if !asked {
		return nil
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
