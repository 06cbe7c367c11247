// Reads lines such as `Oslo 4.5` into rows.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"sluicebox.dev/stage"
	"sluicebox.dev/stage/extract"
)

// Options are what is read.
type Options struct {
	Path     string `doc:"The file to read; its folder has to be granted: grants.read." min:"1"`
	PageRows int    `doc:"How many rows a batch has." default:"8192" min:"1" max:"65536"`
}

var (
	city    = stage.NotNull("city", stage.UTF8)
	celsius = stage.NotNull("celsius", stage.Float64)
)

type reader struct {
	Options
	file  *os.File
	lines *bufio.Reader
	// Lines that were read, in this run or before.
	line, skip int
	done       bool
}

func init() {
	extract.Register(stage.Plugin{
		Name:         "{{name}}",
		Summary:      "Reads cities and their temperatures",
		Capabilities: []stage.Capability{stage.ReadFiles},
	}, open)
}

func main() {}

// open is called once, also to check a pipeline: find here what does not fit, and answer with the columns.
func open(_ stage.Context, options Options, bookmark *string) (extract.Stage, stage.Schema, error) {
	skip := 0 // lines that earlier runs have read
	if bookmark != nil {
		var err error
		if skip, err = strconv.Atoi(*bookmark); err != nil {
			return nil, nil, stage.InvalidConfig("the bookmark %q is no number of lines", *bookmark)
		}
	}
	file, err := os.Open(options.Path)
	if err != nil {
		return nil, nil, err
	}
	return &reader{Options: options, file: file, lines: bufio.NewReader(file), skip: skip}, stage.Schema{city, celsius}, nil
}

// Next makes the next page; the host asks for it when it has room.
func (r *reader) Next() (*extract.Page, error) {
	if r.done {
		return nil, r.file.Close()
	}
	cities := stage.NewTextBuilder(city, r.PageRows, 16*r.PageRows)
	degrees := make([]float64, 0, r.PageRows)
	for len(degrees) < r.PageRows {
		text, err := r.lines.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if text == "" {
			r.done = true
			break
		}
		if r.line++; r.line <= r.skip {
			continue
		}
		name, number, err := parse(text)
		if err != nil {
			stage.Quarantine(stage.BadRecord{
				Origin:  fmt.Sprintf("%s:%d", r.Path, r.line),
				Content: strings.TrimRight(text, "\n"),
				Reason:  err.Error(),
			})
			continue
		}
		cities.Append(name)
		degrees = append(degrees, number)
	}
	batch, err := stage.NewBatch(cities.Column(), stage.NumberColumn(celsius, degrees))
	return extract.NewPage(batch).Bookmark(strconv.Itoa(max(r.line, r.skip))), err
}

func parse(line string) (name string, number float64, err error) {
	line = strings.TrimSpace(line)
	space := strings.LastIndexByte(line, ' ')
	if space < 0 {
		return "", 0, errors.New("there is no number behind a space")
	}
	if number, err = strconv.ParseFloat(line[space+1:], 64); err != nil {
		return "", 0, fmt.Errorf("%q is no number", line[space+1:])
	}
	return strings.TrimSpace(line[:space]), number, nil
}
