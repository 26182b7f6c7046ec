;; A trader that nobody trusts: sends orders at random prices, and checks that what it is told adds up.
;; It has the calls of hallows and one capability, handle 3: the order book. Nothing else of the machine or of Linux is there for it.
(module
  (import "hallows" "call" (func $call (param i32 i64 i64 i64 i64 i64) (result i64)))
  (memory (export "memory") 1 1)
  (global $random (mut i64) (i64.const 0x9e3779b97f4a7c15))

  ;; Offset and length of a range, as the calls take them.
  (func $span (param $offset i32) (param $length i32) (result i64)
    (i64.or (i64.extend_i32_u (local.get $offset)) (i64.shl (i64.extend_i32_u (local.get $length)) (i64.const 32))))

  ;; The next random number (Knuth's multiplier), below a bound.
  (func $below (param $bound i64) (result i64)
    (global.set $random
      (i64.add (i64.mul (global.get $random) (i64.const 6364136223846793005)) (i64.const 1442695040888963407)))
    (i64.rem_u (i64.shr_u (global.get $random) (i64.const 33)) (local.get $bound)))

  ;; Sends an order from address 0 and takes the answer at 64; anything but a whole answer in time is the end of this cell.
  (func $order (param $side i32) (param $quantity i32) (param $price i64)
    (i32.store (i32.const 0) (local.get $side))
    (i32.store (i32.const 4) (local.get $quantity))
    (i64.store (i32.const 8) (local.get $price))
    (if (i64.ne
          (call $call (i32.const 3) (call $span (i32.const 0) (i32.const 16)) (i64.const 0)
            (call $span (i32.const 64) (i32.const 16)) (i64.const 0) (i64.const 0x7fffffffffffffff))
          (i64.const 16))
      (then unreachable)))

  (func (export "hallows_main") (local $left i32) (local $quantity i32)
    (local.set $left (i32.const 10000))
    (loop $again
      (local.set $quantity (i32.add (i32.wrap_i64 (call $below (i64.const 99))) (i32.const 1)))
      (call $order
        (i32.wrap_i64 (call $below (i64.const 2)))
        (local.get $quantity)
        (i64.add (call $below (i64.const 50)) (i64.const 1000)))
      ;; What was traded and what rests is what was ordered.
      (if (i32.ne (i32.add (i32.load (i32.const 64)) (i32.load (i32.const 68))) (local.get $quantity))
        (then unreachable))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left)))
    (call $order (i32.const 2) (i32.const 0) (i64.const 0))))
