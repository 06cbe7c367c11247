;; A transform, written by hand so that it can tell lies that a compiler would not let it tell. MEMORY, FIELDS, DESCRIBE,
;; PROCESS and REALLOC stand for what makes one guest differ from the next.
;;
;; 64.. texts of the description; 1024 what calls answer with; 1536 the handle of the batch; 2048 what the host answers
;; with; from 4096 on there is room.
(module
  (import "sluicebox:stage/report@0.1.0" "log" (func $log (param i32 i32 i32)))
  (import "sluicebox:stage/batches@0.1.0" "[method]batch.rows" (func $rows (param i32) (result i32)))
  (import "sluicebox:stage/batches@0.1.0" "[method]batch.select" (func $select (param i32 i32 i32 i32)))
  (import "sluicebox:stage/batches@0.1.0" "[static]batch.from-columns"
    (func $from_columns (param i32 i32 i32 i32 i32 i32)))
  (import "sluicebox:stage/batches@0.1.0" "[static]batch.from-ipc" (func $from_ipc (param i32 i32 i32)))
  (import "sluicebox:stage/batches@0.1.0" "concat" (func $concat (param i32 i32 i32)))
  (import "sluicebox:stage/batches@0.1.0" "[resource-drop]batch" (func $drop_batch (param i32)))
  IMPORTS
  MEMORY
  (global $top (mut i32) (i32.const 8192))
  (data (i32.const 64) "wat-guest")
  (data (i32.const 128) "1.0.0")
  (data (i32.const 192) "{}")
  (data (i32.const 256) "a lie")
  FIELDS

  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    REALLOC
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
    (global.set $top (i32.add (local.get $at) (local.get 3)))
    (block $fits
      (loop $more
        (br_if $fits (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
        (drop (memory.grow (i32.const 1)))
        (br $more)))
    (local.get $at))

  (func (export "sluicebox:stage/plugin@0.1.0#describe") (result i32)
    (i32.store (i32.const 1024) (i32.const 64)) (i32.store (i32.const 1028) (i32.const 9))
    (i32.store (i32.const 1032) (i32.const 128)) (i32.store (i32.const 1036) (i32.const 5))
    (i32.store8 (i32.const 1040) (i32.const 1))
    (i32.store (i32.const 1044) (i32.const 256)) (i32.store (i32.const 1048) (i32.const 5))
    (i32.store (i32.const 1052) (i32.const 192)) (i32.store (i32.const 1056) (i32.const 2))
    (i32.store (i32.const 1060) (i32.const 0)) (i32.store (i32.const 1064) (i32.const 0))
    (i32.store8 (i32.const 1068) (i32.const 1))
    DESCRIBE
    (i32.const 1024))

  (func (export "sluicebox:stage/transformer@0.1.0#open")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (param i32) (param i32) (param $inputs i32) (param i32)
    (result i32)
    (i32.store8 (i32.const 1024) (i32.const 0))
    (i32.store (i32.const 1028) (i32.load offset=8 (local.get $inputs)))
    (i32.store (i32.const 1032) (i32.load offset=12 (local.get $inputs)))
    (i32.const 1024))

  (func (export "sluicebox:stage/transformer@0.1.0#process") (param $input i32) (param $batch i32) (result i32)
    (local $i i32)
    (i32.store8 (i32.const 1024) (i32.const 0))
    (i32.store (i32.const 1028) (i32.const 1536))
    (i32.store (i32.const 1032) (i32.const 1))
    (i32.store (i32.const 1536) (local.get $batch))
    PROCESS
    (i32.const 1024))

  (func (export "sluicebox:stage/transformer@0.1.0#finish") (result i32)
    (i64.store (i32.const 1024) (i64.const 0))
    (i32.const 1024)))
