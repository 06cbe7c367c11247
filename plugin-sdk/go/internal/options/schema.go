// Package options makes a JSON Schema of a struct, and reads JSON into it.
package options

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"
)

// option is one field of a struct of options, with what its tags say.
type option struct {
	name     string
	index    int
	doc      string
	def      json.RawMessage
	required bool
	enum     []string
	min, max *float64
	pattern  string
}

// options lists the fields of a struct. A mistake in a tag is a mistake in the stage: it panics.
func optionsOf(t reflect.Type) []option {
	var out []option
	for i := range t.NumField() {
		field := t.Field(i)
		if !field.IsExported() {
			continue
		}
		tag := strings.Split(field.Tag.Get("json"), ",")
		if tag[0] == "-" {
			continue
		}
		o := option{name: tag[0], index: i, doc: field.Tag.Get("doc"), pattern: field.Tag.Get("pattern")}
		if o.name == "" {
			o.name = kebab(field.Name)
		}
		if text, found := field.Tag.Lookup("default"); found {
			o.def = defaultOf(field, text)
		}
		mayBeLeftOut := field.Type.Kind() == reflect.Pointer || strings.Contains(field.Tag.Get("json"), ",omitempty")
		o.required = o.def == nil && !mayBeLeftOut
		if text := field.Tag.Get("enum"); text != "" {
			o.enum = strings.Split(text, ",")
		}
		o.min, o.max = bound(field, "min"), bound(field, "max")
		out = append(out, o)
	}
	return out
}

func defaultOf(field reflect.StructField, text string) json.RawMessage {
	def := json.RawMessage(text)
	if t := base(field.Type); t.Kind() == reflect.String {
		def, _ = json.Marshal(text)
	}
	if err := json.Unmarshal(def, reflect.New(field.Type).Interface()); err != nil {
		panic(fmt.Sprintf("option %s: its default %q does not fit its type %s: %v", field.Name, text, field.Type, err))
	}
	return def
}

func bound(field reflect.StructField, name string) *float64 {
	text, found := field.Tag.Lookup(name)
	if !found {
		return nil
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(fmt.Sprintf("option %s: %s is %q, which is no number", field.Name, name, text))
	}
	return &number
}

func base(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// kebab is the name in pipeline files of a field: AtMost is at-most, LoadID is load-id.
func kebab(name string) string {
	var out strings.Builder
	letters := []rune(name)
	for i, letter := range letters {
		if unicode.IsUpper(letter) && i > 0 &&
			(unicode.IsLower(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1])) {
			out.WriteByte('-')
		}
		out.WriteRune(unicode.ToLower(letter))
	}
	return out.String()
}

// object keeps the order of its keys.
type object []member

type member struct {
	key   string
	value any
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, key...), ':'), value...)
	}
	return append(out, '}'), nil
}

// Schema is the JSON Schema (draft 2020-12) of a struct of options. Keys that it does not name are refused.
func Schema(t reflect.Type) string {
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("options are a struct, not %s", t))
	}
	schema := append(object{{"$schema", "https://json-schema.org/draft/2020-12/schema"}}, structSchema(t)...)
	text, err := json.Marshal(schema)
	if err != nil {
		panic(fmt.Sprintf("the schema of %s: %v", t, err))
	}
	return string(text)
}

func structSchema(t reflect.Type) object {
	properties, required := object{}, []string{}
	for _, o := range optionsOf(t) {
		field := t.Field(o.index)
		schema := typeSchema(base(field.Type), field.Name)
		if o.doc != "" {
			schema = append(schema, member{"description", o.doc})
		}
		if o.enum != nil {
			schema = append(schema, member{"enum", o.enum})
		}
		if o.pattern != "" {
			schema = append(schema, member{"pattern", o.pattern})
		}
		low, high := boundWords(base(field.Type).Kind())
		schema = bounded(schema, low, o.min)
		schema = bounded(schema, high, o.max)
		if o.def != nil {
			schema = append(schema, member{"default", o.def})
		}
		properties = append(properties, member{o.name, schema})
		if o.required {
			required = append(required, o.name)
		}
	}
	out := object{{"type", "object"}, {"properties", properties}}
	if len(required) > 0 {
		out = append(out, member{"required", required})
	}
	return append(out, member{"additionalProperties", false})
}

// bounded puts a bound in, or in place of one that the type has.
func bounded(schema object, word string, value *float64) object {
	if value == nil {
		return schema
	}
	for i := range schema {
		if schema[i].key == word {
			schema[i].value = *value
			return schema
		}
	}
	return append(schema, member{word, *value})
}

func boundWords(kind reflect.Kind) (low, high string) {
	switch kind {
	case reflect.String:
		return "minLength", "maxLength"
	case reflect.Slice:
		return "minItems", "maxItems"
	case reflect.Map:
		return "minProperties", "maxProperties"
	default:
		return "minimum", "maximum"
	}
}

func typeSchema(t reflect.Type, where string) object {
	switch kind := t.Kind(); {
	case kind == reflect.String:
		return object{{"type", "string"}}
	case kind == reflect.Bool:
		return object{{"type", "boolean"}}
	case kind >= reflect.Int && kind <= reflect.Int64:
		return object{{"type", "integer"}}
	case kind >= reflect.Uint && kind <= reflect.Uint64:
		return object{{"type", "integer"}, {"minimum", 0}}
	case kind == reflect.Float32 || kind == reflect.Float64:
		return object{{"type", "number"}}
	case kind == reflect.Slice:
		return object{{"type", "array"}, {"items", typeSchema(t.Elem(), where)}}
	case kind == reflect.Map && t.Key().Kind() == reflect.String:
		return object{{"type", "object"}, {"additionalProperties", typeSchema(t.Elem(), where)}}
	case kind == reflect.Struct:
		return structSchema(t)
	case t == reflect.TypeFor[any]():
		return object{}
	default:
		panic(fmt.Sprintf("option %s: an option cannot be %s; it is a string, bool, number, slice, map or struct of them", where, t))
	}
}
