package options

import (
	"encoding/json"
	"reflect"
	"testing"
)

type inner struct {
	Name string `pattern:"^[a-z]+$"`
	At   *int
}

type sample struct {
	Columns  []string `doc:"Which." min:"1" max:"3"`
	LoadID   string   `default:"x"`
	Share    float64  `default:"0.5" min:"0" max:"1"`
	Severity string   `json:"how" enum:"warn,fail" default:"warn"`
	Small    int8     `json:",omitempty"`
	Rest     map[string]uint
	Inner    []inner `default:"[]"`
	hidden   int
}

func TestTheSchema(t *testing.T) {
	var got, want any
	text := Schema(reflect.TypeFor[sample]())
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	expected := `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false,
		"required":["columns","rest"],"properties":{
		"columns":{"type":"array","items":{"type":"string"},"description":"Which.","minItems":1,"maxItems":3},
		"load-id":{"type":"string","default":"x"},
		"share":{"type":"number","default":0.5,"minimum":0,"maximum":1},
		"how":{"type":"string","enum":["warn","fail"],"default":"warn"},
		"small":{"type":"integer"},
		"rest":{"type":"object","additionalProperties":{"type":"integer","minimum":0}},
		"inner":{"type":"array","default":[],"items":{"type":"object","additionalProperties":false,"required":["name"],
			"properties":{"name":{"type":"string","pattern":"^[a-z]+$"},"at":{"type":"integer"}}}}}}`
	if err := json.Unmarshal([]byte(expected), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Error(text)
	}
}

func TestOptionsAreRead(t *testing.T) {
	var got sample
	text := `{"columns":["a"],"rest":{"x":18446744073709551615},"small":1.0,"inner":[{"name":"ab","at":-1}]}`
	if err := Read(text, &got); err != nil {
		t.Fatal(err)
	}
	at := -1
	want := sample{
		Columns: []string{"a"}, LoadID: "x", Share: 0.5, Severity: "warn", Small: 1,
		Rest: map[string]uint{"x": 1<<64 - 1}, Inner: []inner{{"ab", &at}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestWhatDoesNotFitIsTold(t *testing.T) {
	for text, message := range map[string]string{
		`{`:                                 `the options: no JSON: unexpected end of JSON input`,
		`[]`:                                `the options are []; they have to be a table`,
		`{"rest":{}}`:                       `option "columns" is needed`,
		`{"columns":null}`:                  `option "columns" is null; leave it out, or give a list`,
		`{"columns":[1]}`:                   `option "columns[0]" is 1; it has to be a text`,
		`{"columns":["a"],"rest":{"x":-1}}`: `option "rest.x" is -1; it has to be a whole number from 0 on`,
		`{"columns":["a"],"rest":{},"share":1.5}`:                   `option "share" is of 1.5; at most 1 is allowed`,
		`{"columns":["a"],"rest":{},"small":200}`:                   `option "small" is 200; it has to be a whole number`,
		`{"columns":["a"],"rest":{},"how":"stop"}`:                  `option "how" is "stop"; it is one of warn, fail`,
		`{"columns":["a"],"rest":{},"inner":[{"name":"A"}]}`:        `option "inner[0].name" is "A", which does not fit the pattern ^[a-z]+$`,
		`{"columns":["a"],"rest":{},"colums":[]}`:                   `no option "colums"; there are columns, load-id, share, how, small, rest, inner`,
		`{"columns":["a"],"rest":{},"inner":[{"name":"a","no":1}]}`: `no option "inner[0].no"; there are name, at`,
	} {
		if err := Read(text, new(sample)); err == nil || err.Error() != message {
			t.Errorf("%s: %v\nexpected %s", text, err, message)
		}
	}
}
