//go:build wasip1

// Package export_sluicebox_stage_extractor answers the host's calls; its name is what wit-bindgen asks for.
package export_sluicebox_stage_extractor

import (
	"sluicebox.dev/stage"
	"sluicebox.dev/stage/internal/answer"
	"sluicebox.dev/stage/internal/calls"
	"sluicebox.dev/stage/internal/guest"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_extractor"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_types"
	"sluicebox.dev/stage/internal/wit/types"
)

type fault = sluicebox_stage_types.Fault

// Open answers `open`.
func Open(
	context sluicebox_stage_types.RunContext, config string, bookmark wit_types.Option[string],
) wit_types.Result[[]sluicebox_stage_types.Field, fault] {
	return answer.Call(func() (stage.Schema, error) {
		return calls.TheExtractor.Open(answer.Context(context), config, guest.Pointer(bookmark))
	}, answer.Schema)
}

// Next answers `next`.
func Next() wit_types.Result[wit_types.Option[sluicebox_stage_extractor.Page], fault] {
	return answer.Call(calls.TheExtractor.Next, func(page *calls.Page) wit_types.Option[sluicebox_stage_extractor.Page] {
		if page == nil {
			return wit_types.None[sluicebox_stage_extractor.Page]()
		}
		return wit_types.Some(sluicebox_stage_extractor.Page{
			Batch: guest.Cross(page.Batch), Bookmark: guest.Option(page.Bookmark), Progress: guest.Option(page.Progress),
		})
	})
}
