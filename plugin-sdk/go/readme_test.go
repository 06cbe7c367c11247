package stage_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// The README's stage is built, and the README's test is run with it.
func TestTheReadmesCodeWorks(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	sdk, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) != 2 {
		t.Fatalf("the README has %d blocks of Go", len(blocks))
	}
	test := "package main\n\nimport (\n\"testing\"\n\n\"sluicebox.dev/stage/stagetest\"\n)\n\nfunc TestReadme(t *testing.T) {\n%s}\n"
	module := "module readme\n\ngo 1.25\n\nrequire sluicebox.dev/stage v0.0.0\n\nreplace sluicebox.dev/stage => %s\n"
	folder := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":       fmt.Sprintf(module, sdk),
		"main.go":      string(blocks[0][1]),
		"main_test.go": fmt.Sprintf(test, blocks[1][1]),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.Command("go", "test", ".")
	run.Dir = folder
	if out, err := run.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
