--[[
The whole state as of its head.

ARGV  2 the caller's node, '' for none   3 its tolerance, ms   4 '1': replicas confirm
Answers {epoch, head, floor, bound, doubt, slots, hashes, maxLag, maxLife, table, bans with scores, whether the node was in the list}.
]]
local refused = verify()
if refused then return refused end
local present = report(ARGV[2], ARGV[3])
if ARGV[4] == '1' then beat() end
return { log.epoch, text(log.head), text(log.floor), log.bound, text(log.doubt), log.slots, log.hashes, text(log.maxLag),
  text(log.maxLife), redis.call('GETRANGE', TABLE, HEADER, -1), redis.call('ZRANGE', BANS, 0, -1, 'WITHSCORES'), present }
