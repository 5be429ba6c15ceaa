--[[
Entries after what the caller has applied, with the head, verified: such a reading dates a proof of freshness.

ARGV  8 most entries   9 the caller's node, '' for none   10 its tolerance, ms   11 '1': replicas confirm
Answers {epoch, head, entries, whether the node was in the list}; no entries to who is in another epoch.
]]
local refused = verify()
if refused then return refused end
local present = report(ARGV[9], ARGV[10])
if ARGV[11] == '1' then beat() end
local entries = {}
if ARGV[6] == log.epoch and ARGV[8] ~= '0' then
  local after = idOf(tonumber(ARGV[7]))
  entries = redis.call('XRANGE', STREAM, '(' .. after, '+', 'COUNT', ARGV[8])
end
return { log.epoch, text(log.head), entries, present }
