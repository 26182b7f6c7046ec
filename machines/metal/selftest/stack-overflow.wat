;; Calls itself until its stack is used up.
(module
  (func $deeper (param i64) (result i64)
    (i64.add (local.get 0) (call $deeper (i64.add (local.get 0) (i64.const 1)))))
  (func (export "hallows_main") (drop (call $deeper (i64.const 0)))))
