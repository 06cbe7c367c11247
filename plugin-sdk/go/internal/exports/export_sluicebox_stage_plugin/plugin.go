//go:build wasip1

// Package export_sluicebox_stage_plugin answers the host's calls; its name is what wit-bindgen asks for.
package export_sluicebox_stage_plugin

import (
	"sluicebox.dev/stage/internal/calls"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_plugin"
)

// Describe answers what the plugin is. A program that registers nothing has no name, which the host refuses.
func Describe() sluicebox_stage_plugin.Description {
	plugin := calls.Registered
	if plugin == nil {
		return sluicebox_stage_plugin.Description{Summary: "nothing is registered in init"}
	}
	capabilities := make([]uint8, len(plugin.Capabilities))
	for i, capability := range plugin.Capabilities {
		capabilities[i] = uint8(capability)
	}
	return sluicebox_stage_plugin.Description{
		Name: plugin.Name, Version: plugin.Version, Kind: uint8(plugin.Kind), Summary: plugin.Summary,
		ConfigSchema: plugin.ConfigSchema(), Capabilities: capabilities, Stateless: plugin.Stateless,
	}
}
