--[[
Appends records, all or none, at numbers that follow one another.

ARGV  1 behind its 64 bytes: f64 bytes of history to keep; u32 1: look at all (below), else 0; how the records are parted into entries of the stream: u32 how
        many entries, u32 records and u32 bytes of each; then for each record u32 count, and as many u32 slots that its
        labels write to; then the records: u32 length + record each, their numbers zero
      2... in groups of four, in the order of the records, what else they do: operation, index of the record, x, y
        p pattern -: ban             E - -: everything             f floor -: raise the floor
        a id content: announce       c id -: close                 l bound epoch:number / u - -: bound of commits
Answers {epoch, last number}, or {'', slots, hashes, maxLag, maxLife} when the slots were made for a table of another shape.

It is on the way of every invalidation, so it looks at less than what proves something. A new epoch begins where the server
has another replication id than at the epoch's beginning, or the state, the stream or a table to be written to is not there
or not as it was made. What else may be lost is noticed before anything is proved again, and then the epoch ends in which
this record is: all that it covers is a miss. What is not looked at:
  run id               no connection outlives it, and the first append of each looks at all
  end of the stream    XADD makes no stream, refuses an id that is not the largest, and names the number before: who has
                       applied another one copies the state
  length of the table  SETRANGE answers it
  epoch of table and bans   nothing here writes it
All is looked at with an announcement too: it has to be in the next epoch as well, or nothing withholds what it covers.
]]
local call, unpacked = redis.call, struct.unpack
local request = ARGV[1]

-- Answers nothing where the log turns out to be lost: what was written goes with it.
local function append(info)
  local f = call('HMGET', LOG, 'epoch', 'repl', 'head', 'floor', 'slots', 'hashes', 'maxLife', 'bytes')
  local epoch, repl, head, floor, slots = f[1], f[2], tonumber(f[3]), tonumber(f[4]), tonumber(f[5])
  local hashes, maxLife = tonumber(f[6]), tonumber(f[7])
  if not (epoch and repl and head and floor and slots and hashes and maxLife) then return end
  if not string.find(info, 'master_replid:' .. repl, 1, true) then return end
  local all = unpacked('<I4', request, 73) == 1
  for i = 2, #ARGV, 4 do all = all or ARGV[i] == 'a' end
  if all and not isWhole(epoch, head, slots, call('HGET', LOG, 'run') or '-') then return end
  local slotsGiven, hashesGiven = unpacked('<I4I4', request, 17)
  if slotsGiven ~= slots or hashesGiven ~= hashes then
    return { '', slots, hashes, call('HGET', LOG, 'maxLag'), f[7] }
  end

  local seconds = call('TIME')
  local time, bytes = seconds[1] * 1000000 + seconds[2], tonumber(f[8]) or 0
  local raised, bound, doubt

  -- Answers nothing where the stream is not as it was.
  local function put(records, last)
    local id = redis.pcall('XADD', STREAM, 'NOMKSTREAM', string.format('%d-0', last), epoch, struct.pack('<d', head) .. records)
    if type(id) == 'string' then
      head, bytes = last, bytes + #records
      return true
    end
    if endsAt(head) then error(id) end
  end

  -- A ban leaves the list only by a record that raises the floor to it: when no entry can be as old, or there are too many.
  -- Looked at by who may add one, and every so often.
  local often = maxLife * 1000 / 64
  if ARGV[2] or math.floor(time / often) ~= math.floor(head / often) then
    local surplus = call('ZCOUNT', BANS, '(0', '+inf') - 1000
    if surplus > 0 then
      raised = call('ZRANGEBYSCORE', BANS, '(0', '+inf', 'WITHSCORES', 'LIMIT', surplus - 1, 1)[2]
    end
    local expired = time / 1000 - maxLife
    while true do
      local oldest = call('ZRANGEBYSCORE', BANS, '(' .. (raised or '0'), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
      if not oldest[1] or tonumber(string.match(oldest[1], '^b%d+ (%d+)')) >= expired then break end
      raised = oldest[2]
    end
    if raised then
      raised = tonumber(raised)
      local number, rep = struct.pack('<d', raised), string.rep
      -- Version, kind, flags, numbers; an id that is another one each time; closes; floor; LSN, time; origin, lists.
      local record = '\1\5' .. rep('\0', 18) .. rep('\255', 8) .. number .. rep('\0', 16) .. number .. rep('\0', 17)
        .. '\3\0log' .. rep('\0', 8)
      if not put(struct.pack('<I4', #record) .. record, math.max(time, head + 1)) then return end
    end
  end

  -- The numbers of one call follow one another, also across entries.
  local first = math.max(time, head + 1)
  if first > MAX_NUMBER / 2 then error({ err = 'TIDEMARK the clock of this server is far in the future' }) end
  local entries, parts = unpacked('<I4', request, 77)
  local at, number, size = parts + 8 * entries, first, HEADER + 8 * slots
  local pack, format = struct.pack, string.format
  for i = parts, at - 8, 8 do
    for _ = 1, (unpacked('<I4', request, i)) do
      local position, count = pack('<d', number), unpacked('<I4', request, at)
      for j = at + 4, at + 4 * count, 4 do
        local offset = HEADER + 8 * unpacked('<I4', request, j)
        -- A table that was deleted or cut has another length after this, unless it is its last slot that is written.
        if offset + 8 == size and call('STRLEN', TABLE) ~= size then return end
        if call('SETRANGE', TABLE, format('%d', offset), position) ~= size then return end
      end
      at, number = at + 4 + 4 * count, number + 1
    end
  end
  number = first - 1
  for i = parts, parts + 8 * entries - 8, 8 do
    local count, length = unpacked('<I4I4', request, i)
    number = number + count
    if not put(string.sub(request, at, at + length - 1), number) then return end
    at = at + length
  end

  for i = 2, #ARGV, 4 do
    local does, own, x, y = ARGV[i], first + ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
    if does == 'p' then
      call('ZADD', BANS, text(own), table.concat({ 'b' .. text(own), text(math.floor(first / 1000)), x }, ' '))
    elseif does == 'E' then
      raised = own
    elseif does == 'f' then
      raised = math.max(raised or 0, tonumber(x))
    elseif does == 'a' then
      call('ZADD', BANS, '-' .. text(own), 'a' .. x .. text(own) .. ' ' .. y)
    elseif does == 'c' then
      for _, member in ipairs(call('ZRANGEBYSCORE', BANS, '-inf', '(0')) do
        if string.sub(member, 2, 33) == x then call('ZREM', BANS, member) end
      end
    else
      local known = call('HMGET', LOG, 'bound', 'doubt')
      bound, doubt = bound or known[1] or '', doubt or tonumber(known[2] or 1)
      if does == 'u' then
        doubt = math.max(doubt, own)
      else
        if x > bound then bound = x end
        local of, after = string.match(y, '^(%x+):(%d+)$')
        if of == epoch and tonumber(after) >= doubt then doubt = 0 end
      end
      call('HSET', LOG, 'bound', bound, 'doubt', text(doubt))
    end
  end

  if raised and raised > floor then
    call('HSET', LOG, 'floor', text(raised))
    call('ZREMRANGEBYSCORE', BANS, '(0', text(raised))
  end
  -- Half of the history at a time: entries before the last cut but one are gone.
  if bytes > unpacked('<d', request, 65) / 2 then
    local cut = call('HGET', LOG, 'cut') or '0'
    if cut ~= '0' then call('XTRIM', STREAM, 'MINID', '~', cut .. '-1', 'LIMIT', 0) end
    call('HSET', LOG, 'cut', format('%d', head))
    bytes = 0
  end
  local last = format('%d', head)
  call('HSET', LOG, 'head', last, 'bytes', format('%d', bytes))
  return { epoch, last }
end

local info = call('INFO', 'replication')
if string.find(info, 'role:slave', 1, true) then return redis.error_reply(REPLICA) end
local answer = append(info)
if answer then return answer end
begin()
return append(info)
