-- Counts the words of each file that it is named.
for _, name in ipairs(arg) do
  local words = 0
  for line in io.lines("/texts/" .. name) do
    for _ in line:gmatch("%S+") do words = words + 1 end
  end
  print(name .. " has " .. words .. " words")
end
