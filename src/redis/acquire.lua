#!lua flags=allow-oom
--[[
Asks for a lease. Where it was given back a moment ago, whoever asks has looked into the store before that, maybe: it is
refused once, so that it looks again before it loads what is there.

KEYS  1 the lease: "<time, ms> <node> <grant>" of its holder, or "given back by <node> <grant>" for a moment
ARGV  1 what the holder writes   2 its time, ms   3 the node that asks
      4 what it was refused for last, '' for nothing: it has looked since
Answers {} when it is granted, else {what is there, how many ms it is there yet}.
]]
local held = redis.call('GET', KEYS[1])
local giver = held and string.match(held, '^given back by (%S+)')
if held and not (giver and (giver == ARGV[3] or held == ARGV[4])) then
  return { held, redis.call('PTTL', KEYS[1]) }
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {}
