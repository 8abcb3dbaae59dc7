package backfill

import "strings"

// openAlbum is a directory that the listing is in, or in a sub-directory of, and how many of its photos were referred to.
type openAlbum struct {
	Dir    string `json:"dir"` // with its slash
	Photos int    `json:"photos"`
}

// openAlbums are the directories of the last key that have photos, from the outermost inwards. Keys come in the order of
// their bytes, in which the keys below a directory lie together; but its own photos may lie on both sides of a
// sub-directory (a/1.jpg, a/b/2.jpg, a/c.jpg). So a directory has ended when a key comes that is not below it.
type openAlbums []openAlbum

// pass moves on to a key and returns the directories that have ended, the innermost first.
func (a *openAlbums) pass(key string) (ended []openAlbum) {
	n := len(*a)
	for ; n > 0 && !strings.HasPrefix(key, (*a)[n-1].Dir); n-- {
		ended = append(ended, (*a)[n-1])
	}
	*a = (*a)[:n]
	return ended
}

// add counts a photo of the directory of key, to which pass has moved on.
func (a *openAlbums) add(key string) {
	dir := dirOf(key)
	if n := len(*a); n == 0 || (*a)[n-1].Dir != dir {
		*a = append(*a, openAlbum{Dir: dir})
	}
	(*a)[len(*a)-1].Photos++
}

func dirOf(key string) string { return key[:strings.LastIndexByte(key, '/')+1] }
