-- Sends one request over and over. The arguments are the folder of this script and how many numbers there are: every
-- %x in the request is then a number from 1 up to that, in twelve hexadecimal digits: one after the other if the third
-- argument is the one before the first, else a random one. The fourth makes the random numbers others than the last time.
-- Where the folder has a file of values, the value in the line of that number stands in the place of the number.
local text, count, parts, last, values

function init(args)
  local file = assert(io.open(args[1] .. "/request", "rb"))
  text = file:read("*a")
  file:close()
  file = io.open(args[1] .. "/values", "rb")
  if file then
    values = {}
    for line in file:lines() do values[#values + 1] = line end
    file:close()
  end
  count = tonumber(args[2])
  last = tonumber(args[3])
  math.randomseed(tonumber(args[4]) + tonumber(tostring({}):match("0x(%x+)"), 16) % 1000003)
  parts = {}
  if count > 1 then
    local from = 1
    while true do
      local at = text:find("%x", from, true)
      if not at then break end
      parts[#parts + 1] = text:sub(from, at - 1)
      from = at + 2
    end
    parts[#parts + 1] = text:sub(from)
  else
    text = text:gsub("%%x", string.format("%012x", 1))
  end
end

function request()
  if count <= 1 then return text end
  local number
  if last then
    last = last % count + 1
    number = last
  else
    number = math.random(count)
  end
  return table.concat(parts, values and values[number] or string.format("%012x", number))
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("\nRESULT %d %d %d %d %d %d %d %.0f %.0f\n", summary.requests, summary.duration,
    e.connect, e.read, e.write, e.timeout, e.status, latency:percentile(50), latency:percentile(99)))
end
