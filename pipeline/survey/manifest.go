package survey

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"planetag/enrich/cells/gazetteer"
	"planetag/enrich/cells/table"
)

// finish makes the manifest and the report from the whole journal. It reads the
// journal twice: which positions are to be believed is known after all photos.
func (s *survey) finish() (Report, error) {
	shared := aside{}
	skipped := map[string]skippedCount{}
	_, err := eachEntry(s.journal.file, func(e entry) error {
		for kind, n := range e.Skipped {
			have := skipped[kind]
			skipped[kind] = skippedCount{have.Objects + n.Objects, have.Bytes + n.Bytes}
		}
		if e.Photo != nil {
			shared.see(*e.Photo)
		}
		return nil
	})
	if err != nil {
		return Report{}, fmt.Errorf("read journal: %w", err)
	}
	names, err := gazetteer.Open()
	if err != nil {
		return Report{}, err
	}
	stock := newStock(s.Options, names, shared)
	format := asCSV
	if table.Is(s.Out) {
		format = asParquet
	}
	if err := writeWhole(s.Out, func(w io.Writer) error { return s.manifest(format(w), stock) }); err != nil {
		return Report{}, fmt.Errorf("write manifest: %w", err)
	}
	report := stock.result()
	report.Skipped = skipped
	return report, nil
}

// manifest writes all photos in the order of the listing. The journal has them in
// the order in which they were read, which is nearly the same: few wait.
func (s *survey) manifest(out sheet, stock *stock) error {
	var order []string
	waiting := map[string]Photo{}
	_, err := eachEntry(s.journal.file, func(e entry) error {
		for _, o := range e.Page {
			order = append(order, o.Key)
		}
		if e.Photo != nil {
			waiting[e.Photo.Key] = *e.Photo
		}
		for len(order) > 0 {
			p, ok := waiting[order[0]]
			if !ok {
				break
			}
			delete(waiting, order[0])
			order = order[1:]
			if err := out.add(stock.add(p)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && len(order) > 0 {
		err = fmt.Errorf("%w: %s was listed and never read", ErrJournal, order[0])
	}
	return errors.Join(err, out.end())
}

// writeWhole writes a file that appears whole or not at all. It says where the
// owner's photos were taken, so it is for the owner alone.
func writeWhole(path string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	err = errors.Join(write(file), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
