#!lua flags=allow-oom
--[[
What a fleet knows of one of its breakers, read or changed. The server's own clock, so that no node's is needed. A number is the
server's time, ms, or one more than the number before: it rises also where the key was lost in between.
allow-oom: a few bytes for each breaker, and where memory is short something is likely to fail.

KEYS  1 the breaker: hash   n number of its last change   open '1' or '0'   by who opened it   due when it may be probed, ms
                            claim who probes, until when, ms: both only while somebody does, or has died doing so
ARGV  1 'read', 'open', 'claim', 'succeeded' or 'failed'
      2 the newest number that the caller has seen   3 time, ms: until it may be probed (open, failed), of the claim (claim)
      4 who opens it   5 the claim: one of its own for each   6 how long a change is remembered, ms
      Reading needs the first alone.
Answers {number, open, by, ms until it may be probed, 1 where the claim was granted, else 0}.
]]
local call = redis.call
local does, seen, length = ARGV[1], tonumber(ARGV[2] or 0), tonumber(ARGV[3] or 0)
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local f = call('HMGET', KEYS[1], 'n', 'open', 'by', 'due', 'claim', 'until')
local number, open, by, due = tonumber(f[1] or 0), f[2] or '0', f[3] or '', tonumber(f[4] or 0)
local claim, untilWhen = f[5], tonumber(f[6] or 0)
local granted = 0

local function text(ms)
  return string.format('%.0f', ms)
end

local function change(to, who)
  number, open, by, due, claim, untilWhen = math.max(now, number + 1, seen + 1), to, who, now + length, nil, 0
  call('HSET', KEYS[1], 'n', text(number), 'open', open, 'by', by, 'due', text(due))
  call('HDEL', KEYS[1], 'claim', 'until')
  call('PEXPIRE', KEYS[1], ARGV[6])
end

local ours = claim and claim == ARGV[5] and number == seen and now < untilWhen
if does == 'open' and number <= seen then
  change('1', ARGV[4])
elseif does == 'claim' and open == '1' and number == seen and now >= due and now >= untilWhen then
  claim, untilWhen, granted = ARGV[5], now + length, 1
  call('HSET', KEYS[1], 'claim', claim, 'until', text(untilWhen))
elseif does == 'succeeded' and ours then
  change('0', '')
elseif does == 'failed' and ours then
  change('1', ARGV[4])
end
local left = open == '1' and math.max(0, due - now, untilWhen - now) or 0
return { text(number), open, by, text(left), granted }
