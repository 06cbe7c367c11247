package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluicebox.dev/stage"
	"sluicebox.dev/stage/stagetest"
)

func day(t *testing.T, text string) time.Time {
	at, err := time.Parse("2006-01-02 15:04:05.999999", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestEveryTypeIsWritten(t *testing.T) {
	options := Options{filepath.Join(t.TempDir(), "out.jsonl")}
	batch := stagetest.NewBatch(t,
		stagetest.Column("n", math.MaxInt64, math.MinInt64, nil),
		stagetest.Column("x", 0.1, math.NaN(), 1e300),
		stagetest.Column("ok", true, false, nil),
		stagetest.Column(`te"xt`, "é \"\\\n\x01\u2028", "", nil),
		stagetest.ColumnOf(stage.Nullable("day", stage.Date32), day(t, "1969-12-31 00:00:00"), 0, nil),
		stagetest.Column("at", day(t, "2013-01-01 10:00:00"), day(t, "1969-12-31 23:59:59.5"), nil),
	)
	receipt, err := stagetest.Load(t, map[string]string{"path": options.Path}, batch)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(options.Path); err == nil {
		t.Error("the target is there before commit")
	}
	for range 2 { // committing again is fine
		if err := stagetest.Commit(t, map[string]string{"path": options.Path}, receipt); err != nil {
			t.Fatal(err)
		}
	}
	expected := strings.Join([]string{
		`{"n":9223372036854775807,"x":0.1,"ok":true,"te\"xt":"é \"\\\n\u0001` + "\u2028" + `","day":"1969-12-31","at":"2013-01-01T10:00:00"}`,
		`{"n":-9223372036854775808,"x":null,"ok":false,"te\"xt":"","day":"1970-01-01","at":"1969-12-31T23:59:59.500000"}`,
		`{"n":null,"x":1e+300,"ok":null,"te\"xt":null,"day":null,"at":null}`,
		"",
	}, "\n")
	if got, err := os.ReadFile(options.Path); err != nil || string(got) != expected {
		t.Errorf("%v\n%s\nexpected\n%s", err, got, expected)
	}
}

func TestAbortLeavesNothingAndTouchesNoTarget(t *testing.T) {
	options := map[string]string{"path": filepath.Join(t.TempDir(), "out.jsonl")}
	if err := os.WriteFile(options["path"], []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	receipt, err := stagetest.Load(t, options, stagetest.NewBatch(t, stagetest.Column("n", 1)))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // aborting again is fine
		if err := stagetest.Abort(t, options, receipt); err != nil {
			t.Fatal(err)
		}
	}
	left, err := os.ReadDir(filepath.Dir(options["path"]))
	if err != nil || len(left) != 1 {
		t.Error(left, err)
	}
	if err := stagetest.Commit(t, options, `{"temporary":"gone","target":"nowhere"}`); err == nil {
		t.Error("what is neither prepared nor committed was committed")
	}
}

func TestOtherTypesAreRefused(t *testing.T) {
	batch := stagetest.NewBatch(t, stagetest.Column("raw", []byte("x")))
	_, err := stagetest.Load(t, map[string]string{"path": "out.jsonl"}, batch)
	if err == nil || err.Error() != `invalid-config: column "raw" is binary; drop it, or cast it before` {
		t.Error(err)
	}
}
