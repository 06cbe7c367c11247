package main

import (
	"testing"

	"sluicebox.dev/stage/stagetest"
)

func TestTheRatioIsNullWhereItCannotBe(t *testing.T) {
	batch := stagetest.NewBatch(t,
		stagetest.Column("miles", 10, 10, nil, 10),
		stagetest.Column("minutes", 4.0, 0.0, 4.0, nil),
	)
	out, err := stagetest.Transform(t, map[string]any{"numerator": "miles", "denominator": "minutes"}, batch)
	if err != nil {
		t.Fatal(err)
	}
	stagetest.Expect(t, out[0], "ratio", 2.5, nil, nil, nil)
}

func TestAColumnOfTextIsRefused(t *testing.T) {
	batch := stagetest.NewBatch(t, stagetest.Column("miles", 10), stagetest.Column("origin", "EWR"))
	_, err := stagetest.Transform(t, map[string]any{"numerator": "miles", "denominator": "origin"}, batch)
	if err == nil {
		t.Error("a ratio of text was made")
	}
}
