-- The host's runtime inside the child, run once. It gets the addresses of the push functions, the
-- position, and the input slots, and gives what the generated loop is made of.
--
-- User code can reach none of this: it runs in an environment of its own (sandbox.lua), and the
-- functions below keep local copies of every library function they call.
local addresses = ...
local ffi = ffi or require('ffi')
local cast, istype, ffi_string = ffi.cast, ffi.istype, ffi.string
local band, rshift = bit.band, bit.rshift
local type, tonumber, tostring, error, next = type, tonumber, tostring, error, next
local pcall, xpcall, select, unpack, rawget = pcall, xpcall, select, unpack, rawget
local setfenv = setfenv
local floor, format, sub, getinfo = math.floor, string.format, string.sub, debug.getinfo

ffi.cdef [[
typedef struct {
  int32_t row;
  int32_t step;
  int64_t signed_number;
  uint64_t unsigned_number;
  double float_number;
} gleam_position;
]]
local int64, uint64 = ffi.typeof('int64_t'), ffi.typeof('uint64_t')
local push_null = cast('void (*)(const void *)', addresses.push_null)
local push_boolean = cast('void (*)(const void *, bool)', addresses.push_boolean)
local push_int = cast('void (*)(const void *, int64_t)', addresses.push_int)
local push_uint = cast('void (*)(const void *, uint64_t)', addresses.push_uint)
local push_float = cast('void (*)(const void *, double)', addresses.push_float)
local push_bytes = cast('void (*)(const void *, const char *, size_t)', addresses.push_bytes)
local close_value = cast('void (*)(const void *)', addresses.close_value)
local end_row = cast('bool (*)(const void *)', addresses.end_row)
local is_utf8 = cast('bool (*)(const char *, size_t)', addresses.is_utf8)
local parse = cast('int (*)(void *, const char *, size_t)', addresses.parse)
local position = cast('gleam_position *', addresses.position)
local slots = cast('const uint64_t *', addresses.slots)

-- The largest whole number that a double and all its neighbours hold exactly, and its 64-bit twin.
local SAFE, SAFE64 = 9007199254740992, 9007199254740992LL
local BYTES, INTS, LONGS = ffi.typeof('const uint8_t *'), ffi.typeof('const int32_t *'),
  ffi.typeof('const int64_t *')
local ULONGS, DOUBLES = ffi.typeof('const uint64_t *'), ffi.typeof('const double *')

local host = { position = position, pcall = pcall, xpcall = xpcall, select = select, type = type,
  unpack = unpack, failures = {}, arguments = {}, chunk_names = {}, active = {} }

-- Readers. Each gives read(i), the Lua value of row i or nil, and bind(), called once a batch
-- after the parent's side has filled the slots:
--   +0 values  +1 offsets  +2 validity bitmap or 0  +3 first bit of validity  +4 first bit of values

local function is_set(bits, index)
  return band(rshift(bits[rshift(index, 3)], band(index, 7)), 1) == 1
end

local readers = {}
host.readers = readers

local function primitive(pointer, slot, convert)
  local values, valid, shift, nullable
  local function read(i)
    if nullable and not is_set(valid, shift + i) then return nil end
    return convert(values[i])
  end
  return read, function()
    values, valid = cast(pointer, slots[slot]), cast(BYTES, slots[slot + 2])
    nullable, shift = slots[slot + 2] ~= 0, tonumber(slots[slot + 3])
  end
end

local function narrow_signed(v)
  if v >= -SAFE64 and v <= SAFE64 then return tonumber(v) end
  return v
end

local function narrow_unsigned(v)
  if v <= 9007199254740992ULL then return tonumber(v) end
  return v
end

function readers.int(slot) return primitive(LONGS, slot, narrow_signed) end
function readers.uint(slot) return primitive(ULONGS, slot, narrow_unsigned) end
function readers.float(slot) return primitive(DOUBLES, slot, function(v) return v end) end

function readers.null() return function() return nil end, function() end end

function readers.boolean(slot)
  local values, first, valid, shift, nullable
  local function read(i)
    if nullable and not is_set(valid, shift + i) then return nil end
    return is_set(values, first + i)
  end
  return read, function()
    values, first = cast(BYTES, slots[slot]), tonumber(slots[slot + 4])
    valid = cast(BYTES, slots[slot + 2])
    nullable, shift = slots[slot + 2] ~= 0, tonumber(slots[slot + 3])
  end
end

function readers.bytes(slot)
  local values, offsets, valid, shift, nullable
  local function read(i)
    if nullable and not is_set(valid, shift + i) then return nil end
    local from = offsets[i]
    return ffi_string(values + from, offsets[i + 1] - from)
  end
  return read, function()
    values, offsets = cast(BYTES, slots[slot]), cast(INTS, slots[slot + 1])
    valid = cast(BYTES, slots[slot + 2])
    nullable, shift = slots[slot + 2] ~= 0, tonumber(slots[slot + 3])
  end
end

-- A list is 1..n; `n` is a field only where an element is NULL, because `#` cannot count holes.
function readers.list(slot, item, bind_item)
  local offsets, valid, shift, nullable
  local function read(i)
    if nullable and not is_set(valid, shift + i) then return nil end
    local list, from, to, holes = {}, offsets[i], offsets[i + 1], false
    for at = from, to - 1 do
      local value = item(at)
      if value == nil then holes = true else list[at - from + 1] = value end
    end
    if holes then list.n = to - from end
    return list
  end
  return read, function()
    offsets, valid = cast(INTS, slots[slot + 1]), cast(BYTES, slots[slot + 2])
    nullable, shift = slots[slot + 2] ~= 0, tonumber(slots[slot + 3])
    bind_item()
  end
end

function readers.struct(slot, names, fields, binds)
  local valid, shift, nullable
  local function read(i)
    if nullable and not is_set(valid, shift + i) then return nil end
    local record = {}
    for k = 1, #names do record[names[k]] = fields[k](i) end
    return record
  end
  return read, function()
    valid = cast(BYTES, slots[slot + 2])
    nullable, shift = slots[slot + 2] ~= 0, tonumber(slots[slot + 3])
    for k = 1, #binds do binds[k]() end
  end
end

-- Fitters. Each takes a value that is not nil and gives what the next step sees for a column of
-- its type, or raises. Pushing a fitted value cannot fail.

local fit = {}
host.fit = fit

local function show(v)
  local kind = type(v)
  if kind == 'string' then
    local text = #v > 60 and sub(v, 1, 60) .. '...' or v
    return format('"%s" (string)', text)
  elseif kind == 'number' then return format('%.17g (number)', v)
  elseif kind == 'boolean' then return format('%s (boolean)', v and 'true' or 'false')
  elseif kind == 'cdata' and (istype(int64, v) or istype(uint64, v)) then
    return tostring(v) .. ' (64-bit number)'
  end
  return 'a ' .. kind
end

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
  local function check(v)
    if type(v) == 'number' then
      if v >= low and v <= high and v == floor(v) then
        if v >= -SAFE and v <= SAFE then return v end
        return cast(int64, v)
      end
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

-- Whole numbers without ".0"; others with the fewest digits that read back the same.
local function number_text(v)
  if v == floor(v) and v > -1e15 and v < 1e15 then return format('%d', v) end
  for digits = 15, 16 do
    local text = format('%.' .. digits .. 'g', v)
    if tonumber(text) == v then return text end
  end
  return format('%.17g', v)
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

-- How many elements a list has: its field `n` where that is a count, else `#`.
local function list_length(list)
  local n = list.n
  if type(n) == 'number' and n >= 0 and n <= 2147483647 and n == floor(n) then return n end
  return #list
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

-- Writers: each pushes one fitted value, or nil, on the end of its column.

local writers = {}
host.writers = writers

function writers.int(column)
  return function(v) if v == nil then push_null(column) else push_int(column, v) end end
end

function writers.uint(column)
  return function(v) if v == nil then push_null(column) else push_uint(column, v) end end
end

function writers.float(column)
  return function(v) if v == nil then push_null(column) else push_float(column, v) end end
end

function writers.boolean(column)
  return function(v) if v == nil then push_null(column) else push_boolean(column, v) end end
end

function writers.null(column)
  return function() push_null(column) end
end

function writers.bytes(column)
  return function(v) if v == nil then push_null(column) else push_bytes(column, v, #v) end end
end

function writers.timestamp(column)
  return function(v)
    if v == nil then push_null(column) else push_int(column, floor(v * 1e6 + 0.5)) end
  end
end

function writers.date(column)
  return function(v) if v == nil then push_null(column) else push_int(column, v / 86400) end end
end

function writers.list(column, item)
  return function(v)
    if v == nil then return push_null(column) end
    for k = 1, rawget(v, 'n') or #v do item(v[k]) end
    close_value(column)
  end
end

function writers.struct(column, names, fields)
  return function(v)
    if v == nil then return push_null(column) end
    for k = 1, #names do fields[k](v[names[k]]) end
    close_value(column)
  end
end

-- Failures.

-- Raised to unwind to the batch once a failure is recorded, through the user's own pcall as well.
local UNWIND = 'gleam: the batch has failed'
local recorded

local function describe(err)
  local kind = type(err)
  if kind == 'string' then return err end
  if kind == 'number' then return number_text(err) end
  if kind == 'table' then
    local ok, text = pcall(tostring, err)
    if ok and type(text) == 'string' and sub(text, 1, 7) ~= 'table: ' then return text end
    if not ok then return 'error raised with a table whose __tostring fails' end
  end
  return kind == 'nil' and 'error raised with nil' or 'error raised with a ' .. kind
end

-- The line of the user's code that is on the stack, innermost first.
local function running_line(source)
  for level = 3, 60 do
    local info = getinfo(level, 'Sl')
    if info == nil then return nil end
    if info.source == source and info.currentline > 0 then return info.currentline end
  end
end

local function arguments_of(step)
  local ok, values = pcall(host.arguments[step])
  if not ok then return {} end
  local rendered = {}
  for k = 1, values.n do
    local v = values[k]
    local kind = type(v)
    local entry = { type = kind, bytes = kind == 'string' and #v or 0 }
    if kind == 'string' then entry.text = sub(v, 1, 200)
    elseif kind == 'number' then entry.text = number_text(v)
    elseif kind == 'cdata' then entry.text = tostring(v); entry.type = 'number'
    elseif kind == 'boolean' then entry.text = v and 'true' or 'false'
    else entry.text = kind end
    rendered[k] = entry
  end
  return rendered
end

local function failure_of(err, line)
  local step = position.step
  return { message = describe(err), line = line, step = step, row = position.row,
    arguments = arguments_of(step) }
end

-- The message handler of every protected call whose failure ends the batch. It runs where the
-- error was raised, so the user's line is still on the stack.
local function capture(err)
  if recorded == nil then
    recorded = { message = 'not enough memory', step = position.step, row = position.row,
      arguments = {} }
    if err ~= 'not enough memory' then
      recorded = failure_of(err, running_line('=' .. host.chunk_names[position.step]))
    end
  end
  return UNWIND
end

-- Counts an error that ON ERROR tolerates, and keeps the first of its step.
function host.note(step, err)
  local noted = host.failures[step]
  if noted == nil then
    position.step = step
    noted = failure_of(err, nil)
    noted.count = 0
    host.failures[step] = noted
  end
  noted.count = noted.count + 1
end

function host.surplus(returned, columns)
  error(format('the function returned %d values, but AS has %d column%s', returned, columns,
    columns == 1 and '' or 's'), 0)
end

-- For rows given to later steps from within user code, which might swallow their errors.
local function unwind(ok)
  if not ok then error(UNWIND, 0) end
end

function host.protected(next_step)
  return function(...) unwind(xpcall(next_step, capture, ...)) end
end

function host.check_unwinding()
  if recorded ~= nil then error(UNWIND, 0) end
end

-- Pushes a whole row; `output` is told, so that it can send what it has when that is enough.
function host.end_row(output)
  local column = cast('const void *', output)
  return function()
    if not end_row(column) then
      recorded = recorded or { message = 'output', step = position.step, row = position.row,
        arguments = {} }
      error(UNWIND, 0)
    end
  end
end

function host.guard_loop(loop)
  return function(rows)
    recorded = nil
    local ok, err = xpcall(loop, capture, rows)
    if ok then return nil end
    return recorded or { message = describe(err), step = position.step, row = position.row,
      arguments = {} }
  end
end

-- Runs the user's chunk in its environment: gives the function, or nil and what is wrong.
function host.start(chunk, env)
  setfenv(chunk, env)
  local ok, value = pcall(chunk)
  if not ok then return nil, describe(value) end
  if type(value) == 'function' then return value end
  return nil, format('the code gives %s instead of a function', show(value))
end

function host.column(address) return cast('const void *', address) end

-- FLATMAP.

function host.emitter(step)
  host.active[step] = false
  return function(...)
    local row = host.active[step]
    if not row then error('emit() works only while the function handles a row', 2) end
    if select('#', ...) == 0 then error('emit() takes the columns of a row', 2) end
    row(...)
  end
end

-- An element that is a table holds the columns of a row: by position, or, where there is nothing
-- at the positions, by name.
local function spread(element, names, row)
  if #element > #names then host.surplus(#element, #names) end
  for k = 1, #names do
    if element[k] ~= nil then return row(unpack(element, 1, #names)) end
  end
  local known, values = {}, {}
  for k = 1, #names do known[names[k]] = k end
  for key, value in next, element do
    if known[key] ~= nil then
      values[known[key]] = value
    elseif key ~= 'n' then
      error(format('a row of the list has the field %s, which is no column of AS', show(key)), 0)
    end
  end
  return row(unpack(values, 1, #names))
end

-- Gives expand(result...), which hands each row of a FLATMAP call's result to `row`.
function host.expander(names, nested, row)
  local function step(...)
    local first = ...
    if first == nil then return nil end
    row(...)
    return first
  end
  return function(first, state, control)
    if first == nil then return end
    if type(first) == 'function' then
      repeat control = step(first(state, control)) until control == nil
    elseif type(first) == 'table' then
      for k = 1, list_length(first) do
        local element = first[k]
        if type(element) == 'table' and (#names > 1 or not nested) then
          spread(element, names, row)
        else
          row(element)
        end
      end
    else
      error(format('FLATMAP takes an iterator, a list or calls of emit(), but got %s',
        show(first)), 0)
    end
  end
end

return host
