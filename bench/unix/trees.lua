-- Binary trees that are made, walked and dropped: allocation and garbage collection. Prints how many nodes were seen.
local function make(depth)
  if depth == 0 then return {} end
  return { make(depth - 1), make(depth - 1) }
end

local function count(tree)
  if tree[1] then return 1 + count(tree[1]) + count(tree[2]) end
  return 1
end

local depth = tonumber(arg[1])
local kept = make(depth)
local nodes = 0
for round = 1, 1 << (depth // 2) do
  nodes = nodes + count(make(depth // 2 + round % 3))
end
print(nodes + count(kept))
