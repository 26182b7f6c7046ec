;; Computes for about half a second, without a call, says that it is done, and ends.
(module
  (import "hallows" "call" (func $call (param i32 i64 i64 i64 i64 i64) (result i64)))
  (memory (export "memory") 1 1)
  ;; A message to `SELF` (1): the tag of `space.log`, the text's length, the text.
  (data (i32.const 0) "\b4\ce\18\9a\0c\00\00\00long is done")
  (global $state (mut i64) (i64.const 1))
  (func (export "hallows_main") (local $left i64)
    (local.set $left (i64.const 300000000))
    (loop $again
      (global.set $state (i64.mul (global.get $state) (i64.const 6364136223846793005)))
      (local.set $left (i64.sub (local.get $left) (i64.const 1)))
      (br_if $again (i64.ne (local.get $left) (i64.const 0))))
    ;; Places and lengths of the message and of the answer, a length above its place.
    (drop (call $call (i32.const 1) (i64.const 0x14_00000000) (i64.const 0)
      (i64.const 0x40_00000400) (i64.const 0) (i64.const 0x7fffffffffffffff)))))
