// Package calls carries the host's calls to the stage: the packages of the kinds set what is called here, the exports of the
// component (and stagetest) call it.
package calls

import (
	"reflect"

	"sluicebox.dev/stage"
	"sluicebox.dev/stage/internal/host"
	"sluicebox.dev/stage/internal/options"
)

// Kind is a kind of stage, numbered as in the contract.
type Kind uint8

// The kinds.
const (
	Extract Kind = iota
	Transform
	Validate
	Load
)

// Registered is the plugin of this program.
var Registered *Description

// Description is what `describe` answers.
type Description struct {
	stage.Plugin
	Kind         Kind
	ConfigSchema func() string
}

// Register sets the plugin, once.
func Register[O any](kind Kind, plugin stage.Plugin) {
	if Registered != nil {
		panic("a program is one plugin: " + Registered.Name + " and " + plugin.Name + " are registered")
	}
	if plugin.Version == "" {
		plugin.Version = "0.1.0"
	}
	Registered = &Description{plugin, kind, func() string { return options.Schema(reflect.TypeFor[O]()) }}
}

// Options reads the options of a call.
func Options[O any](config string) (O, error) {
	var out O
	if err := options.Read(config, &out); err != nil {
		return out, stage.InvalidConfig("%v", err)
	}
	return out, nil
}

// Run makes one call: a panic becomes a fault, and what was got in the call is released in the end.
func Run[T any](call func() (T, error)) (answer T, fault *host.Fault) {
	answer, err := guarded(call)
	stage.EndCall()
	if err != nil {
		var none T
		return none, stage.CrossFault(err)
	}
	return answer, nil
}

func guarded[T any](call func() (T, error)) (answer T, err error) {
	defer stage.Recover(&err)
	return call()
}

// Opened is an error where a call comes before open.
func Opened(there bool) error {
	if there {
		return nil
	}
	return stage.Internal("the stage was not opened")
}
