package main

import (
	"os"
	"path/filepath"
	"testing"

	"sluicebox.dev/stage/stagetest"
)

func TestNothingIsSeenBeforeCommit(t *testing.T) {
	options := map[string]string{"path": filepath.Join(t.TempDir(), "out.tsv")}
	batch := stagetest.NewBatch(t, stagetest.Column("a", "x\ty", nil), stagetest.Column("n", 1, 2))
	receipt, err := stagetest.Load(t, options, batch)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(options["path"]); err == nil {
		t.Error("it is seen before commit")
	}
	for range 2 {
		if err := stagetest.Commit(t, options, receipt); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(options["path"]); err != nil || string(got) != "a\tn\nx\\ty\t1\n\t2\n" {
		t.Errorf("%q %v", got, err)
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	options := map[string]string{"path": filepath.Join(t.TempDir(), "out.tsv")}
	if _, err := stagetest.Load(t, options, stagetest.NewBatch(t, stagetest.Column("n", 1))); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := stagetest.Abort(t, options); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(filepath.Dir(options["path"])); err != nil || len(left) != 0 {
		t.Error(left, err)
	}
}
