#!lua flags=allow-oom
--[[
Takes one of a number of places. The server's own clock, so that no node's is needed.

KEYS  1 the places taken: zset  holder -> when its time is over, ms
ARGV  1 how many there are   2 how long it is needed at most, ms   3 the holder
Answers 1 when it is given, 0 when all are taken.
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[3])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
