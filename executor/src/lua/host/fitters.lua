-- Fitters. Each takes a value that is not nil and gives what the next step sees for a column of
-- its type, or raises. Pushing a fitted value cannot fail.

local host = ...
local cast, istype, int64, uint64 = ffi.cast, ffi.istype, host.int64, host.uint64
local type, tonumber, tostring, error, next, pcall = type, tonumber, tostring, error, next, pcall
local floor, format, sub, show = math.floor, string.format, string.sub, host.show
local position, parse, is_utf8 = host.position, host.parse, host.is_utf8
local narrow_signed, narrow_unsigned = host.narrow_signed, host.narrow_unsigned
local number_text, list_length = host.number_text, host.list_length

-- The largest whole number that a double and all its neighbours hold exactly.
local SAFE = 9007199254740992

local fit = {}
host.fit = fit

local function misfit(v, name, declared, why)
  local reason = why and ': ' .. why or ''
  error(format('%s does not fit column %s %s%s', show(v), name, declared, reason), 0)
end

-- The number that text spells exactly in decimal, as int64, uint64 or, unless it has to be whole,
-- a double; else nil.
local function spelled(v, whole)
  local kind = parse(position, v, #v)
  if kind == 1 then return position.signed_number end
  if kind == 2 then return position.unsigned_number end
  if kind == 3 and not whole then return position.float_number end
  return nil
end

function fit.int(name, declared, low, high)
  -- As doubles the limits of 64 bits are the last ones inside them.
  local low64, high64 = low, high
  low, high = tonumber(low), tonumber(high)
  if high64 == 9223372036854775807LL then high = 9223372036854774784 end
  local safe_low, safe_high = low < -SAFE and -SAFE or low, high > SAFE and SAFE or high
  local function check(v)
    if type(v) == 'number' then
      if v >= safe_low and v <= safe_high and v == floor(v) then return v end
      if v >= low and v <= high and v == floor(v) then return cast(int64, v) end
    elseif type(v) == 'cdata' then
      if istype(int64, v) then
        if v >= low64 and v <= high64 then return narrow_signed(v) end
      elseif istype(uint64, v) and v <= cast(uint64, high64) then
        return narrow_signed(cast(int64, v))
      end
    end
    return nil
  end
  return function(v)
    local number = v
    if type(v) == 'string' then
      number = spelled(v, true)
      if number == nil then misfit(v, name, declared, 'not a whole number of 64 bits') end
    end
    local fitted = check(number)
    if fitted == nil then
      misfit(v, name, declared, type(number) == 'number' and number ~= floor(number)
        and 'not a whole number' or nil)
    end
    return fitted
  end
end

function fit.uint(name, declared)
  local function check(v)
    if type(v) == 'number' then
      if v >= 0 and v <= 18446744073709549568 and v == floor(v) then
        if v <= SAFE then return v end
        return cast(uint64, v)
      end
    elseif type(v) == 'cdata' then
      if istype(uint64, v) then return narrow_unsigned(v) end
      if istype(int64, v) and v >= 0LL then return narrow_unsigned(cast(uint64, v)) end
    end
    return nil
  end
  return function(v)
    local number = v
    if type(v) == 'string' then
      number = spelled(v, true)
      if number == nil then misfit(v, name, declared, 'not a whole number of 64 bits') end
    end
    local fitted = check(number)
    if fitted == nil then misfit(v, name, declared) end
    return fitted
  end
end

local function to_double(v)
  if type(v) == 'number' then return v end
  if type(v) == 'cdata' then
    if istype(int64, v) then
      local number = tonumber(v)
      if number < 9223372036854775808 and cast(int64, number) == v then return number end
    elseif istype(uint64, v) then
      local number = tonumber(v)
      if number < 18446744073709551616 and cast(uint64, number) == v then return number end
    end
  end
  return nil
end

function fit.float(name, declared, limit)
  return function(v)
    if type(v) == 'number' and not limit then return v end
    local number = v
    if type(v) == 'string' then
      -- A whole number spelled out is rounded as any decimal fraction is.
      number = spelled(v)
      if number == nil then misfit(v, name, declared, 'not a number in decimal') end
      number = tonumber(number)
    end
    local fitted = to_double(number)
    if fitted == nil then
      misfit(v, name, declared, type(v) == 'cdata' and 'a double would round it' or nil)
    end
    if limit and fitted == fitted and fitted ~= 1 / 0 and fitted ~= -1 / 0
      and (fitted > limit or fitted < -limit) then
      misfit(v, name, declared)
    end
    if limit then return tonumber(cast('float', fitted)) end
    return fitted
  end
end

function fit.boolean(name, declared)
  return function(v)
    if type(v) ~= 'boolean' then misfit(v, name, declared) end
    return v
  end
end

function fit.null(name, declared)
  return function(v) misfit(v, name, declared) end
end

function fit.text(name, declared)
  return function(v)
    local kind = type(v)
    if kind == 'string' then
      if is_utf8(v, #v) then return v end
      misfit(v, name, declared, 'not valid UTF-8')
    elseif kind == 'number' then
      return number_text(v)
    elseif kind == 'cdata' then
      if istype(int64, v) then return sub(tostring(v), 1, -3) end
      if istype(uint64, v) then return sub(tostring(v), 1, -4) end
    end
    misfit(v, name, declared, kind == 'boolean' and 'tostring makes it text' or nil)
  end
end

function fit.binary(name, declared)
  return function(v)
    if type(v) ~= 'string' then misfit(v, name, declared) end
    return v
  end
end

local function seconds(v, name, declared)
  local number = v
  if type(v) == 'string' then
    number = spelled(v)
    if number ~= nil then number = tonumber(number) end
  else
    number = to_double(v)
  end
  if number == nil then misfit(v, name, declared, 'it takes seconds since the epoch') end
  return number
end

-- Seconds, rounded to microseconds; the range is that of nanoseconds in 64 bits.
function fit.timestamp(name, declared)
  return function(v)
    local number = seconds(v, name, declared)
    if not (number > -9223372036 and number < 9223372036) then misfit(v, name, declared) end
    return floor(number * 1e6 + 0.5) / 1e6
  end
end

function fit.date(name, declared)
  return function(v)
    local day = floor(seconds(v, name, declared) / 86400)
    if not (day >= -2147483648 and day <= 2147483647) then misfit(v, name, declared) end
    return day * 86400
  end
end

function fit.list(name, declared, item)
  return function(v)
    if type(v) ~= 'table' then misfit(v, name, declared) end
    local fitted, count, holes = {}, list_length(v), false
    for k = 1, count do
      local element = v[k]
      if element == nil then holes = true else fitted[k] = item(element) end
    end
    if holes then fitted.n = count end
    return fitted
  end
end

function fit.struct(name, declared, names, fields)
  local known = {}
  for k = 1, #names do known[names[k]] = true end
  return function(v)
    if type(v) ~= 'table' then misfit(v, name, declared) end
    for key in next, v do
      if not known[key] then
        misfit(v, name, declared, format('it has no field %s', show(key)))
      end
    end
    local fitted = {}
    for k = 1, #names do
      local value = v[names[k]]
      if value ~= nil then fitted[names[k]] = fields[k](value) end
    end
    return fitted
  end
end

-- ON ERROR NULL: a value that does not fit is noted and becomes NULL.
function fit.or_null(fitter, step)
  return function(v)
    local ok, fitted = pcall(fitter, v)
    if ok then return fitted end
    host.note(step, fitted)
    return nil
  end
end
