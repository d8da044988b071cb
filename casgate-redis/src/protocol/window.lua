-- Grants a lease of permits in an aligned window, and takes permits back.
--
-- KEYS[1]  a hash, the state of one limit:
--            w    the window, by its number since 1970
--            u    the permits granted in it, less those returned
--            r:H  the last return of holder H in it, by its sequence number
-- ARGV     of the quota:   1 the length of a window, 2 the limit
--          of the request: 3 want, 4 the number of holders, 5 the holder
--          of a return:    6 the permits, 7 the window of their lease, 8 the sequence number
--          of the request: 9 at least: fewer permits than that are of no use
-- returns  {granted, window, time until its end, left}
--
-- Times are microseconds. Numbers are doubles, whole and below 2^53. `fmod` makes the quotients exact.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local length, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local want, holders = tonumber(ARGV[3]), tonumber(ARGV[4])
local returned, of, sequence = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local least = tonumber(ARGV[9])

local function div(a, b)
  return (a - math.fmod(a, b)) / b
end

local s = redis.call('HMGET', KEYS[1], 'w', 'u', 'r:' .. ARGV[5])
local stored, used, mark = tonumber(s[1]), tonumber(s[2]) or 0, tonumber(s[3]) or 0
local window = div(now, length)
if stored and stored < window then
  redis.call('DEL', KEYS[1])
  used, mark = 0, 0
elseif stored == window + 1 then
  window = stored -- The clock stepped back over a boundary: stay in the later window.
end -- A clock that stepped back by more takes what was granted along, or it would deny for as long.

local takes_back = returned > 0 and of == window and sequence > mark
if takes_back then
  used = math.max(0, used - returned)
  redis.call('HSET', KEYS[1], 'r:' .. ARGV[5], sequence)
end

-- Half of what is left, in equal shares: the last leases are the smallest.
local left = math.max(0, limit - used)
local share = div(left + 2 * holders - 1, 2 * holders)
local granted = math.min(want, left, math.max(1, share, least))
if granted < least then granted = 0 end
if window ~= stored or takes_back or granted > 0 then
  redis.call('HSET', KEYS[1], 'w', window, 'u', used + granted)
  redis.call('PEXPIRE', KEYS[1], div((window + 2) * length - now + 999, 1000) + 1)
end
-- Less by one: `now` is rounded down.
return {granted, window, (window + 1) * length - now - 1, left - granted}
