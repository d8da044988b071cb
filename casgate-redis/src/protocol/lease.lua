-- Grants a lease of permits by GCRA.
--
-- KEYS[1]  a hash, the state of one limit:
--            t  the theoretical arrival time (TAT): when all that was granted has refilled
--            e  the epoch in which holders are counted
--            c  the holders counted in it
--            p  the holders counted in the epoch before
-- ARGV     of the quota:    1 whole, 2 part, 3 denominator: a permit refills in whole + part/denominator
--                           4 tau: how far the TAT may be ahead of the clock
--                           5 the permits that tau is worth
--                           6 fair: the permits that a lease may always have
--                           7 the length of an epoch
--                           8 '1': a missing state is empty, else it is full
--                           9 the shortest time to live, in milliseconds
--          of the request: 10 want, 11 at least: fewer permits than that are of no use
--                          12 the TAT of the last reply that the holder saw
--                          13 the epoch in which the holder was counted, or -1
-- returns  {granted, TAT, now, epoch, holders, 1 if the state was missing}
--
-- Times are microseconds, since 1970 where they are instants. Numbers are doubles. All are whole and below 2^53, so
-- sums and products are exact. `fmod` makes the quotients exact too.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local whole, part, denominator = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local want, least = tonumber(ARGV[10]), tonumber(ARGV[11])

local function div(a, b)
  local rest = math.fmod(a, b)
  return (a - rest) / b, rest
end

-- The time in which so many permits refill, rounded up.
local function cost(permits)
  local quotient, rest = div(permits * part, denominator)
  return permits * whole + quotient + (rest > 0 and 1 or 0)
end

-- The most permits that cost at most so much. The division is a guess, which may be wrong by one.
local function worth(span)
  local permits = math.floor(span / (whole + part / denominator))
  while cost(permits) > span do permits = permits - 1 end
  while cost(permits + 1) <= span do permits = permits + 1 end
  return permits
end

local s = redis.call('HMGET', KEYS[1], 't', 'e', 'c', 'p')
local stored, seen, counted = tonumber(s[1]), tonumber(s[2]), tonumber(s[3])

-- A TAT beyond `empty` is of another clock or quota, or was made up: one empty bucket is enough for it.
local empty = now + tonumber(ARGV[4])
local tat = stored or (ARGV[8] == '1' and empty or now)
tat = math.min(math.max(tat, tonumber(ARGV[12]), now), empty)

local epoch = div(now, tonumber(ARGV[7]))
local count, before = counted or 0, tonumber(s[4]) or 0
if seen ~= epoch then
  before = seen == epoch - 1 and count or 0
  count = 0
end
if tonumber(ARGV[13]) ~= epoch then count = count + 1 end
local holders = math.max(count, before, 1)

local share = div(tonumber(ARGV[5]) + holders - 1, holders)
local granted = math.min(want, worth(empty - tat), math.max(share, tonumber(ARGV[6]), least))
if granted < least then granted = 0 end
tat = tat + cost(granted)

-- Denials write nothing, as a rule: they need not be replicated.
if tat ~= stored or epoch ~= seen or count ~= counted then
  local live = div(tat - now + 2 * ARGV[7] + 999, 1000) + 1
  redis.call('HSET', KEYS[1], 't', tat, 'e', epoch, 'c', count, 'p', before)
  redis.call('PEXPIRE', KEYS[1], math.max(live, tonumber(ARGV[9])))
end
return {granted, tat, now, epoch, holders, stored and 0 or 1}
