// Package stage is for writing stages of sluicebox pipelines in Go. A stage is a program that registers itself with one of
// the packages extract, transform, validate and load; this package has what they share: batches and their columns, faults,
// options, and what a stage tells its run.
//
// # Options
//
// Options are a struct. Each exported field is one: its name in pipeline files is that of its json tag, or its own in
// lower-case words joined by hyphens (AtMost is at-most). Further tags:
//
//	doc:"..."       what it is for
//	default:"..."   its value where it is left out, as JSON (a text without quotes)
//	enum:"a,b"      the texts it may be
//	min:"1" max:"9" bounds of a number, of the length of a text, of the items of a list
//	pattern:"..."   the regular expression that a text fits
//
// A field without a default has to be given, unless it is a pointer or its json tag says omitempty.
//
// # Errors
//
// An error that a stage answers with becomes a fault: InvalidData("...") and the like say of what kind; errors of files are
// told by their number; any other is internal. A panic becomes a fault with its stack.
//
// # Goroutines and garbage
//
// No goroutine may run on after a call has answered. Garbage is collected within calls of this package; a loop that makes a
// lot of it and never calls this package calls runtime.GC itself at times. Do not switch the collector on again
// (debug.SetGCPercent, debug.SetMemoryLimit): it would run where it ends the instance.
package stage
