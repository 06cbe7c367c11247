package stage_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"sluicebox.dev/stage"
	"sluicebox.dev/stage/internal/calls"
	"sluicebox.dev/stage/stagetest"
)

// must takes the answer of a call that may not fail.
func must[T any](answer T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

func flights(t *testing.T) *stage.Batch {
	return stagetest.NewBatch(t,
		stagetest.Column("origin", "EWR", nil, "JFK", "LGA"),
		stagetest.Column("miles", int64(math.MaxInt64), 2, nil, int64(math.MinInt64)),
		stagetest.Column("late", true, nil, false, true),
	)
}

func TestWhatWasBuiltIsRead(t *testing.T) {
	batch := flights(t)
	stagetest.Expect(t, batch, "origin", "EWR", nil, "JFK", "LGA")
	stagetest.Expect(t, batch, "miles", int64(math.MaxInt64), 2, nil, int64(math.MinInt64))
	stagetest.Expect(t, batch, "late", true, nil, false, true)
	miles := must(batch.Int64("miles"))(t)
	sum := 0
	for row := range miles.All() {
		sum += row
	}
	if sum != 0+1+3 || !miles.Null(2) || !miles.HasNulls() {
		t.Error(sum, miles)
	}
}

func TestTheHostsOwnOperations(t *testing.T) {
	batch := flights(t)
	late := must(batch.Bool("late"))(t).True()
	if late.Count() != 2 {
		t.Error(late)
	}
	stagetest.Expect(t, must(batch.Filter(late))(t), "origin", "EWR", "LGA")
	stagetest.Expect(t, must(batch.Take([]uint32{3, 0, 0}))(t), "origin", "LGA", "EWR", "EWR")
	stagetest.Expect(t, must(batch.Slice(1, 2))(t), "origin", nil, "JFK")
	again := must(batch.SelectAs(stage.Pick{Name: "origin", As: "from"}))(t)
	if got := must(batch.Zip(again))(t).Schema().String(); got != "origin utf8, miles int64, late boolean, from utf8" {
		t.Error(got)
	}
	if got := must(batch.Drop("miles"))(t).Schema().String(); got != "origin utf8, late boolean" {
		t.Error(got)
	}
	twice := must(stage.Concat(batch, batch))(t)
	stagetest.Expect(t, twice, "late", true, nil, false, true, true, nil, false, true)
	stream := must(batch.ToIPC("miles"))(t)
	stagetest.Expect(t, must(stage.FromIPC(stream))(t), "miles", int64(math.MaxInt64), 2, nil, int64(math.MinInt64))
	with := must(batch.With(stagetest.Column("miles", "a", "b", "c", nil)))(t)
	stagetest.Expect(t, with, "miles", "a", "b", "c", nil)
}

func TestEveryFormHasTheSameValues(t *testing.T) {
	batch := flights(t)
	for _, form := range []stage.Form{stage.Typed, stage.Raw} {
		for _, field := range batch.Schema() {
			copied := must(stage.NewBatch(must(batch.Column(field.Name, form))(t)))(t)
			stagetest.Expect(t, copied, field.Name, stagetest.Values(t, batch, field.Name)...)
		}
	}
	texts := must(stage.NewBatch(must(batch.Column("origin", stage.Strings))(t)))(t)
	stagetest.Expect(t, texts, "origin", "EWR", nil, "JFK", "LGA")
	if _, err := batch.Column("miles", stage.Strings); err == nil {
		t.Error("numbers came as strings")
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	batch := flights(t)
	n := stage.NotNull("n", stage.Int64)
	refused := func(part string, _ *stage.Batch, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v; expected %q", err, part)
		}
	}
	check := func(part string) func(*stage.Batch, error) {
		return func(batch *stage.Batch, err error) { t.Helper(); refused(part, batch, err) }
	}
	check("row 1 is null, but the field is not nullable")(stage.NewBatch(stagetest.ColumnOf(n, 1, nil)))
	check("8 bytes are not 2 rows")(stage.NewBatchOf(2, stage.NumberColumn(n, []int64{1})))
	check("values of int64 cannot be column \"n\" of utf8")(
		stage.NewBatch(stage.NumberColumn(stage.NotNull("n", stage.UTF8), []int64{1})))
	check("row 0 is not UTF-8")(stage.NewBatch(stagetest.Column("text", "\xff")))
	check("two columns are named \"n\"")(stage.NewBatch(stagetest.Column("n", 1), stagetest.Column("n", 1)))
	check("there is no row 4")(batch.Take([]uint32{4}))
	check("pass the end")(batch.Slice(3, 2))
	check("cannot have -1 rows")(batch.Slice(-1, 2))
	check("the mask is of 3 rows, the batch of 4")(batch.Filter(stage.NewMask(3)))
	check(`no column "orgin"; there are origin utf8, miles int64, late boolean`)(batch.Select("orgin"))
	if _, err := batch.Int64("origin"); err == nil || !strings.Contains(err.Error(), `column "origin" is utf8, not int64 or timestamp`) {
		t.Error(err)
	}
}

func TestABatchLivesUntilItsCallEndsUnlessItIsKept(t *testing.T) {
	source := flights(t)
	var let, kept *stage.Batch
	_, fault := calls.Run(func() (int, error) {
		let = must(source.Slice(0, 1))(t)
		kept = must(source.Slice(0, 1))(t).Keep()
		return 0, nil
	})
	if fault != nil {
		t.Fatal(fault)
	}
	stagetest.Expect(t, kept, "origin", "EWR")
	_, fault = calls.Run(func() (int, error) { return let.Rows(), nil })
	if fault == nil || !strings.Contains(fault.Message, "Keep it to have it longer") {
		t.Error(fault)
	}
	kept.Close()
	kept.Close()
	if _, err := kept.Give(); !errors.Is(err, stage.ErrReleased) {
		t.Error(err)
	}
}

func TestDecimalsAndTimes(t *testing.T) {
	for _, n := range []int64{0, 1, -1, math.MinInt64, math.MaxInt64} {
		decimal := stage.Int128{Low: uint64(n), High: n >> 63}
		if back, ok := stage.Int128Of(decimal.Big()); !ok || back != decimal || decimal.Big().Int64() != n {
			t.Error(n, decimal, back)
		}
	}
	if got := stage.Date(stage.Days(stage.Time(-1))).Format("2006-01-02"); got != "1969-12-31" {
		t.Error(got)
	}
}
