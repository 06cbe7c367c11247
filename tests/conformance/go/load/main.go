// The load of the conformance suite: lines of JSON, and a fault where it is told to.
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
	Path string `doc:"The file to write, e.g. out/flights.jsonl; its folder has to be granted." min:"1"`
	Fail string `doc:"The call that fails." enum:",open,write,prepare,commit,abort" default:""`
	Kind string `doc:"The kind of that fault." default:"unavailable"`
}

func (o Options) failIn(call string) error {
	if o.Fail == call {
		kind, err := stage.ParseFaultKind(o.Kind)
		if err != nil {
			return err
		}
		return &stage.Fault{Kind: kind, Message: "told to fail in " + call}
	}
	return nil
}

type conform struct {
	Options
	temporary, target string
	columns           []column
	file              *os.File
	lines             *bufio.Writer
}

// receipt is what commit needs to know.
type receipt struct {
	Temporary string `json:"temporary"`
	Target    string `json:"target"`
}

func init() {
	load.Register(stage.Plugin{
		Name:         "conform-load-go",
		Summary:      "What a load can do, for the conformance suite",
		Capabilities: []stage.Capability{stage.WriteFiles},
	}, load.Loader[Options]{Open: open, Commit: commit, Abort: abort})
}

func main() {}

func open(_ stage.Context, options Options, input stage.Schema, loadID string, part int) (load.Stage, error) {
	if err := options.failIn("open"); err != nil {
		return nil, err
	}
	columns, err := columnsOf(input)
	if err != nil {
		return nil, err
	}
	temporary := fmt.Sprintf("%s%d", prefix(options.Path, loadID), part)
	return &conform{Options: options, temporary: temporary, target: options.Path, columns: columns}, nil
}

func (s *conform) Write(batch *stage.Batch) error {
	if err := s.failIn("write"); err != nil {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	encoders := make([]encoder, len(s.columns))
	for i, column := range s.columns {
		encoder, err := column.read(batch)
		if err != nil {
			return err
		}
		encoders[i] = encoder
	}
	line := make([]byte, 0, 256)
	for row := range batch.Rows() {
		line = append(line[:0], '{')
		for i, encode := range encoders {
			if i > 0 {
				line = append(line, ',')
			}
			line = append(line, s.columns[i].key...)
			line = encode(line, row)
		}
		if _, err := s.lines.Write(append(line, '}', '\n')); err != nil {
			return err
		}
	}
	return nil
}

// begin makes the temporary file; what an earlier try left there is replaced.
func (s *conform) begin() (err error) {
	if s.file == nil {
		s.file, err = os.Create(s.temporary)
		s.lines = bufio.NewWriterSize(s.file, 1<<16)
	}
	return err
}

func (s *conform) Prepare() (string, error) {
	if err := s.failIn("prepare"); err != nil {
		return "", err
	}
	// Without a batch there is a file as well, an empty one.
	if err := s.begin(); err != nil {
		return "", err
	}
	if err := errors.Join(s.lines.Flush(), s.file.Sync()); err != nil {
		return "", err
	}
	if err := s.Close(); err != nil {
		return "", err
	}
	text, err := json.Marshal(receipt{s.temporary, s.target})
	return string(text), err
}

// Close lets go of the file.
func (s *conform) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}

func commit(options Options, _ string, receipts []string) error {
	if err := options.failIn("commit"); err != nil {
		return err
	}
	for _, text := range receipts {
		var prepared receipt
		if err := json.Unmarshal([]byte(text), &prepared); err != nil {
			return stage.Internal("the receipt %q is none of this stage: %w", text, err)
		}
		err := os.Rename(prepared.Temporary, prepared.Target)
		if errors.Is(err, fs.ErrNotExist) {
			// Committed before.
			_, err = os.Stat(prepared.Target)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func abort(options Options, loadID string, _ []string) error {
	if err := options.failIn("abort"); err != nil {
		return err
	}
	folder, start := filepath.Split(prefix(options.Path, loadID))
	if folder == "" {
		folder = "."
	}
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), start) {
			if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// prefix is how the temporary files of a load begin: beside the target, so that they can take its place in one step.
func prefix(path, loadID string) string {
	folder, name := filepath.Split(path)
	safe := strings.Map(func(letter rune) rune {
		if strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", letter) {
			return letter
		}
		return '_'
	}, loadID)
	return filepath.Join(folder, fmt.Sprintf(".%s.%s.part-", name, safe))
}
