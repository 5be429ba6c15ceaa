--[[
Enters an entry into index sets, and prunes them. The server's own clock, so that no node's is needed.

KEYS  the sets: zset  key of an entry -> when it expires, ms; each expires with its longest member
ARGV  1 key of the entry   2 how long it lives, ms   3 most expired members to drop from each set
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ttl = tonumber(ARGV[2])
for _, set in ipairs(KEYS) do
  -- GT: of two writes at once the longer life counts, whichever comes last. A member too long costs bytes until then.
  redis.call('ZADD', set, 'GT', string.format('%.0f', now + ttl), ARGV[1])
  -- More than is added each time, so that a set cannot grow for ever; and few, so that nobody waits.
  local expired = math.min(tonumber(ARGV[3]), redis.call('ZCOUNT', set, '-inf', string.format('%.0f', now)))
  if expired > 0 then redis.call('ZREMRANGEBYRANK', set, 0, expired - 1) end
  if redis.call('PTTL', set) < ttl then redis.call('PEXPIRE', set, ARGV[2]) end
end
return 0
