;; Never ends by itself.
(module (func (export "hallows_main") (loop $again (br $again))))
