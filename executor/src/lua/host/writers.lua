-- Writers: each pushes one fitted value, or nil, on the end of its column.

local host = ...
local floor, rawget = math.floor, rawget
local push_null, push_boolean, push_int = host.push_null, host.push_boolean, host.push_int
local push_uint, push_float, push_bytes = host.push_uint, host.push_float, host.push_bytes
local close_value = host.close_value

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
