;; Calls a function that a table does not have.
(module
  (type $nothing (func))
  (table 1 funcref)
  (func (export "hallows_main") (call_indirect (type $nothing) (i32.const 0))))
