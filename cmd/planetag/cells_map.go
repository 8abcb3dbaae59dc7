package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"planetag/enrich/cells"
	"planetag/enrich/cells/chart"
	"planetag/enrich/cells/gazetteer"
)

func newCellsMap() *cobra.Command {
	var out string
	var width int
	cmd := &cobra.Command{
		Use:     "map FILE --out MAP.svg",
		Short:   "Draw cells on a map of the world: SVG, PNG or GeoJSON",
		Long:    "Write the outlines of all cells. The ending of --out says how: .svg, .png, or .geojson for a GIS.",
		Example: "  planetag cells map bundles/demo/cells.parquet --out cells.png",
		Args:    oneArgument("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := required(cmd, "out"); err != nil {
				return err
			}
			kind := mapKind(out)
			if kind == "" {
				return wrongUsage(cmd, fmt.Errorf("--out is %q, its ending must be .svg, .png or .geojson", out))
			}
			if width < 100 || width > 20000 {
				return wrongUsage(cmd, fmt.Errorf("--width is %d, it must be within 100 and 20000", width))
			}
			table, _, err := openCells(args[0])
			if err != nil {
				return err
			}
			return drawCells(out, kind, table, width)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "where to write the map")
	cmd.Flags().IntVar(&width, "width", 2000, "of a picture, pixels")
	return cmd
}

// mapKind is the ending of a map's name, or empty if it is not that of a map.
func mapKind(out string) string {
	if kind := strings.ToLower(filepath.Ext(out)); slices.Contains([]string{".svg", ".png", ".geojson"}, kind) {
		return kind
	}
	return ""
}

func drawCells(out, kind string, table *cells.Cells, width int) (err error) {
	file, err := os.Create(out)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriter(file)
	defer func() { err = errors.Join(err, w.Flush()) }()
	if kind == ".geojson" {
		return table.GeoJSON(w)
	}
	names, err := gazetteer.Open()
	if err != nil {
		return err
	}
	if kind == ".png" {
		return chart.PNG(w, table, names, width)
	}
	return chart.SVG(w, table, names, width)
}
