package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOnlyKnownAndAllowedLicencesPass(t *testing.T) {
	ours, err := os.ReadFile("../../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	mit := `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:
The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.
THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.`
	agpl := `This program is free software: you can redistribute it and/or modify it under the terms of the GNU Affero General Public License as published by the
Free Software Foundation, either version 3 of the License, or (at your option) any later version. This program is distributed in the hope that it will be
useful, but WITHOUT ANY WARRANTY; without even the implied warranty of MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See the GNU Affero General Public
License for more details. You should have received a copy of the GNU Affero General Public License along with this program. If not, see
<https://www.gnu.org/licenses/>.`
	for _, row := range []struct{ story, name, text, says string }{
		{"Apache", "LICENSE", string(ours), ""},
		{"MIT", "licence.md", mit, ""},
		{"MIT with a stranger's clause", "LICENSE", mit + strings.Repeat("\nThe Software shall be used for good, and on Sundays not at all.", 30), "no licence that is known"},
		{"AGPL", "COPYING", agpl, "which is not on the list"},
		{"MIT and AGPL", "LICENSE", mit + "\n\n" + agpl, "which is not on the list"},
		{"no licence", "README", mit, "has no licence file"},
		{"an own invention", "LICENSE", "Do what you like, but ask me first.", "no licence that is known"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, row.name), []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err := report(&out, []module{{Path: "example.org/m", Version: "v1.0.0", Dir: dir}})
		switch {
		case row.says == "" && (err != nil || !strings.Contains(out.String(), "example.org/m")):
			t.Errorf("%s: refused: %v", row.story, err)
		case row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "example.org/m v1.0.0")):
			t.Errorf("%s: %v, want it to say %q\n%s", row.story, err, row.says, out.String())
		}
	}
}

func TestWhatIsLinkedIsListed(t *testing.T) {
	modules, err := linked(t.Context(), []string{"planetag/deploy/lint/licences"})
	if err != nil || len(modules) != 1 || modules[0].Path != "github.com/google/licensecheck" || modules[0].Dir == "" {
		t.Errorf("this command is linked from %+v, %v", modules, err)
	}
	if _, err := linked(t.Context(), []string{"planetag/nowhere"}); err == nil {
		t.Error("a package that does not exist has dependencies")
	}
}
