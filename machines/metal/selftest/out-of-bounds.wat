;; Touches its memory behind the end, where the guard is.
(module
  (memory (export "memory") 1)
  (func (export "hallows_main") (i32.store (i32.const 0x20000) (i32.const 1))))
