#!lua flags=allow-oom
--[[
What the nodes of a fleet say of themselves: published, or listed. The server's own clock, so that no node's is needed. A report
whose time is over is dropped where it is met: by who lists, and by who publishes, which looks at a few others by chance.
allow-oom: at most 64 KiB for each node, and where memory is short somebody will want to look.

KEYS  1 the reports: hash   <node>: <published at, ms> <for how long it counts, ms> <report>
ARGV  1 'publish' or 'list'   to publish: 2 the node   3 for how long it counts, ms   4 the report
Answers {node, age in ms, report, node, ...} to who lists.
]]
local call = redis.call
local REPORTS = KEYS[1]
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Parts of an entry that counts still. What cannot be read counts as over.
local function read(entry)
  local at, ttl, report = string.match(entry, '^(%d+) (%d+) (.*)$')
  if at and now - at <= tonumber(ttl) then return now - at, report end
end

if ARGV[1] == 'publish' then
  local given = call('HRANDFIELD', REPORTS, 4, 'WITHVALUES')
  for i = 1, #given, 2 do
    if not read(given[i + 1]) then call('HDEL', REPORTS, given[i]) end
  end
  call('HSET', REPORTS, ARGV[2], string.format('%.0f ', now) .. ARGV[3] .. ' ' .. ARGV[4])
  if call('PTTL', REPORTS) < tonumber(ARGV[3]) then call('PEXPIRE', REPORTS, ARGV[3]) end
  return 1
end

local answer = {}
local all = call('HGETALL', REPORTS)
for i = 1, #all, 2 do
  local age, report = read(all[i + 1])
  if age then
    answer[#answer + 1] = all[i]
    answer[#answer + 1] = string.format('%.0f', math.max(0, age))
    answer[#answer + 1] = report
  else
    call('HDEL', REPORTS, all[i])
  end
end
return answer
