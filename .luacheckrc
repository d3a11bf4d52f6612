-- For `make lint`: the files of engine/acd/lua are one library, and are checked as one.
std = "lua51"
read_globals = { "redis", "cjson", "cmsgpack" }
max_line_length = false
