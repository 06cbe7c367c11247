package main

import (
	"os"
	"path/filepath"
	"testing"

	"sluicebox.dev/stage/stagetest"
)

func TestLinesAreReadOnceAndBrokenOnesAreSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cities.txt")
	if err := os.WriteFile(path, []byte("Oslo 4.5\nReykjavik cold\nNew York 8\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stagetest.TakeReports()
	pages, err := stagetest.Extract(t, map[string]any{"path": path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	stagetest.Expect(t, pages[0].Batch, "city", "Oslo", "New York")
	stagetest.Expect(t, pages[0].Batch, "celsius", 4.5, 8)
	bad := stagetest.TakeReports().Quarantined
	if len(bad) != 1 || bad[0].Origin != path+":2" || bad[0].Content != "Reykjavik cold" {
		t.Error(bad)
	}

	pages, err = stagetest.Extract(t, map[string]any{"path": path}, pages[0].Bookmark)
	if err != nil || pages[0].Batch.Rows() != 0 {
		t.Error("what was read was read again", pages, err)
	}
}

func TestAFileThatIsNotThereIsTold(t *testing.T) {
	if _, err := stagetest.Extract(t, map[string]any{"path": "no such file"}, nil); err == nil {
		t.Error("nothing was told")
	}
}
