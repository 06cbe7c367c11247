package options

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// Read reads JSON into the struct that `into` points to. The host holds options to the schema before a stage sees them;
// here they are held to the same again, so that tests without a host find what does not fit.
func Read(text string, into any) error {
	return read(json.RawMessage(text), reflect.ValueOf(into).Elem(), "")
}

func read(text json.RawMessage, into reflect.Value, where string) error {
	if err := null(text, into, where); err != nil {
		return err
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		return read(text, into.Elem(), where)
	case reflect.Struct:
		return readStruct(text, into, where)
	case reflect.Slice:
		var items []json.RawMessage
		if err := plain(text, &items, into.Type(), where); err != nil {
			return err
		}
		into.Set(reflect.MakeSlice(into.Type(), len(items), len(items)))
		for i, item := range items {
			if err := read(item, into.Index(i), fmt.Sprintf("%s[%d]", where, i)); err != nil {
				return err
			}
		}
		return nil
	case reflect.Map:
		var items map[string]json.RawMessage
		if err := plain(text, &items, into.Type(), where); err != nil {
			return err
		}
		into.Set(reflect.MakeMapWithSize(into.Type(), len(items)))
		for key, item := range items {
			value := reflect.New(into.Type().Elem()).Elem()
			if err := read(item, value, join(where, key)); err != nil {
				return err
			}
			into.SetMapIndex(reflect.ValueOf(key).Convert(into.Type().Key()), value)
		}
		return nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		// JSON Schema has 1.0 for a whole number as well.
		var number float64
		if json.Unmarshal(text, &number) == nil && bytes.ContainsAny(text, ".eE") && number == math.Trunc(number) &&
			math.Abs(number) < 1<<53 {
			text = fmt.Appendf(nil, "%.0f", number)
		}
		return plain(text, into.Addr().Interface(), into.Type(), where)
	default:
		return plain(text, into.Addr().Interface(), into.Type(), where)
	}
}

func null(text json.RawMessage, into reflect.Value, where string) error {
	if bytes.Equal(bytes.TrimSpace(text), []byte("null")) && into.Kind() != reflect.Interface {
		return fmt.Errorf("%s is null; leave it out, or give %s", named(where), word(into.Type()))
	}
	return nil
}

func plain(text json.RawMessage, into any, t reflect.Type, where string) error {
	err := json.Unmarshal(text, into)
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return fmt.Errorf("%s: no JSON: %w", named(where), err)
	case where == "":
		return fmt.Errorf("the options are %.100s; they have to be %s", text, word(t))
	default:
		return fmt.Errorf("%s is %.100s; it has to be %s", named(where), text, word(t))
	}
}

func readStruct(text json.RawMessage, into reflect.Value, where string) error {
	var given map[string]json.RawMessage
	if err := plain(text, &given, into.Type(), where); err != nil {
		return err
	}
	list := optionsOf(into.Type())
	for _, o := range list {
		value, found := given[o.name]
		delete(given, o.name)
		if !found {
			if o.required {
				return fmt.Errorf("option %q is needed", join(where, o.name))
			}
			if value = o.def; value == nil {
				continue
			}
		}
		field := into.Field(o.index)
		if err := read(value, field, join(where, o.name)); err != nil {
			return err
		}
		if err := o.holds(field, join(where, o.name)); err != nil {
			return err
		}
	}
	if len(given) == 0 {
		return nil
	}
	names := make([]string, len(list))
	for i, o := range list {
		names[i] = o.name
	}
	unknown := make([]string, 0, len(given))
	for name := range given {
		unknown = append(unknown, join(where, name))
	}
	slices.Sort(unknown)
	return fmt.Errorf("no option %q; there are %s", unknown[0], strings.Join(names, ", "))
}

// holds is whether the value keeps to enum, bounds and pattern.
func (o option) holds(value reflect.Value, where string) error {
	if value.Kind() == reflect.Pointer {
		value = value.Elem()
	}
	var size float64
	what := ""
	switch kind := value.Kind(); {
	case kind == reflect.String:
		text := value.String()
		if o.enum != nil && !slices.Contains(o.enum, text) {
			return fmt.Errorf("%s is %q; it is one of %s", named(where), text, strings.Join(o.enum, ", "))
		}
		if o.pattern != "" {
			if err := fits(o.pattern, text); err != nil {
				return fmt.Errorf("%s %w", named(where), err)
			}
		}
		size, what = float64(utf8.RuneCountInString(text)), " characters"
	case kind == reflect.Slice || kind == reflect.Map:
		size, what = float64(value.Len()), " items"
	case value.CanInt():
		size = float64(value.Int())
	case value.CanUint():
		size = float64(value.Uint())
	case value.CanFloat():
		size = value.Float()
	default:
		return nil
	}
	if o.min != nil && size < *o.min {
		return fmt.Errorf("%s is of %v%s; at least %v is needed", named(where), size, what, *o.min)
	}
	if o.max != nil && size > *o.max {
		return fmt.Errorf("%s is of %v%s; at most %v is allowed", named(where), size, what, *o.max)
	}
	return nil
}

func join(where, name string) string {
	if where == "" {
		return name
	}
	return where + "." + name
}

func named(where string) string {
	if where == "" {
		return "the options"
	}
	return fmt.Sprintf("option %q", where)
}

func word(t reflect.Type) string {
	switch kind := base(t).Kind(); {
	case kind == reflect.String:
		return "a text"
	case kind == reflect.Bool:
		return "true or false"
	case kind >= reflect.Int && kind <= reflect.Int64:
		return "a whole number"
	case kind >= reflect.Uint && kind <= reflect.Uint64:
		return "a whole number from 0 on"
	case kind == reflect.Float32 || kind == reflect.Float64:
		return "a number"
	case kind == reflect.Slice:
		return "a list"
	default:
		return "a table"
	}
}
