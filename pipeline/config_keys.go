package pipeline

import (
	"reflect"
	"slices"
	"strings"
)

// keysOf lists the full names of all keys below a configuration struct, such as "kafka.tls.ca_file", sections included.
func keysOf(t reflect.Type, section string) []string {
	var keys []string
	for i := range t.NumField() {
		field := t.Field(i)
		key := section + field.Tag.Get("yaml")
		keys = append(keys, key)
		if field.Type.Kind() == reflect.Struct {
			keys = append(keys, keysOf(field.Type, key+".")...)
		}
	}
	return keys
}

func fieldByKey(t reflect.Type, key string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if field := t.Field(i); field.Tag.Get("yaml") == key {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

// nearest is the key that a misspelt one most probably stands for: the one at the least edit distance of the full name,
// or, because a right word in the wrong section is as common a mistake, of the last word.
func nearest(wrong string, keys []string) string {
	distance := func(key string) int {
		full := editDistance(wrong, key)
		last := editDistance(lastWord(wrong), lastWord(key)) + 1 // the same section wins a tie
		return min(full, last)
	}
	return slices.MinFunc(keys, func(a, b string) int { return distance(a) - distance(b) })
}

func lastWord(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

// editDistance is the least number of insertions, deletions, replacements and swaps of neighbours that turn a into b
// (optimal string alignment).
func editDistance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(last[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
