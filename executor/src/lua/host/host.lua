-- The base of the host's runtime inside the child. Gets the addresses that child and loop share;
-- gives the table `host`, which the files beside this one fill, in the order of host.rs.
--
-- User code can reach none of this: it runs in an environment of its own (sandbox.lua), and these
-- files keep local copies of every library function they call.
local addresses = ...
ffi = ffi or require('ffi')
local cast, tostring, format, sub, type = ffi.cast, tostring, string.format, string.sub, type
local floor, tonumber, jit_options = math.floor, tonumber, jit.opt.start

-- The loop over a wide row is one long trace; the defaults are for narrower ones.
jit_options('maxtrace=4000', 'maxrecord=32000', 'maxirconst=4000', 'maxsnap=8000',
  'maxmcode=32768')

-- The layout of `Position` in number.rs.
ffi.cdef [[
typedef struct {
  int32_t row;
  int32_t step;
  int64_t signed_number;
  uint64_t unsigned_number;
  double float_number;
} gleam_position;
]]

local host = {
  trace_info = debug.getregistry()._PRELOAD['jit.util']().traceinfo,
  pcall = pcall, select = select,
  -- By step: what is noted of tolerated failures, a function that gives the arguments of the current
  -- call, the name of the chunk, the user's function, and, while it handles a row of a FLATMAP,
  -- the function that takes its rows.
  noted = {}, arguments = {}, chunk_names = {}, functions = {}, active = {},
  position = cast('gleam_position *', addresses.position),
  slots = cast('const uint64_t *', addresses.slots),
  int64 = ffi.typeof('int64_t'), uint64 = ffi.typeof('uint64_t'),
  push_null = cast('void (*)(const void *)', addresses.push_null),
  push_boolean = cast('void (*)(const void *, bool)', addresses.push_boolean),
  push_int = cast('void (*)(const void *, int64_t)', addresses.push_int),
  push_uint = cast('void (*)(const void *, uint64_t)', addresses.push_uint),
  push_float = cast('void (*)(const void *, double)', addresses.push_float),
  push_bytes = cast('void (*)(const void *, const char *, size_t)', addresses.push_bytes),
  close_value = cast('void (*)(const void *)', addresses.close_value),
  send_beat = cast('bool (*)(const void *)', addresses.beat),
  push_row = cast('bool (*)(const void *)', addresses.end_row),
  is_utf8 = cast('bool (*)(const char *, size_t)', addresses.is_utf8),
  parse = cast('int (*)(void *, const char *, size_t)', addresses.parse),
}

-- Hoisting out of the loop keeps what belongs to each column alive at once, which for wide rows is
-- more than a trace can hold, and so costs the whole trace.
function host.expect_wide_rows() jit_options('-loop') end

function host.column(address) return cast('const void *', address) end

-- Lua values within 2^53 are numbers; beyond it, 64-bit cdata.

function host.narrow_signed(v)
  if v >= -9007199254740992LL and v <= 9007199254740992LL then return tonumber(v) end
  return v
end

function host.narrow_unsigned(v)
  if v <= 9007199254740992ULL then return tonumber(v) end
  return v
end

-- How many elements a list has: its field `n` where that is a count, else `#`.
function host.list_length(list)
  local n = list.n
  if type(n) == 'number' and n >= 0 and n <= 2147483647 and n == floor(n) then return n end
  return #list
end

-- Whole numbers up to 2^53 with all their digits and no ".0"; others with the fewest digits that read back the same.
function host.number_text(v)
  if v == floor(v) and v >= -9007199254740992 and v <= 9007199254740992 then
    return format('%d', v)
  end
  for digits = 15, 16 do
    local text = format('%.' .. digits .. 'g', v)
    if tonumber(text) == v then return text end
  end
  return format('%.17g', v)
end

local int64, uint64, istype = host.int64, host.uint64, ffi.istype

-- A value in a message.
function host.show(v)
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

return host
