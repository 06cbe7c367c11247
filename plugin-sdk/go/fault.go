package stage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime/debug"
	"strings"
	"syscall"

	"sluicebox.dev/stage/internal/host"
)

// FaultKind is what kind of failure it was; it tells the host whether trying again can help.
type FaultKind uint8

const (
	// KindInvalidConfig: the options do not fit; the author of the pipeline has to change the file.
	KindInvalidConfig FaultKind = iota
	// KindInvalidData: the data cannot be worked on.
	KindInvalidData
	// KindDenied: something was needed that the stage was not granted.
	KindDenied
	// KindUnavailable: something outside does not answer now; the only kind that is worth trying again.
	KindUnavailable
	// KindInternal: a mistake in the stage itself.
	KindInternal
)

var faultKinds = [...]string{"invalid-config", "invalid-data", "denied", "unavailable", "internal"}

// String is the kind's name in the contract, e.g. "invalid-data".
func (k FaultKind) String() string {
	if int(k) < len(faultKinds) {
		return faultKinds[k]
	}
	return fmt.Sprintf("fault kind %d", uint8(k))
}

// ParseFaultKind is the kind of a name, e.g. "invalid-data".
func ParseFaultKind(name string) (FaultKind, error) {
	for i, kind := range faultKinds {
		if kind == name {
			return FaultKind(i), nil
		}
	}
	return 0, InvalidConfig("%q is no kind of fault; they are %s", name, strings.Join(faultKinds[:], ", "))
}

// Fault is an error that says what kind it is. Any other error that a stage answers with becomes a fault, too: see
// FaultOf.
type Fault struct {
	Kind FaultKind
	// Message is for people: what is wrong, where, and what to do instead.
	Message string
	// Row is the first row at fault, counted from 0 within the batch of the call, where it is known.
	Row *int
	// Err is the error behind it, if any.
	Err error
}

// Error is the kind and the message.
func (f *Fault) Error() string {
	if f.Row != nil {
		return fmt.Sprintf("%s: %s (row %d)", f.Kind, f.Message, *f.Row)
	}
	return fmt.Sprintf("%s: %s", f.Kind, f.Message)
}

// Unwrap is the error behind it.
func (f *Fault) Unwrap() error { return f.Err }

// AtRow is the fault with the row at which it was found.
func (f *Fault) AtRow(row int) *Fault {
	out := *f
	out.Row = &row
	return &out
}

func faultf(kind FaultKind, format string, values []any) *Fault {
	err := fmt.Errorf(format, values...)
	return &Fault{Kind: kind, Message: err.Error(), Err: errors.Unwrap(err)}
}

// InvalidConfig is a fault of the options; format is that of fmt.Errorf.
func InvalidConfig(format string, values ...any) *Fault {
	return faultf(KindInvalidConfig, format, values)
}

// InvalidData is a fault of the data.
func InvalidData(format string, values ...any) *Fault {
	return faultf(KindInvalidData, format, values)
}

// Denied is for something that was not granted.
func Denied(format string, values ...any) *Fault { return faultf(KindDenied, format, values) }

// Unavailable is for something outside that does not answer now; the call may be tried again.
func Unavailable(format string, values ...any) *Fault {
	return faultf(KindUnavailable, format, values)
}

// Internal is a mistake in the stage itself.
func Internal(format string, values ...any) *Fault { return faultf(KindInternal, format, values) }

// FaultOf is the fault that an error is: the fault in it, if there is one; else of the kind that an error of files or the
// network belongs to; else internal.
func FaultOf(err error) *Fault {
	var fault *Fault
	if errors.As(err, &fault) {
		if err == error(fault) {
			return fault
		}
		// What was wrapped around it tells more; the kind is said beside the message, not in it.
		message := strings.Replace(err.Error(), fault.Error(), fault.Message, 1)
		return &Fault{Kind: fault.Kind, Message: message, Row: fault.Row, Err: err}
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		if kind, hint, known := kindOf(number); known {
			return &Fault{Kind: kind, Message: err.Error() + hint, Err: err}
		}
	}
	if errors.Is(err, fs.ErrPermission) {
		return &Fault{Kind: KindDenied, Message: err.Error() + notGranted, Err: err}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &Fault{Kind: KindInvalidData, Message: err.Error(), Err: err}
	}
	return &Fault{Kind: KindInternal, Message: err.Error(), Err: err}
}

const notGranted = "; add the folder to grants.read of the stage to read there, to grants.write to write there"

// kindOf is as in all SDKs: docs/plugins.md has the table.
func kindOf(number syscall.Errno) (kind FaultKind, hint string, known bool) {
	switch number {
	// EBADF: no folder at all was granted that the path could be in.
	case syscall.EACCES, syscall.EPERM, syscall.EBADF, notCapable:
		return KindDenied, notGranted, true
	case syscall.EROFS:
		return KindDenied, "; add the folder to grants.write of the stage", true
	case syscall.ENOENT:
		return KindInvalidConfig, "; a stage sees only the folders of its grants.read and grants.write", true
	case syscall.ENOTDIR, syscall.EISDIR, syscall.ENAMETOOLONG, syscall.EEXIST, syscall.ENOTEMPTY:
		return KindInvalidConfig, "", true
	case syscall.EIO, syscall.EAGAIN, syscall.EINTR, syscall.EBUSY, syscall.ENOSPC, syscall.EDQUOT, syscall.ETIMEDOUT,
		syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EHOSTUNREACH, syscall.ENETUNREACH,
		syscall.ENETDOWN, syscall.EPIPE, syscall.ENOTCONN:
		return KindUnavailable, "", true
	default:
		return 0, "", false
	}
}

// The host keeps 16 KiB of a message.
const stackMax = 12 * 1024

// Recover makes a panic a fault with its stack; for the SDK's own packages: `defer stage.Recover(&err)`.
func Recover(err *error) {
	reason := recover()
	if reason == nil {
		return
	}
	var fault *Fault
	if cause, ok := reason.(error); ok && errors.As(cause, &fault) {
		*err = fault
		return
	}
	*err = &Fault{Kind: KindInternal, Message: fmt.Sprintf("panic: %.1024v\n%s", reason, userStack(string(debug.Stack())))}
}

// userStack is the stack from the panic up to where the SDK called the stage.
func userStack(stack string) string {
	if _, after, found := strings.Cut(stack, "\npanic("); found {
		if _, below, found := strings.Cut(after, "\n\t"); found {
			if _, frames, found := strings.Cut(below, "\n"); found {
				stack = frames
			}
		}
	}
	if i := strings.Index(stack, "\nsluicebox.dev/stage/"); i > 0 {
		stack = stack[:i]
	}
	if len(stack) > stackMax {
		stack = stack[:stackMax] + "\n..."
	}
	return stack
}

// Refused is for the SDK's own packages: the error that the host answered with.
func Refused(fault *host.Fault) error {
	if fault == nil {
		return nil
	}
	out := &Fault{Kind: FaultKind(fault.Kind), Message: fault.Message}
	if fault.Row != nil {
		row := int(*fault.Row)
		out.Row = &row
	}
	return out
}

// CrossFault is for the SDK's own packages.
func CrossFault(err error) *host.Fault {
	fault := FaultOf(err)
	out := &host.Fault{Kind: uint8(fault.Kind), Message: strings.ToValidUTF8(fault.Message, "\uFFFD")}
	if fault.Row != nil && *fault.Row >= 0 {
		row := uint32(*fault.Row)
		out.Row = &row
	}
	return out
}
