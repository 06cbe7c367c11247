package main

import (
	"testing"

	"sluicebox.dev/stage"
	"sluicebox.dev/stage/stagetest"
)

type options = map[string]any

func ways(t *testing.T) *stage.Batch {
	return stagetest.NewBatch(t,
		stagetest.Column("from", "EWR", "JFK", nil),
		stagetest.Column("to", "IAH", nil, "BQN"),
		stagetest.Column("miles", 1400, 1576, 10),
	)
}

func TestTextsAreJoinedAndNullsStayNulls(t *testing.T) {
	out, err := stagetest.Transform(t, options{"columns": []string{"from", "to"}}, ways(t))
	if err != nil {
		t.Fatal(err)
	}
	stagetest.Expect(t, out[0], "joined", "EWR-IAH", nil, nil)
	stagetest.Expect(t, out[0], "miles", 1400, 1576, 10)
}

func TestAColumnOfThatNameIsReplaced(t *testing.T) {
	out, err := stagetest.Transform(t, options{"columns": []string{"to", "from"}, "separator": " < ", "as": "miles"}, ways(t))
	if err != nil {
		t.Fatal(err)
	}
	stagetest.Expect(t, out[0], "miles", "IAH < EWR", nil, nil)
	if got := out[0].Schema().String(); got != "from utf8, to utf8, miles utf8" {
		t.Error(got)
	}
}

func TestABatchWithoutRowsIsFine(t *testing.T) {
	none, err := ways(t).Slice(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	out, err := stagetest.Transform(t, options{"columns": []string{"from", "to"}}, none.Keep())
	if err != nil || len(out) != 1 || out[0].Rows() != 0 {
		t.Fatal(out, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	cases := []struct {
		columns []string
		message string
	}{
		{[]string{"form"}, `invalid-config: no column "form"; there are from utf8, to utf8, miles int64`},
		{[]string{"miles"}, `invalid-config: column "miles" is int64, not utf8; there are from utf8, to utf8, miles int64`},
		{[]string{}, `invalid-config: option "columns" is of 0 items; at least 1 is needed`},
	}
	for _, c := range cases {
		_, err := stagetest.Transform(t, options{"columns": c.columns}, ways(t))
		if err == nil || err.Error() != c.message {
			t.Errorf("%v: %v\nexpected %s", c.columns, err, c.message)
		}
	}
}
