--[[
Holds a lease for longer, unless it has run out.

KEYS  1 the lease   ARGV  1 what its holder wrote   2 its time from now, ms
Answers 1, or 0 when it is not held by this one any more.
]]
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
