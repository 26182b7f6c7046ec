;; The smallest WASI program that can be seen from outside: its first call writes one byte.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; One buffer description at 0 (address 16, length 1), the byte at 16.
  (data (i32.const 0) "\10\00\00\00\01\00\00\00")
  (data (i32.const 16) "!")
  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))))
