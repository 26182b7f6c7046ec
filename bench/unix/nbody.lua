-- The planets' motion, by small steps: floating-point numbers in fields of tables. Prints the energy before and after.
local bodies = {
  { x = 0, y = 0, z = 0, vx = 0, vy = 0, vz = 0, mass = 39.47841760435743 },
  { x = 4.84, y = -1.16, z = -0.10, vx = 0.606, vy = 2.81, vz = -0.02, mass = 0.0376 },
  { x = 8.34, y = 4.12, z = -0.40, vx = -1.01, vy = 1.82, vz = 0.008, mass = 0.0112 },
  { x = 12.89, y = -15.11, z = -0.22, vx = 1.08, vy = 0.868, vz = -0.010, mass = 0.0017 },
  { x = 15.37, y = -25.9, z = 0.179, vx = 0.979, vy = 0.594, vz = -0.034, mass = 0.0020 },
}

local function energy()
  local sum = 0
  for i = 1, #bodies do
    local b = bodies[i]
    sum = sum + 0.5 * b.mass * (b.vx * b.vx + b.vy * b.vy + b.vz * b.vz)
    for j = i + 1, #bodies do
      local c = bodies[j]
      local dx, dy, dz = b.x - c.x, b.y - c.y, b.z - c.z
      sum = sum - b.mass * c.mass / math.sqrt(dx * dx + dy * dy + dz * dz)
    end
  end
  return sum
end

local function advance(step)
  for i = 1, #bodies do
    local b = bodies[i]
    for j = i + 1, #bodies do
      local c = bodies[j]
      local dx, dy, dz = b.x - c.x, b.y - c.y, b.z - c.z
      local squared = dx * dx + dy * dy + dz * dz
      local pull = step / (squared * math.sqrt(squared))
      b.vx, b.vy, b.vz = b.vx - dx * c.mass * pull, b.vy - dy * c.mass * pull, b.vz - dz * c.mass * pull
      c.vx, c.vy, c.vz = c.vx + dx * b.mass * pull, c.vy + dy * b.mass * pull, c.vz + dz * b.mass * pull
    end
  end
  for i = 1, #bodies do
    local b = bodies[i]
    b.x, b.y, b.z = b.x + step * b.vx, b.y + step * b.vy, b.z + step * b.vz
  end
end

local steps = tonumber(arg[1])
local before = energy()
for _ = 1, steps do advance(0.01) end
print(string.format("%.6f %.6f", before, energy()))
