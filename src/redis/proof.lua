--[[
What the scripts have in common whose answers prove something: `verify` comes first in each.
]]
-- The state. What is seldom needed is fetched when it is asked for.
local DEFAULTS = { bound = '', doubt = 1, cut = 0, longest = 0 }
local LAZY = {
  __index = function(log, name)
    local value = redis.call('HGET', LOG, name) or DEFAULTS[name]
    if name ~= 'bound' then value = tonumber(value) end
    log[name] = value
    return value
  end,
}
local log

-- The epoch and the number that the caller has applied.
local function applied()
  return string.sub(ARGV[1], 41, 56), (struct.unpack('<d', ARGV[1], 57))
end

-- Loads the state into `log`; answers the ids of the server that its epoch began on.
local function load()
  local f = redis.call('HMGET', LOG, 'epoch', 'head', 'floor', 'slots', 'hashes', 'run', 'repl')
  log = setmetatable({ epoch = f[1], head = tonumber(f[2]), floor = tonumber(f[3]), slots = tonumber(f[4]),
    hashes = tonumber(f[5]) }, LAZY)
  return f[6], f[7]
end

-- Begins a new epoch where any of the log may be lost: a key is missing, of another epoch or of the wrong size, the server has
-- started anew or was promoted since (a connection outlives both), or the caller has seen more than there is.
local function verify()
  local info = redis.call('INFO', 'replication')
  if string.find(info, 'role:slave', 1, true) then return redis.error_reply(REPLICA) end
  local run, repl = load()
  local epoch, number = applied()
  local ours = log.epoch and log.head and log.floor and log.slots and run and repl
    and string.find(info, 'master_replid:' .. repl, 1, true)
    and isWhole(log.epoch, log.head, log.slots, run)
    and not (epoch == log.epoch and number > log.head)
  if ours then return end
  begin()
  load()
end

-- Notes what a node has applied, and answers whether it was in the list: who was not may have been overlooked by a writer
-- that waits for all. It serves for `maxLag` and its tolerance when it is cut off.
local function report(node, tolerance)
  redis.call('HSETNX', NODES, 'id', string.sub(ARGV[1], 1, 16))
  if node == '' then return 1 end
  local known = redis.call('HEXISTS', NODES, node)
  local servesFor = text(log.maxLag + tolerance)
  local time = redis.call('TIME')
  local at = math.floor((time[1] * 1000000 + time[2]) / 1000)
  local epoch, number = applied()
  if epoch == string.rep('\0', 16) then epoch = '-' end
  redis.call('HSET', NODES, node, table.concat({ epoch, text(number), servesFor, text(at) }, ' '))
  if tonumber(servesFor) > log.longest then
    log.longest = tonumber(servesFor)
    redis.call('HSET', LOG, 'longest', servesFor)
  end
  return known
end

-- A write for WAIT to count.
local function beat()
  redis.call('HSET', LOG, 'beat', redis.call('HGET', LOG, 'beat') == '0' and '1' or '0')
end
