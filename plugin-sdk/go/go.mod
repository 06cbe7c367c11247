module sluicebox.dev/stage

go 1.25
