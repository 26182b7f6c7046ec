;; What a machine without the right processor features, or with a wrong memory, gets wrong; it traps at the first that is.
(module
  (memory (export "memory") 1 16)
  (data (i32.const 100) "from the data segment")
  (table 1 funcref)
  (elem (i32.const 0) $seven)
  (type $number (func (result i32)))
  (func $seven (result i32) i32.const 7)
  (func $check (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))

  ;; Without SSE4.1 these three are calls of a library: 2 + 3 + 2
  (func $round (param f64) (result f64)
    (f64.add (f64.add (f64.floor (local.get 0)) (f64.ceil (local.get 0))) (f64.trunc (local.get 0))))

  ;; 1*2 + 3*4 + 5*6 + 7*8
  (func $vector (result i32) (local v128)
    (local.set 0 (i32x4.mul (v128.const i32x4 1 3 5 7) (v128.const i32x4 2 4 6 8)))
    (i32.add (i32.add (i32x4.extract_lane 0 (local.get 0)) (i32x4.extract_lane 1 (local.get 0)))
             (i32.add (i32x4.extract_lane 2 (local.get 0)) (i32x4.extract_lane 3 (local.get 0)))))

  (func (export "hallows_main")
    (call $check (f64.eq (call $round (f64.const 2.75)) (f64.const 7)))
    (call $check (i32.eq (call $vector) (i32.const 100)))
    (call $check (i32.eq (i32.load (i32.const 100)) (i32.const 0x6d6f7266))) ;; "from"
    (call $check (i32.eq (call_indirect (type $number) (i32.const 0)) (i32.const 7)))
    ;; Fresh memory is zero, can be written to its last byte, and does not grow past its maximum.
    (call $check (i32.eq (memory.grow (i32.const 15)) (i32.const 1)))
    (call $check (i32.eqz (i32.load (i32.const 0xffffc))))
    (i32.store (i32.const 0xffffc) (i32.const -1))
    (call $check (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))))
