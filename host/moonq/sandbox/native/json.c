/* The quick half of moonq's JSON: what lua/json/reader.lua and lua/json/writer.lua do, in C.

     decode(text, null, null_field, empties, mark, main)  -> value, or nothing: declined
     encode(value, empties, main)                         -> text, or nothing: declined

   Whatever is faulty, unusual or large is declined, and the Lua half answers instead, errors
   included. So this half never raises by itself and knows no words of its own.

   It runs inside the state and asks for memory nowhere else, so the state's limit holds, and an
   error of memory that jumps over it leaves nothing behind. Lua's functions are handed over by name
   (`moonq_json_needs`), since the wheel that has them shows them to nobody; all it needs of a
   state's own layout are the types of their arguments. Every object comes as an argument, so there
   are no upvalues, no registry, and nothing that two states share.

   Nothing interrupts C. A large text is declined, and a call looks now and then whether a hook is
   set on the main coroutine: that is how the watchdog stops a script, so it declines then too.

   Lua ends every string with a zero, which no JSON holds: to stop at it is to stop at the end. */

#include <float.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct lua_State lua_State;
typedef unsigned char byte;

#define LUA(f)                                                   \
  f(int, lua_checkstack, (lua_State *, int))                     \
  f(void, lua_copy, (lua_State *, int, int))                     \
  f(void, lua_createtable, (lua_State *, int, int))              \
  f(void *, lua_gethook, (lua_State *))                          \
  f(int, lua_isinteger, (lua_State *, int))                      \
  f(void *, lua_newuserdatauv, (lua_State *, size_t, int))       \
  f(int, lua_next, (lua_State *, int))                           \
  f(void, lua_pushboolean, (lua_State *, int))                   \
  f(void, lua_pushinteger, (lua_State *, long long))             \
  f(const char *, lua_pushlstring, (lua_State *, const char *, size_t)) \
  f(void, lua_pushnil, (lua_State *))                            \
  f(void, lua_pushnumber, (lua_State *, double))                 \
  f(void, lua_pushvalue, (lua_State *, int))                     \
  f(int, lua_rawget, (lua_State *, int))                         \
  f(void, lua_rawset, (lua_State *, int))                        \
  f(void, lua_rawseti, (lua_State *, int, long long))            \
  f(void, lua_settop, (lua_State *, int))                        \
  f(size_t, lua_stringtonumber, (lua_State *, const char *))     \
  f(int, lua_toboolean, (lua_State *, int))                      \
  f(long long, lua_tointegerx, (lua_State *, int, int *))        \
  f(const char *, lua_tolstring, (lua_State *, int, size_t *))   \
  f(double, lua_tonumberx, (lua_State *, int, int *))            \
  f(lua_State *, lua_tothread, (lua_State *, int))               \
  f(int, lua_type, (lua_State *, int))

#define DECLARE(result, name, arguments) static result(*name) arguments;
#define NAME(result, name, arguments) #name,
#define SLOT(result, name, arguments) &name,
#define SHOWN __attribute__((visibility("default")))

LUA(DECLARE)
static void *const slots[] = {LUA(SLOT)};

/* Which text this was compiled from: the host refuses a library that is older than its source. */
SHOWN const char moonq_json_source[] = MOONQ_SOURCE;

/* The names of Lua's functions, and what takes their addresses in the same order. */
SHOWN const char *const moonq_json_needs[] = {LUA(NAME) NULL};
SHOWN void moonq_json_bind(void *const *addresses) {
  for (size_t at = 0; at < sizeof slots / sizeof *slots; at++)
    memcpy(slots[at], &addresses[at], sizeof(void *));
}

/* Another copy of this library, opened under another name, has no functions and declines. */
static int is_bound(void) { return lua_type != NULL; }

enum { BOOLEAN = 1, NUMBER = 3, STRING = 4, TABLE = 5 };
/* As in the Lua halves. */
enum { MAX_DEPTH = 128, ROOM = 4 };
/* Bytes of a text, read or written; and how many values lie between two looks at the hook. */
enum { MOST = 1 << 20, LOOK = 256 };

static const double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
/* Whether `double` is computed as such: else one division would round twice. */
enum { IS_EXACT = FLT_EVAL_METHOD == 0 };

static int is_digit(byte c) { return c >= '0' && c <= '9'; }
static int follows(byte c) { return (c & 0xC0) == 0x80; }

/* The length of the UTF-8 sequence at `s`, as strict as utf8.len; 0 when it is none. */
static int sequence(const byte *s) {
  if (s[0] < 0xC2 || s[0] > 0xF4 || !follows(s[1])) return 0;
  if (s[0] < 0xE0) return 2;
  if (!follows(s[2])) return 0;
  if (s[0] < 0xF0)
    return (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ? 0 : 3;
  if (!follows(s[3])) return 0;
  return (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F) ? 0 : 4;
}

/* Behind all that a JSON string may hold as it is: at a quote, a backslash, a control character,
   a zero, or a byte that is no UTF-8. */
static const byte *plain_end(const byte *s) {
  for (;;) {
    while (*s >= ' ' && *s < 0x80 && *s != '"' && *s != '\\') s++;
    int length = *s < 0x80 ? 0 : sequence(s);
    if (!length) return s;
    s += length;
  }
}

/* ---- Reading: each reads on at `at` and pushes one value, or answers 0. ---------------------- */

enum { TEXT = 1, NULL_VALUE, NULL_FIELD, EMPTIES, MARK, MAIN };

typedef struct {
  lua_State *L, *main;
  const byte *at;
  unsigned seen;
} Reader;

static int read_value(Reader *r, int depth, int null);

static byte next_mark(Reader *r) {
  while (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t') r->at++;
  return *r->at;
}

static int hex4(const byte *s) {
  int code = 0;
  for (int place = 0; place < 4; place++) {
    byte c = s[place], letter = c | 0x20;
    int digit = is_digit(c) ? c - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
    if (digit < 0) return -1;
    code = code << 4 | digit;
  }
  return code;
}

static char *put_code(char *out, int code) {
  static const byte leads[] = {0, 0xC0, 0xE0, 0xF0};
  int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  *out++ = (char)(leads[more] | code >> 6 * more);
  while (more--) *out++ = (char)(0x80 | (code >> 6 * more & 0x3F));
  return out;
}

/* Puts what the escape behind a backslash at `*at` means, never more bytes than it has. */
static char *put_escape(char *out, const byte **at) {
  static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
  byte letter = *(*at)++;
  if (letter != 'u') {
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (!found) return NULL;
    *out = meanings[found - letters];
    return out + 1;
  }
  int code = hex4(*at);
  if (code < 0 || (code >= 0xDC00 && code <= 0xDFFF)) return NULL;
  *at += 4;
  if (code >= 0xD800 && code < 0xDC00) {
    int low = (*at)[0] == '\\' && (*at)[1] == 'u' ? hex4(*at + 2) : -1;
    if (low < 0xDC00 || low > 0xDFFF) return NULL;
    *at += 6;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  return put_code(out, code);
}

/* A string with escapes; what it means is never longer than how it is written. */
static int read_escaped(Reader *r, const byte *start) {
  const byte *end = start;
  while (*end != '"') {
    if (*end == '\\') end++;
    if (*end++ < ' ') return 0;
  }
  char local[512], *text = local;
  if ((size_t)(end - start) > sizeof local)
    text = lua_newuserdatauv(r->L, (size_t)(end - start), 0);
  char *out = text;
  for (const byte *at = start;;) {
    const byte *stop = plain_end(at);
    memcpy(out, at, (size_t)(stop - at));
    out += stop - at;
    if (stop == end) break;
    if (*stop != '\\') return 0;
    at = stop + 1;
    out = put_escape(out, &at);
    if (!out) return 0;
  }
  lua_pushlstring(r->L, text, (size_t)(out - text));
  if (text != local) {
    lua_copy(r->L, -1, -2);
    lua_settop(r->L, -2);
  }
  r->at = end + 1;
  return 1;
}

static int read_string(Reader *r) {
  const byte *start = ++r->at, *end = plain_end(start);
  if (*end == '\\') return read_escaped(r, start);
  if (*end != '"') return 0;
  lua_pushlstring(r->L, (const char *)start, (size_t)(end - start));
  r->at = end + 1;
  return 1;
}

/* What Lua's own `tonumber` makes of it. */
static int read_by_lua(Reader *r, const byte *end) {
  char text[128];
  size_t length = (size_t)(end - r->at);
  if (length >= sizeof text) return 0;
  memcpy(text, r->at, length);
  text[length] = 0;
  if (lua_stringtonumber(r->L, text) != length + 1) return 0;
  double value = lua_tonumberx(r->L, -1, NULL);
  r->at = end;
  return value - value == 0;
}

static int read_number(Reader *r) {
  int is_negative = *r->at == '-';
  const byte *at = r->at + is_negative, *first = at, *point = NULL;
  uint64_t digits = 0;
  if (!is_digit(*at)) return 0;
  if (*at == '0')
    at++;
  else
    for (; is_digit(*at); at++) digits = digits * 10 + (*at - '0');
  ptrdiff_t count = at - first;
  if (*at == '.') {
    point = ++at;
    if (!is_digit(*at)) return 0;
    for (; is_digit(*at); at++) digits = digits * 10 + (*at - '0');
    count = at - first - 1;
  }
  if (*at == 'e' || *at == 'E') {
    at++;
    if (*at == '+' || *at == '-') at++;
    if (!is_digit(*at)) return 0;
    while (is_digit(*at)) at++;
  } else if (!point && count <= 18) {
    lua_pushinteger(r->L, is_negative ? -(int64_t)digits : (int64_t)digits);
    r->at = at;
    return 1;
  } else if (point && count <= 15 && IS_EXACT) {
    /* Both are exact, so their quotient is rounded once, as it is when all of it is read. */
    double value = (double)digits / POWERS[at - point];
    lua_pushnumber(r->L, is_negative ? -value : value);
    r->at = at;
    return 1;
  }
  return read_by_lua(r, at);
}

static int read_object(Reader *r, int depth) {
  if (depth == MAX_DEPTH || !lua_checkstack(r->L, 5)) return 0;
  lua_createtable(r->L, 0, ROOM);
  r->at++;
  if (next_mark(r) == '}') {
    r->at++;
    return 1;
  }
  for (;;) {
    if (*r->at != '"' || !read_string(r)) return 0;
    if (next_mark(r) != ':') return 0;
    r->at++;
    next_mark(r);
    if (!read_value(r, depth + 1, NULL_FIELD)) return 0;
    lua_rawset(r->L, -3);
    byte mark = next_mark(r);
    r->at++;
    if (mark == '}') return 1;
    if (mark != ',') return 0;
    next_mark(r);
  }
}

static int read_list(Reader *r, int depth) {
  if (depth == MAX_DEPTH || !lua_checkstack(r->L, 5)) return 0;
  lua_createtable(r->L, ROOM, 0);
  lua_pushvalue(r->L, -1);
  lua_pushvalue(r->L, MARK);
  lua_rawset(r->L, EMPTIES);
  r->at++;
  if (next_mark(r) == ']') {
    r->at++;
    return 1;
  }
  for (int place = 1;; place++) {
    if (!read_value(r, depth + 1, NULL_VALUE)) return 0;
    lua_rawseti(r->L, -2, place);
    byte mark = next_mark(r);
    r->at++;
    if (mark == ']') return 1;
    if (mark != ',') return 0;
    next_mark(r);
  }
}

static int read_word(Reader *r, const char *word) {
  size_t length = strlen(word);
  if (strncmp((const char *)r->at, word, length) != 0) return 0;
  r->at += length;
  return 1;
}

static int read_value(Reader *r, int depth, int null) {
  if (++r->seen % LOOK == 0 && lua_gethook(r->main)) return 0;
  switch (*r->at) {
    case '"': return read_string(r);
    case '{': return read_object(r, depth);
    case '[': return read_list(r, depth);
    case 't':
    case 'f':
      lua_pushboolean(r->L, *r->at == 't');
      return read_word(r, *r->at == 't' ? "true" : "false");
    case 'n':
      lua_pushvalue(r->L, null);
      return read_word(r, "null");
    default: return read_number(r);
  }
}

SHOWN int moonq_json_decode(lua_State *L) {
  if (!is_bound()) return 0;
  lua_State *main = lua_tothread(L, MAIN);
  size_t length;
  if (lua_type(L, TEXT) != STRING || lua_type(L, EMPTIES) != TABLE || !main) return 0;
  const byte *text = (const byte *)lua_tolstring(L, TEXT, &length);
  if (length > MOST || lua_gethook(main)) return 0;
  Reader r = {L, main, text, 0};
  next_mark(&r);
  if (!read_value(&r, 0, NULL_VALUE)) return 0;
  next_mark(&r);
  return r.at == text + length;
}

/* ---- Writing: each writes the value on the top of the stack and leaves it, or answers 0. ----- */

enum { VALUE = 1, EMPTY, MAIN_THREAD, BUFFER };

typedef struct {
  lua_State *L, *main;
  char *text;
  size_t used, room;
  unsigned seen;
} Writer;

static int write_value(Writer *w, int depth);

/* Makes room for some more bytes; the old text stays anchored until it was copied. */
static int reserve(Writer *w, size_t more) {
  /* Looked at first: what there is room for may still be too much. */
  if (more > MOST - w->used) return 0;
  if (more <= w->room - w->used) return 1;
  size_t room = 2 * w->room > w->used + more ? 2 * w->room : w->used + more;
  char *text = lua_newuserdatauv(w->L, room, 0);
  memcpy(text, w->text, w->used);
  lua_copy(w->L, -1, BUFFER);
  lua_settop(w->L, -2);
  w->text = text;
  w->room = room;
  return 1;
}

static int put(Writer *w, const char *text, size_t length) {
  if (!reserve(w, length)) return 0;
  memcpy(w->text + w->used, text, length);
  w->used += length;
  return 1;
}

static int put_escaped(Writer *w, byte c) {
  static const char meant[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
  const char *found = c ? strchr(meant, c) : NULL;
  char text[8];
  if (found) {
    text[0] = '\\';
    text[1] = letters[found - meant];
    return put(w, text, 2);
  }
  snprintf(text, sizeof text, "\\u%04x", c);
  return put(w, text, 6);
}

static int write_string(Writer *w, int index) {
  size_t length;
  const byte *at = (const byte *)lua_tolstring(w->L, index, &length), *end = at + length;
  if (length > MOST || !reserve(w, length + 2)) return 0;
  w->text[w->used++] = '"';
  for (;;) {
    const byte *stop = plain_end(at);
    if (!put(w, (const char *)at, (size_t)(stop - at))) return 0;
    if (stop == end) return put(w, "\"", 1);
    if (*stop >= 0x80 || !put_escaped(w, *stop)) return 0;
    at = stop + 1;
  }
}

static int put_digits(Writer *w, uint64_t number, int is_negative) {
  char text[24], *at = text + sizeof text;
  do *--at = (char)('0' + number % 10);
  while (number /= 10);
  if (is_negative) *--at = '-';
  return put(w, at, (size_t)(text + sizeof text - at));
}

static int write_integer(Writer *w) {
  long long value = lua_tointegerx(w->L, -1, NULL);
  return put_digits(w, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
}

/* A float with few decimals: two texts of up to 14 digits never read as the same float, so the one
   that reads as this float is the one that `tostring` gives. Answers -1 when it is not so simple. */
static int write_short_float(Writer *w, double value) {
  int is_negative = value < 0 || (value == 0 && 1 / value < 0);
  double size = is_negative ? -value : value;
  if (!IS_EXACT || !(size == 0 || (size >= 1e-4 && size < 1e9))) return -1;
  for (int places = 0; places <= 5; places++) {
    uint64_t digits = (uint64_t)(size * POWERS[places] + 0.5), scale = (uint64_t)POWERS[places];
    if ((double)digits / POWERS[places] != size) continue;
    if (!put_digits(w, digits / scale, is_negative)) return 0;
    if (places == 0) return put(w, ".0", 2);
    char text[8] = ".";
    for (int at = places; at > 0; at--, digits /= 10) text[at] = (char)('0' + digits % 10);
    return put(w, text, (size_t)places + 1);
  }
  return -1;
}

static int write_float(Writer *w) {
  double value = lua_tonumberx(w->L, -1, NULL);
  if (value - value != 0) return 0;
  int is_written = write_short_float(w, value);
  if (is_written >= 0) return is_written;
  char text[40];
  int length, digits = 14;
  do length = snprintf(text, sizeof text - 2, "%.*g", digits, value);
  while (strtod(text, NULL) != value && digits++ < 17);
  size_t plain = strspn(text, "-0123456789"), known = strspn(text, "-+.e0123456789");
  /* Where the locale has another decimal point. */
  if (known != (size_t)length) return 0;
  return put(w, text, known) && (plain != known || put(w, ".0", 2));
}

static int write_empty(Writer *w) {
  size_t length;
  lua_pushvalue(w->L, -1);
  int kind = lua_rawget(w->L, EMPTY);
  const char *text = kind == STRING ? lua_tolstring(w->L, -1, &length) : NULL;
  int is_written = text ? put(w, text, length) : put(w, "{}", 2);
  lua_settop(w->L, -2);
  return is_written;
}

/* Key and value are on the top. */
static int write_item(Writer *w, int depth, long long place, int is_list) {
  if (!put(w, place > 1 ? "," : is_list ? "[" : "{", 1)) return 0;
  if (is_list) {
    if (!lua_isinteger(w->L, -2) || lua_tointegerx(w->L, -2, NULL) != place) return 0;
  } else if (lua_type(w->L, -2) != STRING || !write_string(w, -2) || !put(w, ":", 1)) {
    return 0;
  }
  return write_value(w, depth);
}

static int write_table(Writer *w, int depth) {
  /* One step over a table that once was large takes long, so the hook is looked at for each. */
  if (lua_gethook(w->main) || !lua_checkstack(w->L, 5)) return 0;
  lua_pushnil(w->L);
  if (!lua_next(w->L, -2)) return write_empty(w);
  if (depth == MAX_DEPTH) return 0;
  int is_list = lua_isinteger(w->L, -2) && lua_tointegerx(w->L, -2, NULL) == 1;
  for (long long place = 1;; place++) {
    if (!write_item(w, depth + 1, place, is_list)) return 0;
    lua_settop(w->L, -2);
    if (!lua_next(w->L, -2)) return put(w, is_list ? "]" : "}", 1);
  }
}

static int write_value(Writer *w, int depth) {
  if (++w->seen % LOOK == 0 && lua_gethook(w->main)) return 0;
  switch (lua_type(w->L, -1)) {
    case STRING: return write_string(w, -1);
    case NUMBER: return lua_isinteger(w->L, -1) ? write_integer(w) : write_float(w);
    case TABLE: return write_table(w, depth);
    case BOOLEAN:
      return lua_toboolean(w->L, -1) ? put(w, "true", 4) : put(w, "false", 5);
    default: return 0;
  }
}

SHOWN int moonq_json_encode(lua_State *L) {
  char local[2048];
  if (!is_bound()) return 0;
  lua_State *main = lua_tothread(L, MAIN_THREAD);
  if (lua_type(L, EMPTY) != TABLE || !main || lua_gethook(main)) return 0;
  lua_settop(L, BUFFER);
  lua_pushvalue(L, VALUE);
  Writer w = {L, main, local, 0, sizeof local, 0};
  if (!write_value(&w, 0)) return 0;
  lua_pushlstring(L, w.text, w.used);
  return 1;
}
