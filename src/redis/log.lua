#!lua flags=allow-oom
--[[
What the scripts of the log have in common; each is this file with its own behind it. allow-oom: the log's memory is
bounded, and an invalidation must go through where memory is short.

KEYS  1 {name}:log     hash   v epoch run repl head floor slots hashes maxLag maxLife bound doubt bytes cut longest beat
      2 {name}:stream  stream entry <last number>-0, field: epoch, value: f64 previous number, then u32 length + record, ...
                              (the first entry, 0-1, holds the epoch alone)
      3 {name}:table   string 16 bytes epoch, then 8 bytes for each slot
      4 {name}:bans    zset   0: e<epoch>; <number>: b<number> <ms> <pattern>; -<number>: a<id><number> <labels, patterns>
      5 {name}:nodes   hash   id: of this list; <node>: <epoch> <number> <serves for, ms> <reported at, ms>
ARGV  1 an epoch, in case one has to begin   2 slots   3 hashes   4 maxLag   5 maxLife: in case the log has to be created
      6 the epoch and 7 the position that the caller has applied, '' and 0 for none
Numbers are written with %.0f or, faster, integers with %d: Lua's own form has 14 digits, and what hands a number to a
command writes it with 17, which takes longer than the command.
]]
local LOG, STREAM, TABLE, BANS, NODES = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local HEADER, HEADER_END = 16, '15'
local MAX_NUMBER = 9007199254740991

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

local function text(number)
  return string.format('%.0f', number)
end

local function integer(number)
  return string.format('%d', number)
end

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function idOf(head)
  if head == 0 then return '0-1' end
  return integer(head) .. '-0'
end

-- Whether the stream's last id is that of the head. XINFO takes twice as long as reading the last entry, and is asked only
-- where that is not there: whoever trimmed it away has not changed the last id.
local function endsAt(id)
  local found = redis.pcall('XREVRANGE', STREAM, '+', '-', 'COUNT', '1')
  if found.err then return false end
  if found[1] and found[1][1] == id then return true end
  local info = redis.pcall('XINFO', 'STREAM', STREAM)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] == id end
  end
  return false
end

-- Whether every key of the log is there and of one epoch. The last id of the stream is as good as the epoch: it is the head.
local function isWhole()
  if not log.epoch or not log.head or not log.floor or not log.slots then return false end
  if redis.call('GETRANGE', TABLE, '0', HEADER_END) ~= log.epoch then return false end
  if redis.call('STRLEN', TABLE) ~= HEADER + 8 * log.slots then return false end
  if not redis.call('ZSCORE', BANS, 'e' .. log.epoch) then return false end
  return endsAt(idOf(log.head))
end

local function begin(run, repl)
  local function option(known, given) return text(tonumber(known or given)) end
  local epoch, slots = ARGV[1], option(log.slots, ARGV[2])
  local hashes = option(log.hashes, ARGV[3])
  local maxLag, maxLife = option(log.maxLag, ARGV[4]), option(log.maxLife, ARGV[5])
  local longest = option(log.longest, 0)
  redis.call('UNLINK', LOG, STREAM, TABLE, BANS)
  -- doubt: what is lost may have named any bound of a commit.
  redis.call('HSET', LOG, 'v', 1, 'epoch', epoch, 'run', run, 'repl', repl, 'head', 0, 'floor', 0, 'slots', slots,
    'hashes', hashes, 'maxLag', maxLag, 'maxLife', maxLife, 'bound', '', 'doubt', 1, 'bytes', 0, 'cut', 0,
    'longest', longest)
  redis.call('XADD', STREAM, '0-1', epoch, '')
  redis.call('SETRANGE', TABLE, HEADER + 8 * slots - 1, '\0')
  redis.call('SETRANGE', TABLE, 0, epoch)
  redis.call('ZADD', BANS, 0, 'e' .. epoch)
  log = setmetatable({ epoch = epoch, head = 0, floor = 0, slots = tonumber(slots), hashes = tonumber(hashes), bytes = 0 },
    LAZY)
end

-- The 40 digits behind a name. A pattern would take a hundred times as long to find them.
local function field(info, name)
  local _, last = string.find(info, name, 1, true)
  if not last then error({ err = 'TIDEMARK the INFO of this service has no ' .. name .. ' without it a restart or a failover cannot be told' }) end
  return string.sub(info, last + 1, last + 40)
end

-- Loads the state into `log`. Begins a new epoch where any of it may be lost: a key is missing or of another epoch, the
-- server has started anew or was promoted since (a connection outlives both), or the caller has seen more than there is.
local function verify()
  local info = redis.call('INFO', 'server', 'replication')
  if string.find(info, 'role:slave', 1, true) then
    return redis.error_reply("READONLY this is a replica: the log is written and proved on its primary")
  end
  local run, repl = field(info, 'run_id:'), field(info, 'master_replid:')
  local f = redis.call('HMGET', LOG, 'epoch', 'run', 'repl', 'head', 'floor', 'slots', 'hashes', 'bytes')
  log = setmetatable({ epoch = f[1], head = tonumber(f[4] or nil), floor = tonumber(f[5] or nil),
    slots = tonumber(f[6] or nil), hashes = tonumber(f[7] or nil), bytes = tonumber(f[8] or 0) }, LAZY)
  local beyond = ARGV[6] == log.epoch and tonumber(ARGV[7]) > (log.head or 0)
  if not isWhole() or f[2] ~= run or f[3] ~= repl or beyond then begin(run, repl) end
end

-- Notes what a node has applied, and answers whether it was in the list: who was not may have been overlooked by a writer
-- that waits for all. It serves for `maxLag` and its tolerance when it is cut off.
local function report(node, tolerance)
  redis.call('HSETNX', NODES, 'id', ARGV[1])
  if node == '' then return 1 end
  local known = redis.call('HEXISTS', NODES, node)
  local servesFor = text(log.maxLag + tolerance)
  local at = math.floor(now() / 1000)
  local entry = { ARGV[6] == '' and '-' or ARGV[6], ARGV[7], servesFor, text(at) }
  redis.call('HSET', NODES, node, table.concat(entry, ' '))
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
