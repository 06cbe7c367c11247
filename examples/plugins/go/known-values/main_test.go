package main

import (
	"reflect"
	"testing"

	"sluicebox.dev/stage/stagetest"
)

type options = map[string]any

func TestOtherValuesBreakTheRuleAndNullsDoNot(t *testing.T) {
	first := stagetest.NewBatch(t, stagetest.Column("origin", "EWR", "XXX", nil))
	second := stagetest.NewBatch(t, stagetest.Column("origin", "JFK", "YYY"))
	verdict, err := stagetest.Validate(t,
		options{"column": "origin", "values": []string{"EWR", "JFK"}, "severity": "warn", "at-most": 3}, first, second)
	expected := stagetest.Verdict{
		Rules: []string{
			"known-values: origin is one of EWR, JFK (warn, at most 3 rows)",
			"any-rows: there are rows (fail)",
		},
		Broken:   map[string][]int{"known-values": {1, 4}},
		Outcomes: []string{"any-rows holds: 5 rows"},
	}
	if err != nil || !reflect.DeepEqual(verdict, expected) {
		t.Errorf("%v, %v\nexpected %v", verdict, err, expected)
	}
}

func TestNoRowsDoNotHold(t *testing.T) {
	none := stagetest.NewBatch(t, stagetest.Column("origin"))
	verdict, err := stagetest.Validate(t, options{"column": "origin", "values": []string{"EWR"}}, none)
	if err != nil || verdict.Outcomes[0] != "any-rows does not hold: 0 rows" {
		t.Error(verdict, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	batch := stagetest.NewBatch(t, stagetest.Column("miles", 5))
	for message, given := range map[string]options{
		`no column "origin"; there are miles int64`:                     {"column": "origin", "values": []string{"EWR"}},
		`column "miles" is int64, not utf8; there are miles int64`:      {"column": "miles", "values": []string{"EWR"}},
		`option "severity" is "stop"; it is one of warn, reject, fail`:  {"column": "miles", "values": []string{"EWR"}, "severity": "stop"},
		`option "at-most" is -1; it has to be a whole number from 0 on`: {"column": "miles", "values": []string{"EWR"}, "at-most": -1},
		`option "values" is of 0 items; at least 1 is needed`:           {"column": "miles", "values": []string{}},
	} {
		if _, err := stagetest.Validate(t, given, batch); err == nil || err.Error() != "invalid-config: "+message {
			t.Errorf("%v\nexpected %s", err, message)
		}
	}
}
