;; Divides by a zero that the compiler does not see coming.
(module
  (memory (export "memory") 1)
  (func (export "hallows_main") (drop (i32.div_s (i32.const 84) (i32.load (i32.const 0))))))
