package stage

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"sluicebox.dev/stage/internal/host"
)

// Count adds to a counter of the stage, shown with its outcome.
func Count(name string, by uint64) { host.Current.Count(name, by) }

// BadRecord is a record that could not be made a row, e.g. a broken line of a file.
type BadRecord struct {
	// Origin is where it stood, e.g. "data/flights.csv:17".
	Origin string
	// Content is the record as it was found, as text.
	Content string
	// Reason is what is wrong with it.
	Reason string
}

// Quarantine sets records aside instead of losing them or failing. They count as rejected rows of the stage.
func Quarantine(records ...BadRecord) {
	out := make([]host.BadRecord, len(records))
	for i, record := range records {
		out[i] = host.BadRecord{Origin: clean(record.Origin), Content: clean(record.Content), Reason: clean(record.Reason)}
	}
	host.Current.Quarantine(out)
}

// clean makes text valid UTF-8, which is all that can cross.
func clean(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// Handler sends records of log/slog to the log of the run; it is slog's default in a stage, so that slog.Info and log.Print
// go there.
type Handler struct {
	prefix string
	attrs  string
}

// Enabled is true: the host decides what is shown.
func (Handler) Enabled(context.Context, slog.Level) bool { return true }

// Handle sends one record.
func (h Handler) Handle(_ context.Context, record slog.Record) error {
	var text strings.Builder
	text.WriteString(record.Message)
	text.WriteString(h.attrs)
	record.Attrs(func(attr slog.Attr) bool {
		text.WriteString(h.show(h.prefix, attr))
		return true
	})
	level := uint8(0)
	switch {
	case record.Level >= slog.LevelError:
		level = 3
	case record.Level >= slog.LevelWarn:
		level = 2
	case record.Level >= slog.LevelInfo:
		level = 1
	}
	host.Current.Log(level, clean(text.String()))
	return nil
}

// WithAttrs is the handler with attributes for every record.
func (h Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, attr := range attrs {
		h.attrs += h.show(h.prefix, attr)
	}
	return h
}

// WithGroup is the handler with a word before the names of attributes.
func (h Handler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.prefix += name + "."
	}
	return h
}

func (h Handler) show(prefix string, attr slog.Attr) string {
	value := attr.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if attr.Key != "" {
			prefix += attr.Key + "."
		}
		shown := make([]string, 0, len(value.Group()))
		for _, inner := range value.Group() {
			shown = append(shown, h.show(prefix, inner))
		}
		return strings.Join(shown, "")
	}
	if attr.Equal(slog.Attr{}) {
		return ""
	}
	text := value.String()
	if text == "" || strings.ContainsAny(text, " =\"\t\n") {
		text = fmt.Sprintf("%q", text)
	}
	return " " + prefix + attr.Key + "=" + text
}
