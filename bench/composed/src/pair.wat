;; Two components, composed: a client that calls a server with a list of 64 bytes and gets 64 bytes back.
;; Each has a memory of its own; wasmtime compiles the call between them and copies both lists from memory to memory.
;; Allocation is a constant address on both sides: no allocator could be faster.
(component
  (component $Server
    (core module $Code
      (memory (export "memory") 1)
      ;; Requests are always put at 1024.
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      ;; Answers: a list at 2048, described by the pair at 16; the number in front plus one, the rest copied.
      (func (export "exchange") (param $request i32) (param $length i32) (result i32)
        (if (i32.ne (local.get $length) (i32.const 64)) (then unreachable))
        (memory.copy (i32.const 2048) (local.get $request) (i32.const 64))
        (i64.store (i32.const 2048) (i64.add (i64.load (local.get $request)) (i64.const 1)))
        (i32.const 16))
      (data (i32.const 16) "\00\08\00\00\40\00\00\00"))
    (core instance $code (instantiate $Code))
    (func (export "exchange") (param "request" (list u8)) (result (list u8))
      (canon lift (core func $code "exchange")
        (memory (core memory $code "memory")) (realloc (core func $code "realloc")))))

  (component $Client
    (import "exchange" (func $exchange (param "request" (list u8)) (result (list u8))))
    (core module $Memory
      (memory (export "memory") 1)
      ;; Answers are always put at 1024.
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $memory (instantiate $Memory))
    (core func $lowered (canon lower (func $exchange)
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
    (core module $Code
      (import "memory" "memory" (memory 1))
      (import "server" "exchange" (func $exchange (param i32 i32 i32)))
      (global $number (mut i64) (i64.const 0))
      ;; Makes this many exchanges; traps on a wrong answer.
      (func (export "run") (param $calls i32)
        (loop $next
          (global.set $number (i64.add (global.get $number) (i64.const 1)))
          (i64.store (i32.const 4096) (global.get $number))
          (call $exchange (i32.const 4096) (i32.const 64) (i32.const 16))
          (if (i64.ne (i64.load (i32.load (i32.const 16))) (i64.add (global.get $number) (i64.const 1)))
            (then unreachable))
          (if (i32.ne (i32.load (i32.const 20)) (i32.const 64)) (then unreachable))
          (local.set $calls (i32.sub (local.get $calls) (i32.const 1)))
          (br_if $next (local.get $calls)))))
    (core instance $server (export "exchange" (func $lowered)))
    (core instance $code (instantiate $Code
      (with "memory" (instance $memory)) (with "server" (instance $server))))
    (func (export "run") (param "calls" u32) (canon lift (core func $code "run"))))

  (instance $server (instantiate $Server))
  (instance $client (instantiate $Client (with "exchange" (func $server "exchange"))))
  (export "run" (func $client "run")))
