package main

import (
	"reflect"
	"testing"

	"sluicebox.dev/stage/stagetest"
)

func TestRowsOutOfBoundsAreFound(t *testing.T) {
	batch := stagetest.NewBatch(t, stagetest.Column("miles", 10, 2000, nil, -1, 1500))
	verdict, err := stagetest.Validate(t, map[string]any{"column": "miles", "low": 0, "high": 1500}, batch)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string][]int{"bounds": {1, 3}}; !reflect.DeepEqual(verdict.Broken, want) {
		t.Error(verdict.Broken)
	}
	if want := []string{"any-rows holds: 5 rows"}; !reflect.DeepEqual(verdict.Outcomes, want) {
		t.Error(verdict.Outcomes)
	}
}

func TestBoundsTheWrongWayRoundAreRefused(t *testing.T) {
	batch := stagetest.NewBatch(t, stagetest.Column("miles", 10))
	_, err := stagetest.Validate(t, map[string]any{"column": "miles", "low": 2, "high": 1}, batch)
	if err == nil || err.Error() != "invalid-config: low is 2, which is more than high, 1" {
		t.Error(err)
	}
}
