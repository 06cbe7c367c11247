// Writes rows as lines of text with tabs between the values.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sluicebox.dev/stage"
	"sluicebox.dev/stage/load"
)

// Options are where to.
type Options struct {
	Path string `doc:"The file to write; its folder has to be granted: grants.write." min:"1"`
}

type writer struct {
	names     []string
	temporary string
	path      string
	file      *os.File
	lines     *bufio.Writer
}

// receipt is what commit has to know.
type receipt struct{ Temporary, Path string }

func init() {
	load.Register(stage.Plugin{
		Name:         "{{name}}",
		Summary:      "Writes rows as lines with tabs",
		Capabilities: []stage.Capability{stage.WriteFiles},
	}, load.Loader[Options]{Open: open, Commit: commit, Abort: abort})
}

func main() {}

// open is called once, also to check a pipeline: find here what does not fit, and change nothing outside.
func open(_ stage.Context, options Options, input stage.Schema, loadID string, _ int) (load.Stage, error) {
	w := &writer{temporary: temporary(options.Path, loadID), path: options.Path}
	for _, field := range input {
		switch field.Type {
		case stage.Binary, stage.Date32, stage.Timestamp, stage.Decimal128, stage.Other:
			return nil, stage.InvalidConfig("column %q is %s; drop it, or cast it before", field.Name, field.Type)
		}
		w.names = append(w.names, field.Name)
	}
	return w, nil
}

// Write is called for each batch: it writes where nobody looks yet.
func (w *writer) Write(batch *stage.Batch) error {
	if err := w.begin(); err != nil {
		return err
	}
	columns := make([][]any, len(w.names))
	for i, name := range w.names {
		values, err := batch.Any(name)
		if err != nil {
			return err
		}
		columns[i] = values
	}
	line := make([]string, len(columns))
	for row := range batch.Rows() {
		for i, values := range columns {
			line[i] = textOf(values[row])
		}
		if err := w.write(line); err != nil {
			return err
		}
	}
	return nil
}

// Prepare makes what was written durable, but not seen yet. The receipt says what commit has to know.
func (w *writer) Prepare() (string, error) {
	if err := w.begin(); err != nil {
		return "", err
	}
	if err := errors.Join(w.lines.Flush(), w.file.Sync(), w.Close()); err != nil {
		return "", err
	}
	text, err := json.Marshal(receipt{w.temporary, w.path})
	return string(text), err
}

// Close is called before abort.
func (w *writer) Close() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return err
}

// commit shows it, once all loads of the run have prepared. It may come again, and on a fresh instance.
func commit(_ Options, _ string, receipts []string) error {
	for _, text := range receipts {
		var prepared receipt
		if err := json.Unmarshal([]byte(text), &prepared); err != nil {
			return err
		}
		err := os.Rename(prepared.Temporary, prepared.Path)
		if errors.Is(err, fs.ErrNotExist) {
			_, err = os.Stat(prepared.Path) // committed before
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// abort takes back what was written; never what was committed. It may come again, and on a fresh instance.
func abort(options Options, loadID string, _ []string) error {
	err := os.Remove(temporary(options.Path, loadID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// begin makes the temporary file, with the names of the columns in its first line.
func (w *writer) begin() error {
	if w.file != nil {
		return nil
	}
	file, err := os.Create(w.temporary)
	if err != nil {
		return err
	}
	w.file, w.lines = file, bufio.NewWriter(file)
	return w.write(w.names)
}

func (w *writer) write(line []string) error {
	_, err := w.lines.WriteString(strings.Join(line, "\t") + "\n")
	return err
}

// temporary is beside the target, so that it can take its place in one step; by load, so that a later try replaces it.
func temporary(path, loadID string) string {
	folder, name := filepath.Split(path)
	return filepath.Join(folder, fmt.Sprintf(".%s.%s", name, strings.ReplaceAll(loadID, "/", "_")))
}

var escapes = strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`)

// textOf is a value without tabs and line ends; a null is nothing.
func textOf(value any) string {
	if value == nil {
		return ""
	}
	return escapes.Replace(fmt.Sprint(value))
}
