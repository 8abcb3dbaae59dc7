package main

import (
	"github.com/spf13/cobra"

	"planetag/pipeline"
)

func newExplain(g *global, std streams) *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain FILE|s3://BUCKET/KEY",
		Short: "Show every step of the answer to one photo",
		Long: `Walk one photo as the worker would, without Kafka: each step with its time, the
most probable cells, why there is or is no answer, and the very record that would
be published. A photo that would become a dead letter ends with status 3.`,
		Example: `  planetag explain holiday.jpg
  planetag explain s3://images/rome/03.jpg --config planetag.yaml --json`,
		Args: oneArgument("FILE or s3://BUCKET/KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := g.config(path)
			if err != nil {
				return err
			}
			e, err := pipeline.Explain(cmd.Context(), pipeline.ExplainOptions{Photo: args[0], Config: cfg})
			if err != nil {
				return reached(err)
			}
			if asJSON {
				err = printJSON(std.out, true, e)
			} else {
				err = e.Text(std.out)
			}
			if err == nil && e.Status == pipeline.StatusDeadLetter {
				return tagged{errSaid, errPhotoFailed}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "configuration file, for the store and the bundle")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
