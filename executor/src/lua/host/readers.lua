-- Readers: values of input columns. Each gives read(i), the Lua value of row i or nil, and bind(), called once a batch
-- after the parent's side has filled the slots:
--   +0 values  +1 offsets  +2 validity bitmap or 0  +3 first bit of validity  +4 first bit of values

local host = ...
local cast, ffi_string, tonumber = ffi.cast, ffi.string, tonumber
local band, rshift, slots = bit.band, bit.rshift, host.slots
local narrow_signed, narrow_unsigned = host.narrow_signed, host.narrow_unsigned
local BYTES, INTS, LONGS = ffi.typeof('const uint8_t *'), ffi.typeof('const int32_t *'),
  ffi.typeof('const int64_t *')
local ULONGS, DOUBLES = ffi.typeof('const uint64_t *'), ffi.typeof('const double *')

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
