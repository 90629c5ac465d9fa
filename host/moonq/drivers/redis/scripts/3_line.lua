--- What falls due, and which message is served next.

--- 9 : 3 : 1, evenly spread: the levels in the order in which they are served.
local CYCLE = { 2, 2, 2, 1, 2, 2, 2, 1, 2, 2, 2, 1, 0 }

local function due(queue, part, count)
  local now = queue.ctx.now
  return redis.call("ZRANGEBYSCORE", queue.at .. part, "-inf", now, "LIMIT", 0, count or moonq.MANY)
end

--- Ends a message whose first run did not start in time, and that is not leased.
function moonq.expire(queue, number, tale)
  local blob = redis.call("HGET", queue.at .. "m", number)
  moonq.tell(queue, "expired", moonq.id(blob))
  if moonq.spec(queue).drops_expired then
    moonq.gone(queue, number, tale)
  else
    moonq.bury(queue, number, tale, "expired", (tale.attempt or 1) - 1)
  end
end

local function come_due(queue, number)
  local tale = moonq.tale(queue, number)
  redis.call("ZREM", queue.at .. "d", number)
  tale.position = moonq.next(queue.ctx)
  local is_parked = tale.parked
  tale.parked = nil
  moonq.keep(queue, number, tale)
  local has_turn
  if is_parked then
    has_turn = moonq.join(queue, number, tale.group)
  else
    has_turn = moonq.has_turn(queue, number, tale.group)
  end
  if has_turn then
    moonq.line_up(queue, number, tale)
  else
    redis.call("ZADD", queue.at .. "k", number, number)
  end
end

--- Takes in what other programs have pushed, as long as there is room.
local function take_in(queue)
  for _ = 1, math.min(redis.call("LLEN", queue.at .. "in"), moonq.MANY) do
    local body = redis.call("LINDEX", queue.at .. "in", 0)
    if moonq.no_room(queue, #body) then
      return
    end
    redis.call("LPOP", queue.at .. "in")
    local number = moonq.next(queue.ctx)
    local at = moonq.text(queue.ctx.now)
    local id = string.format("in-%d-%d", queue.ctx.now, number)
    local blob = '{"id":"' .. id .. '","at":' .. at .. "}\n" .. body
    local ttl = moonq.spec(queue).ttl
    if ttl then
      redis.call("ZADD", queue.at .. "x", queue.ctx.now + ttl, number)
    end
    moonq.put(queue, number, blob, {})
  end
end

--- Forgets up to `count` deduplication keys whose window is over.
function moonq.forget_keys(queue, count)
  local keys = due(queue, "z", count)
  if #keys > 0 then
    redis.call("HDEL", queue.at .. "y", unpack(keys))
    redis.call("ZREM", queue.at .. "z", unpack(keys))
  end
end

--- The first number of a list that has a message; those before it are thrown away.
function moonq.first_of(queue, list)
  while true do
    local number = redis.call("LINDEX", list, 0)
    if not number or redis.call("HEXISTS", queue.at .. "m", number) == 1 then
      return number
    end
    redis.call("LPOP", list)
  end
end

--- Lets the lists of a queue begin with a message that is there.
function moonq.trim(queue)
  for level = 0, 2 do
    moonq.first_of(queue, queue.at .. "r" .. level)
  end
end

--- Lets happen what is due: first those that are too late go, then the delayed come.
function moonq.tick(queue)
  local at = queue.at
  if redis.call("EXISTS", at .. "x", at .. "d", at .. "in", at .. "z") == 0 then
    return
  end
  local late = due(queue, "x")
  for _, number in ipairs(late) do
    local tale = moonq.tale(queue, number)
    moonq.withdraw(queue, number, tale)
    moonq.expire(queue, number, tale)
  end
  if #late > 0 then
    moonq.trim(queue)
  end
  for _, number in ipairs(due(queue, "d")) do
    come_due(queue, number)
  end
  take_in(queue)
  moonq.forget_keys(queue, moonq.MANY)
end

local function first(queue, part)
  local found = redis.call("ZRANGE", queue.at .. part, 0, 0, "WITHSCORES")
  return tonumber(found[2]) or math.huge
end

--- The earliest moment at which something is due or expires, as text; empty: there is none.
function moonq.alarm(queue)
  if redis.call("EXISTS", queue.at .. "d", queue.at .. "x") == 0 then
    return ""
  end
  local moment = math.min(first(queue, "d"), first(queue, "x"))
  return moment == math.huge and "" or moonq.text(moment)
end

--- The first `count` of a level: fresh ones from the list, and those that came back, by position.
local function heads(queue, level, count)
  local list, back = queue.at .. "r" .. level, queue.at .. "b" .. level
  local fresh, returned = {}, {}
  local index = 0
  while #fresh < count do
    local numbers = redis.call("LRANGE", list, index, index + count - 1)
    if #numbers == 0 then
      break
    end
    for offset, blob in ipairs(moonq.each("HMGET", queue.at .. "m", numbers)) do
      if blob and #fresh < count then
        local number = numbers[offset]
        fresh[#fresh + 1] = { number, blob, tonumber(number), index + offset }
      end
    end
    index = index + #numbers
  end
  if #fresh == 0 and index > 0 then
    redis.call("LTRIM", list, index, -1)
  end
  local found = redis.call("ZRANGE", back, 0, count - 1, "WITHSCORES")
  for pair = 1, #found, 2 do
    local blob = redis.call("HGET", queue.at .. "m", found[pair])
    returned[#returned + 1] = { found[pair], blob, tonumber(found[pair + 1]) }
  end
  -- What has no message before the first that has one is passed over once and for all.
  local cut = fresh[1] and fresh[1][4] - 1 or 0
  return { list = list, back = back, fresh = fresh, returned = returned, f = 1, b = 1, cut = cut }
end

local function draw(head)
  local fresh, returned = head.fresh[head.f], head.returned[head.b]
  if fresh and (not returned or fresh[3] < returned[3]) then
    head.f = head.f + 1
    head.cut = fresh[4]
    return fresh
  elseif returned then
    head.b = head.b + 1
    redis.call("ZREM", head.back, returned[1])
  end
  return returned
end

--- Serves up to `count` of several levels by turns.
local function by_turns(queue, count, taken)
  local levels = {}
  for level = 0, 2 do
    levels[level] = heads(queue, level, count)
  end
  local turns = queue.ctx.base .. "turns"
  local turn, misses = tonumber(redis.call("HGET", turns, queue.name) or 0), 0
  if
    not (levels[0].fresh[1] or levels[0].returned[1] or levels[2].fresh[1] or levels[2].returned[1])
  then
    turn = false -- without rivals the cycle starts anew
  end
  while count > 0 and misses < #CYCLE do
    local one = draw(levels[turn and CYCLE[turn + 1] or 1])
    turn = turn and (turn + 1) % #CYCLE
    if one then
      taken[#taken + 1] = one
      count, misses = count - 1, 0
    else
      misses = turn and misses + 1 or #CYCLE
    end
  end
  for level = 0, 2 do
    if levels[level].cut > 0 then
      redis.call("LTRIM", levels[level].list, levels[level].cut, -1)
    end
  end
  if turn then
    redis.call("HSET", turns, queue.name, turn)
  else
    redis.call("HDEL", turns, queue.name)
  end
end

--- A session holds one suspect at a time: what kills its process takes no other along.
local function suspect(queue, session, taken)
  if redis.call("EXISTS", queue.at .. "u") == 0 then
    return
  end
  local key = queue.ctx.base .. "s:" .. session
  if redis.call("HEXISTS", key, "suspect") == 1 then
    return
  end
  local number = redis.call("ZPOPMIN", queue.at .. "u")[1]
  redis.call("HSET", key, "suspect", number)
  taken[1] = { number, redis.call("HGET", queue.at .. "m", number) }
end

--- Serves up to `count` of the normal level, when there is nothing else.
local function plain(queue, count, numbers, blobs)
  local list = queue.at .. "r1"
  while #numbers < count do
    local popped = redis.call("LPOP", list, count - #numbers)
    if not popped then
      return
    end
    for index, blob in ipairs(moonq.each("HMGET", queue.at .. "m", popped)) do
      if blob then
        numbers[#numbers + 1] = popped[index]
        blobs[#blobs + 1] = blob
      end
    end
  end
end

--- Numbers and blobs of the next `count` messages, taken out of the line.
function moonq.draw(queue, session, count)
  local at, numbers, blobs = queue.at, {}, {}
  local others = { at .. "r0", at .. "r2", at .. "b0", at .. "b1", at .. "b2", at .. "u" }
  if redis.call("EXISTS", unpack(others)) == 0 then
    if redis.call("HEXISTS", queue.ctx.base .. "turns", queue.name) == 1 then
      redis.call("HDEL", queue.ctx.base .. "turns", queue.name)
    end
    plain(queue, count, numbers, blobs)
    return numbers, blobs
  end
  local taken = {}
  suspect(queue, session, taken)
  by_turns(queue, count - #taken, taken)
  for index, one in ipairs(taken) do
    numbers[index], blobs[index] = one[1], one[2]
  end
  return numbers, blobs
end
