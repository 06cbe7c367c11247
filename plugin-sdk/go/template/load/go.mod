module {{name}}

go 1.25

require sluicebox.dev/stage v0.0.0

replace sluicebox.dev/stage => ./.tools/sdk/go
