--[[
Entries after what the caller has applied, with the head, verified: such a reading dates a proof of freshness.

ARGV  2 most entries   3 the caller's node, '' for none   4 its tolerance, ms   5 '1': replicas confirm
Answers {epoch, head, entries, whether the node was in the list}; no entries to who is in another epoch.
]]
local refused = verify()
if refused then return refused end
local present = report(ARGV[3], ARGV[4])
if ARGV[5] == '1' then beat() end
local entries = {}
local epoch, number = applied()
if epoch == log.epoch and ARGV[2] ~= '0' then
  local after = number == 0 and '0-1' or text(number) .. '-0'
  entries = redis.call('XRANGE', STREAM, '(' .. after, '+', 'COUNT', ARGV[2])
end
return { log.epoch, text(log.head), entries, present }
