-- Words made, counted, sorted, looked for and replaced, with errors that are caught: strings, patterns, tables, pcall. Prints a sum of them.
local count = tonumber(arg[1])
local seed = 42
local function random(below)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % below
end

local words, seen = {}, {}
for i = 1, count do
  local letters = {}
  for j = 1, 3 + random(6) do letters[j] = string.char(97 + random(26)) end
  words[i] = table.concat(letters)
  seen[words[i]] = (seen[words[i]] or 0) + 1
end
table.sort(words)

local text = table.concat(words, " ")
local vowels = select(2, text:gsub("[aeiou]", string.upper))
local found = 0
for word in text:gmatch("%a+") do
  if word:find("q") then found = found + #word end
end
local failed = 0
for i = 1, count do
  local fine = pcall(function()
    if #words[i] > 7 then error("long: " .. words[i]) end
  end)
  if not fine then failed = failed + 1 end
end
print(#text, vowels, found, failed, words[1], words[count])
