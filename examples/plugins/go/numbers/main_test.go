package main

import (
	"strings"
	"testing"

	"sluicebox.dev/stage/stagetest"
)

type options = map[string]any

func TestRowsInBatchesWithBookmarksAndProgress(t *testing.T) {
	pages, err := stagetest.Extract(t, options{"rows": 5, "start": 7, "batch": 3}, nil)
	if err != nil || len(pages) != 2 {
		t.Fatal(pages, err)
	}
	stagetest.Expect(t, pages[0].Batch, "n", 7, 8, 9)
	stagetest.Expect(t, pages[0].Batch, "label", "row 7", "row 8", nil)
	stagetest.Expect(t, pages[0].Batch, "half", 3.5, 4, 4.5)
	stagetest.Expect(t, pages[1].Batch, "n", 10, 11)
	if *pages[0].Bookmark != "10" || *pages[1].Bookmark != "12" || *pages[1].Progress != 1 {
		t.Error(*pages[0].Bookmark, *pages[1].Bookmark, *pages[1].Progress)
	}
}

func TestABookmarkIsWhereItGoesOn(t *testing.T) {
	bookmark := "12"
	pages, err := stagetest.Extract(t, options{"rows": 2, "start": 7}, &bookmark)
	if err != nil || len(pages) != 1 {
		t.Fatal(pages, err)
	}
	stagetest.Expect(t, pages[0].Batch, "n", 12, 13)
}

func TestNoRowsAreNoPage(t *testing.T) {
	if pages, err := stagetest.Extract(t, options{"rows": 0}, nil); err != nil || len(pages) != 0 {
		t.Fatal(pages, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	bookmark := "twelve"
	if _, err := stagetest.Extract(t, options{"rows": 1}, &bookmark); err == nil || !strings.Contains(err.Error(), `"twelve" is no number`) {
		t.Error(err)
	}
	for message, given := range map[string]options{
		`option "rows" is needed`:                              {},
		`option "rows" is of -1; at least 0 is needed`:         {"rows": -1},
		`option "batch" is of 65537; at most 65536 is allowed`: {"rows": 1, "batch": 65537},
		`option "rows" is "5"; it has to be a whole number`:    {"rows": "5"},
		`no option "row"; there are rows, start, batch`:        {"rows": 5, "row": 5},
	} {
		if _, err := stagetest.Extract(t, given, nil); err == nil || err.Error() != "invalid-config: "+message {
			t.Errorf("%v\nexpected %s", err, message)
		}
	}
}
