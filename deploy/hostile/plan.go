package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"planetag/deploy/hostile/forge"
)

// every is how many hostile files there are to a good photo.
const every = 20

// plan lists everything that is to be sent, good photos in between, without holding its bytes.
func plan(o options) ([]*sent, error) {
	made, err := forge.New(o.root, o.seed)
	if err != nil {
		return nil, err
	}
	var list []*sent
	add := func(s *sent) {
		if list = append(list, s); len(list)%every == 0 {
			list = append(list, control(made, len(list)))
		}
	}
	for n := range o.count {
		file := made.Label(chosen(n, o.count, made.Crafted()))
		if o.pick != nil && !o.pick(file.Name) {
			continue
		}
		add(&sent{
			id: bucket + "/made/" + file.Name, name: file.Name, format: file.Format, mutation: file.Mutation,
			load: func() ([]byte, error) { return made.File(chosen(n, o.count, made.Crafted())).Data, nil },
		})
	}
	found, err := corpus(o.corpus)
	if err != nil {
		return nil, err
	}
	for _, s := range found {
		add(s)
	}
	return append(list, control(made, len(list))), nil
}

// chosen spreads a short run over all recipes: half of it are hand-written ones, evenly drawn from the whole list.
func chosen(n, count, crafted int) int {
	switch {
	case count >= 2*crafted:
		return n
	case n%2 == 0:
		return n * crafted / count
	default:
		return crafted + n
	}
}

func control(made *forge.Forge, n int) *sent {
	file := made.Good(n)
	return &sent{
		id: bucket + "/made/" + file.Name, name: file.Name, format: file.Format, mutation: "none (control)", good: true,
		load: func() ([]byte, error) { return file.Data, nil },
	}
}

// corpus lists every file below a folder that is not part of a repository's own records.
func corpus(folder string) (list []*sent, err error) {
	if folder == "" {
		return nil, nil
	}
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		id := fmt.Sprintf("%s/corpus/%06d%s", bucket, len(list), plainly(filepath.Ext(name)))
		head, err := headOf(path)
		if err != nil {
			return err
		}
		list = append(list, &sent{
			id: id, name: name, format: kindOf(head), mutation: "corpus " + strings.Split(filepath.ToSlash(name), "/")[0],
			load: func() ([]byte, error) { return os.ReadFile(path) },
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the corpus: %w", err)
	}
	return list, nil
}

// plainly is a file's ending without what a key might not hold.
func plainly(ending string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, ending)
}

func headOf(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	head := make([]byte, 64)
	n, err := file.Read(head)
	if n == 0 && err != nil && !errors.Is(err, fs.ErrClosed) { // an empty file is one of the corpus, too
		return nil, nil
	}
	return head[:n], nil
}

// kindOf is what the first bytes look like. It only sorts the table.
func kindOf(head []byte) string {
	text := string(head)
	switch {
	case strings.HasPrefix(text, "II*\x00"), strings.HasPrefix(text, "MM\x00*"):
		return "tiff"
	case len(text) > 12 && text[4:8] == "ftyp" && strings.HasPrefix(text[8:], "avi"):
		return "avif"
	case len(text) > 12 && text[4:8] == "ftyp" && (strings.Contains(text, "hei") || strings.Contains(text, "mif1")):
		return "heic"
	}
	kind, isImage := strings.CutPrefix(http.DetectContentType(head), "image/")
	if isImage && (kind == "jpeg" || kind == "png" || kind == "gif" || kind == "webp") {
		return kind
	}
	return "none"
}

// keyOf is the object of a photo id.
func keyOf(id string) string { return strings.TrimPrefix(id, bucket+"/") }
