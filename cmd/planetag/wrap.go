package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"planetag/enrich/wrap"
	"planetag/pipeline"
)

const wrapHelp = `Make a bundle of a classifier that you have as an ONNX file: one input float32
[any, 3, size, size] or [any, size, size, 3], scores of the classes out, opset 13 or
later. Bytes of pixels, softmax and the choice of the most probable classes come around
it; the classifier is not touched.

The table says where each class is, in the order of the scores: a CSV with class_label
from 0 and hex_id, an S2 token (latitude_mean, longitude_mean and imgs_per_cell are used
if there are any); or class_label, lat and lon, which become places whose
probabilities are added up by cell.

The bundle is checked as "planetag bundle verify" does. It abstains always: nobody
has measured what its probabilities are worth. train/wrap.py, which needs Python, also
calibrates it.`

// wrapCommand is the flags of bundle wrap beside those of wrap.Options.
type wrapCommand struct {
	options   wrap.Options
	mean, std []float64
	asJSON    bool
}

func newBundleWrap(g *global, std streams) *cobra.Command {
	c := wrapCommand{mean: []float64{0.485, 0.456, 0.406}, std: []float64{0.229, 0.224, 0.225}} // ImageNet's
	cmd := &cobra.Command{
		Use:     "wrap MODEL.onnx --classes FILE --name NAME --licence SPDX --out DIR",
		Short:   "Make a bundle of an ONNX classifier",
		Long:    wrapHelp,
		Example: "  planetag bundle wrap model.onnx --classes cells.csv --name mine --licence MIT --crop 0.875 --out mine",
		Args:    oneArgument("MODEL.onnx"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.check(cmd); err != nil {
				return err
			}
			o := c.options
			o.Model, o.Library, o.Mean, o.Std = args[0], g.library, [3]float64(c.mean), [3]float64(c.std)
			made, err := wrap.Wrap(cmd.Context(), o)
			if err != nil {
				return err
			}
			return c.verified(cmd, g, std, made)
		},
	}
	c.flags(cmd.Flags())
	return cmd
}

func (c *wrapCommand) flags(flags *pflag.FlagSet) {
	o := &c.options
	flags.StringVar(&o.Classes, "classes", "", "CSV of where the classes are")
	flags.StringVar(&o.Out, "out", "", "folder to make")
	flags.StringVar(&o.Name, "name", "", "of the bundle")
	flags.StringVar(&o.Version, "version", "1.0.0", "of the bundle")
	flags.StringVar(&o.Licence, "licence", "", "of the model, an SPDX expression")
	flags.StringVar(&o.Summary, "summary", "a classifier that was trained elsewhere", "one line about the model")
	flags.StringVar(&o.Scores, "scores", "", "output with the classes' scores (default: the only one)")
	flags.StringVar(&o.Embedding, "embedding", "", "value [any, width] to keep for albums (default: what the last product before the scores reads)")
	flags.BoolVar(&o.Probabilities, "probabilities", false, "the scores are softmaxed already")
	flags.Float64SliceVar(&c.mean, "mean", c.mean, "of pixels from 0 to 1, by colour; the default is ImageNet's")
	flags.Float64SliceVar(&c.std, "std", c.std, "deviation of pixels from 0 to 1, by colour")
	flags.Float64Var(&o.Crop, "crop", 1, "side of the centre square ÷ shorter side: 0.875 is resize 256, crop 224")
	flags.StringVar(&o.Colour, "colour", wrap.RGB, "order of the colours that the model wants: rgb or bgr")
	flags.IntVar(&o.TopK, "top-k", 256, "classes of an answer, at most")
	flags.BoolVar(&c.asJSON, "json", false, "print one JSON object")
}

func (c *wrapCommand) check(cmd *cobra.Command) error {
	if err := required(cmd, "classes", "name", "licence", "out"); err != nil {
		return err
	}
	if len(c.mean) != 3 || len(c.std) != 3 || slices.Contains(c.std, 0) {
		return wrongUsage(cmd, fmt.Errorf("--mean %v and --std %v: want three numbers each, and no deviation of 0", c.mean, c.std))
	}
	if o := c.options; !(o.Crop > 0 && o.Crop <= 1) || o.TopK < 1 || o.Colour != wrap.RGB && o.Colour != wrap.BGR {
		return wrongUsage(cmd, fmt.Errorf("--crop %v, --top-k %d, --colour %s: want more than 0 to 1, at least 1, and rgb or bgr", o.Crop, o.TopK, o.Colour))
	}
	return nil
}

// verified checks what was made as the worker does, and says what it is.
func (c *wrapCommand) verified(cmd *cobra.Command, g *global, std streams, made wrap.Wrapped) error {
	cfg := pipeline.DefaultConfig()
	cfg.Bundle.Path, cfg.Bundle.Library = made.Out, g.library
	v, err := pipeline.VerifyBundle(cmd.Context(), cfg)
	switch {
	case err != nil && len(v.Checks) == 0:
		return err
	case c.asJSON:
		err = printJSON(std.out, true, struct {
			wrap.Wrapped
			Verification pipeline.Verification `json:"verification"`
		}{made, v})
	default:
		err = v.Text(std.out)
		fmt.Fprintf(std.out, "%s: %d classes in %d cells; it abstains always until it is calibrated\n", made.Out, made.Classes, made.Cells)
	}
	if err == nil && !v.OK {
		return errSaid
	}
	return err
}
