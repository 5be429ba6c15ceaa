--[[
Gives a lease back, unless it has run out and another holds it, and says so for a moment.

KEYS  1 the lease   ARGV  1 what its holder wrote   2 what to leave   3 for how long, ms
Answers 1 or 0.
]]
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
