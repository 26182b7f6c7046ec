;; Sums 0 to 3,999,999 in floating point, again and again, while it is interrupted: an interrupt that touches a register shows.
(module
  (func $sum (param $n i32) (result f64) (local $i i32) (local $sum f64)
    (loop $again
      (local.set $sum (f64.add (local.get $sum) (f64.convert_i32_u (local.get $i))))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $sum))
  (func (export "hallows_main") (local $rounds i32)
    (loop $again
      (if (f64.ne (call $sum (i32.const 4000000)) (f64.const 7999998000000)) (then unreachable))
      (br_if $again (i32.lt_u (local.tee $rounds (i32.add (local.get $rounds) (i32.const 1))) (i32.const 5))))))
