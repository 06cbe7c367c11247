package stage_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"sluicebox.dev/stage"
	"sluicebox.dev/stage/internal/calls"
	"sluicebox.dev/stage/stagetest"
)

func TestWhatErrorsBecome(t *testing.T) {
	_, missing := os.Open("no such file")
	cases := []struct {
		err     error
		kind    stage.FaultKind
		message string
	}{
		{stage.InvalidData("row %d is odd", 3), stage.KindInvalidData, "row 3 is odd"},
		{fmt.Errorf("reading: %w", stage.Unavailable("busy")), stage.KindUnavailable, "reading: busy"},
		{errors.New("oops"), stage.KindInternal, "oops"},
		{missing, stage.KindInvalidConfig, "no such file"},
		{os.ErrPermission, stage.KindDenied, "grants.read"},
		{fmt.Errorf("the end: %w", io.ErrUnexpectedEOF), stage.KindInvalidData, "unexpected EOF"},
	}
	for _, c := range cases {
		fault := stage.FaultOf(c.err)
		if fault.Kind != c.kind || !strings.Contains(fault.Message, c.message) {
			t.Errorf("%v became %v", c.err, fault)
		}
	}
	cause := errors.New("cause")
	if !errors.Is(stage.Internal("why: %w", cause), cause) {
		t.Error("the cause is lost")
	}
	if row := stage.FaultOf(fmt.Errorf("here: %w", stage.InvalidData("odd").AtRow(7))).Row; row == nil || *row != 7 {
		t.Error(row)
	}
}

func TestErrorsOfFilesAreOfTheKindThatFits(t *testing.T) {
	kinds := map[stage.FaultKind][]syscall.Errno{
		stage.KindInvalidConfig: {
			syscall.ENOENT, syscall.EISDIR, syscall.ENOTDIR, syscall.ENAMETOOLONG, syscall.EEXIST, syscall.ENOTEMPTY,
		},
		stage.KindDenied: {syscall.EACCES, syscall.EPERM, syscall.EROFS},
		stage.KindUnavailable: {
			syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EBUSY, syscall.EAGAIN, syscall.EINTR, syscall.ETIMEDOUT,
			syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.ENOTCONN, syscall.EHOSTUNREACH,
			syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EPIPE,
		},
		stage.KindInternal: {syscall.EXDEV, syscall.EINVAL},
	}
	for kind, numbers := range kinds {
		for _, number := range numbers {
			fault := stage.FaultOf(&os.PathError{Op: "open", Path: "x.csv", Err: number})
			if fault.Kind != kind || !strings.HasPrefix(fault.Message, "open x.csv: ") {
				t.Errorf("%v became %v", number, fault)
			}
		}
	}
}

func fails() (int, error) { panic("told to crash") }

func TestAPanicIsAFaultWithItsStack(t *testing.T) {
	_, fault := calls.Run(fails)
	if fault == nil || fault.Kind != uint8(stage.KindInternal) || !strings.HasPrefix(fault.Message, "panic: told to crash\n") {
		t.Fatal(fault)
	}
	if !strings.Contains(fault.Message, "stage_test.fails") || strings.Contains(fault.Message, "calls.Run") {
		t.Errorf("the stack is not that of the stage:\n%s", fault.Message)
	}
	_, fault = calls.Run(func() (int, error) { panic(stage.InvalidData("odd")) })
	if fault == nil || fault.Kind != uint8(stage.KindInvalidData) || fault.Message != "odd" {
		t.Error(fault)
	}
}

func TestWhatIsReported(t *testing.T) {
	stagetest.TakeReports()
	log := slog.New(stage.Handler{}).With("file", "a b").WithGroup("g")
	log.Debug("one", "n", 1)
	log.Info("two", slog.Group("h", "x", "y"))
	log.Warn("three \xff")
	log.Error("four")
	stage.Count("seen", 3)
	stage.Count("seen", 4)
	bad := stage.BadRecord{Origin: "here:1", Content: "x,y", Reason: "not right"}
	stage.Quarantine(bad)
	expected := stagetest.Reports{
		Logged: []string{
			`debug: one file="a b" g.n=1`, `info: two file="a b" g.h.x=y`, "warn: three \uFFFD file=\"a b\"", `error: four file="a b"`,
		},
		Counted:     map[string]uint64{"seen": 7},
		Quarantined: []stage.BadRecord{bad},
	}
	if got := stagetest.TakeReports(); !reflect.DeepEqual(got, expected) {
		t.Errorf("%+v\nexpected %+v", got, expected)
	}
}
