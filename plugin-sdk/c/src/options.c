/* Options: a JSON Schema for the host, and their values. */

#include "internal.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- JSON ---- */

#define DEPTH_MAX 64

typedef struct parser {
    const char *at, *end;
    int depth;
} parser;

static void blanks(parser *p) {
    while (p->at < p->end && strchr(" \t\r\n", *p->at) != NULL && *p->at != 0) {
        p->at++;
    }
}

static bool word(parser *p, const char *word) {
    size_t len = strlen(word);
    if ((size_t)(p->end - p->at) < len || memcmp(p->at, word, len) != 0) {
        return false;
    }
    p->at += len;
    return true;
}

static int hex(parser *p) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
        if (p->at >= p->end) {
            return -1;
        }
        char digit = *p->at++;
        int one = digit >= '0' && digit <= '9' ? digit - '0'
                  : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                  : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                                 : -1;
        if (one < 0) {
            return -1;
        }
        value = value * 16 + one;
    }
    return value;
}

static size_t utf8(char *out, unsigned code) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* Behind the opening quote. */
static const char *text_of(parser *p, size_t *len) {
    char *out = sb_alloc((size_t)(p->end - p->at) + 1);
    size_t used = 0;
    while (p->at < p->end && *p->at != '"') {
        if ((unsigned char)*p->at < 0x20) {
            return NULL;
        }
        if (*p->at != '\\') {
            out[used++] = *p->at++;
            continue;
        }
        if (++p->at >= p->end) {
            return NULL;
        }
        char escape = *p->at++;
        const char *plain = strchr("\"\"\\\\//b\bf\fn\nr\rt\t", escape);
        if (escape == 'u') {
            int code = hex(p);
            if (code >= 0xd800 && code < 0xdc00 && word(p, "\\u")) {
                int low = hex(p);
                code = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : -1;
            } else if (code >= 0xd800 && code < 0xe000) {
                code = 0xfffd;
            }
            if (code < 0) {
                return NULL;
            }
            used += utf8(out + used, (unsigned)code);
        } else if (plain != NULL && escape != 0) {
            out[used++] = plain[1];
        } else {
            return NULL;
        }
    }
    if (p->at >= p->end) {
        return NULL;
    }
    p->at++;
    *len = used;
    return out;
}

static sb_json *value_of(parser *p);

static bool items_of(parser *p, sb_json *into, char close) {
    sb_json *last = NULL;
    p->at++;
    blanks(p);
    if (p->at < p->end && *p->at == close) {
        p->at++;
        return true;
    }
    for (;;) {
        const char *key = NULL;
        size_t len = 0;
        blanks(p);
        if (close == '}') {
            if (!word(p, "\"") || (key = text_of(p, &len)) == NULL) {
                return false;
            }
            blanks(p);
            if (!word(p, ":")) {
                return false;
            }
        }
        sb_json *item = value_of(p);
        if (item == NULL) {
            return false;
        }
        item->key = key;
        *(last == NULL ? &into->items : &last->next) = item;
        last = item;
        into->count++;
        blanks(p);
        if (word(p, ",")) {
            continue;
        }
        if (p->at < p->end && *p->at == close) {
            p->at++;
            return true;
        }
        return false;
    }
}

static sb_json *value_of(parser *p) {
    blanks(p);
    if (p->at >= p->end || p->depth >= DEPTH_MAX) {
        return NULL;
    }
    sb_json *value = sb_alloc(sizeof(sb_json));
    if (*p->at == '"') {
        p->at++;
        value->kind = SB_JSON_TEXT;
        value->text = text_of(p, &value->text_len);
        return value->text == NULL ? NULL : value;
    }
    if (*p->at == '[' || *p->at == '{') {
        bool is_list = *p->at == '[';
        value->kind = is_list ? SB_JSON_LIST : SB_JSON_OBJECT;
        p->depth++;
        bool fits = items_of(p, value, is_list ? ']' : '}');
        p->depth--;
        return fits ? value : NULL;
    }
    if (word(p, "true") || word(p, "false")) {
        value->kind = SB_JSON_BOOL;
        value->truth = p->at[-2] == 'u';
        return value;
    }
    if (word(p, "null")) {
        value->kind = SB_JSON_NULL;
        return value;
    }
    size_t len = strspn(p->at, "+-0123456789.eE");
    if (len == 0 || len > (size_t)(p->end - p->at)) {
        return NULL;
    }
    value->kind = SB_JSON_NUMBER;
    value->text = sb_print("%.*s", (int)len, p->at);
    value->text_len = len;
    p->at += len;
    return value;
}

const sb_json *sb_json_parse(const char *text, size_t len) {
    /* A copy, so that there is a NUL behind it. */
    char *own = sb_alloc(len + 1);
    memcpy(own, text, len);
    parser p = {.at = own, .end = own + len, .depth = 0};
    sb_json *value = value_of(&p);
    blanks(&p);
    if (value == NULL || p.at != p.end) {
        sb_fail(SB_INVALID_CONFIG, "the options are no JSON (byte %zu)", (size_t)(p.at - own));
        return NULL;
    }
    return value;
}

const sb_json *sb_json_member(const sb_json *object, const char *key) {
    for (const sb_json *item = object == NULL ? NULL : object->items; item != NULL; item = item->next) {
        if (item->key != NULL && strcmp(item->key, key) == 0) {
            return item;
        }
    }
    return NULL;
}

size_t sb_json_count(const sb_json *list) { return list == NULL ? 0 : list->count; }

const sb_json *sb_json_item(const sb_json *list, size_t at) {
    const sb_json *item = list == NULL ? NULL : list->items;
    while (item != NULL && at-- > 0) {
        item = item->next;
    }
    return item;
}

const char *sb_json_text(const sb_json *text) { return text != NULL && text->kind == SB_JSON_TEXT ? text->text : ""; }

/* ---- The schema ---- */

static void bound(sb_out *out, const char *key, const int64_t *value) {
    if (value != NULL) {
        char text[64];
        snprintf(text, sizeof text, ",\"%s\":%lld", key, (long long)*value);
        sb_out_text(out, text);
    }
}

char *sb_options_schema(void) {
    static const char *const TYPES[] = {"string", "integer", "number", "boolean", "array", ""};
    sb_out out = {0};
    sb_out_text(&out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
    for (size_t i = 0; i < sb_stage.options_len; i++) {
        const sb_option *option = &sb_stage.options[i];
        bool is_list = option->type == SB_TEXTS;
        sb_out_text(&out, i > 0 ? "," : "");
        sb_out_json(&out, option->name);
        sb_out_text(&out, ":{\"description\":");
        sb_out_json(&out, option->description);
        if (option->type == SB_JSON) {
            /* Its members without the braces. */
            const char *schema = option->schema == NULL ? "{}" : option->schema;
            size_t len = strlen(schema);
            if (len > 2) {
                char *members = sb_print(",%.*s", (int)len - 2, schema + 1);
                sb_out_text(&out, members);
            }
        } else {
            sb_out_text(&out, ",\"type\":\"");
            sb_out_text(&out, TYPES[option->type]);
            sb_out_text(&out, "\"");
        }
        if (is_list) {
            sb_out_text(&out, ",\"items\":{\"type\":\"string\"}");
        }
        if (option->choices != NULL) {
            sb_out_text(&out, ",\"enum\":[");
            for (const char *const *choice = option->choices; *choice != NULL; choice++) {
                sb_out_text(&out, choice == option->choices ? "" : ",");
                sb_out_json(&out, *choice);
            }
            sb_out_text(&out, "]");
        }
        bool is_text = option->type == SB_TEXT;
        bound(&out, is_list ? "minItems" : is_text ? "minLength" : "minimum", option->at_least);
        bound(&out, is_list ? "maxItems" : is_text ? "maxLength" : "maximum", option->at_most);
        if (option->fallback != NULL) {
            sb_out_text(&out, ",\"default\":");
            sb_out_text(&out, option->fallback);
        }
        sb_out_text(&out, "}");
    }
    sb_out_text(&out, "},\"required\":[");
    bool is_first = true;
    for (size_t i = 0; i < sb_stage.options_len; i++) {
        if (sb_stage.options[i].fallback == NULL && !sb_stage.options[i].optional) {
            sb_out_text(&out, is_first ? "" : ",");
            sb_out_json(&out, sb_stage.options[i].name);
            is_first = false;
        }
    }
    sb_out_text(&out, "]}");
    return out.text;
}

/* ---- The values ---- */

/* The text of the options, kept; parsed again in each call that looks at them. */
static char *kept;
static size_t kept_len;

static const char *unfit(const sb_option *option, const sb_json *value) {
    double number = value->kind == SB_JSON_NUMBER ? strtod(value->text, NULL) : 0;
    double size = number;
    switch (option->type) {
    case SB_TEXT:
        if (value->kind != SB_JSON_TEXT) {
            return "a text";
        }
        size = (double)value->text_len;
        break;
    case SB_INTEGER: {
        char *end = NULL;
        errno = 0;
        if (value->kind == SB_JSON_NUMBER) {
            strtoll(value->text, &end, 10);
        }
        if (value->kind != SB_JSON_NUMBER || *end != 0 || errno != 0) {
            return "a whole number of 64 bits";
        }
        break;
    }
    case SB_NUMBER:
        if (value->kind != SB_JSON_NUMBER) {
            return "a number";
        }
        break;
    case SB_FLAG:
        return value->kind == SB_JSON_BOOL ? NULL : "true or false";
    case SB_TEXTS:
        if (value->kind != SB_JSON_LIST) {
            return "a list of texts";
        }
        for (const sb_json *item = value->items; item != NULL; item = item->next) {
            if (item->kind != SB_JSON_TEXT) {
                return "a list of texts";
            }
        }
        size = (double)value->count;
        break;
    default:
        return NULL;
    }
    if (option->at_least != NULL && size < (double)*option->at_least) {
        return sb_print("at least %lld", (long long)*option->at_least);
    }
    if (option->at_most != NULL && size > (double)*option->at_most) {
        return sb_print("at most %lld", (long long)*option->at_most);
    }
    if (option->choices != NULL) {
        const char *list = "";
        for (const char *const *choice = option->choices; *choice != NULL; choice++) {
            if (strcmp(*choice, sb_json_text(value)) == 0) {
                return NULL;
            }
            list = sb_print("%s%s\"%s\"", list, *list == 0 ? "" : " or ", *choice);
        }
        return list;
    }
    return NULL;
}

static const sb_option *known(const char *name) {
    for (size_t i = 0; i < sb_stage.options_len; i++) {
        if (strcmp(sb_stage.options[i].name, name) == 0) {
            return &sb_stage.options[i];
        }
    }
    return NULL;
}

void sb_read_options(stage_string_t *config) {
    free(kept);
    kept_len = config->len;
    kept = sb_keep(config->len + 1);
    if (config->len > 0) {
        memcpy(kept, config->ptr, config->len);
        free(config->ptr);
    }
    const sb_json *all = sb_json_parse(kept, kept_len);
    if (all == NULL) {
        return;
    }
    if (all->kind != SB_JSON_OBJECT) {
        sb_fail(SB_INVALID_CONFIG, "the options are no table");
        return;
    }
    for (const sb_json *item = all->items; item != NULL; item = item->next) {
        const sb_option *option = known(item->key);
        if (option == NULL) {
            sb_fail(SB_INVALID_CONFIG, "there is no option `%s`", item->key);
            return;
        }
        const char *wanted = unfit(option, item);
        if (wanted != NULL) {
            sb_fail(SB_INVALID_CONFIG, "the option `%s` has to be %s", item->key, wanted);
            return;
        }
    }
    for (size_t i = 0; i < sb_stage.options_len; i++) {
        const sb_option *option = &sb_stage.options[i];
        if (option->fallback == NULL && !option->optional && sb_json_member(all, option->name) == NULL) {
            sb_fail(SB_INVALID_CONFIG, "the option `%s` is missing: %s", option->name, option->description);
            return;
        }
    }
}

const sb_json *sb_option_json(const char *name) {
    const sb_option *option = known(name);
    if (option == NULL) {
        sb_fail(SB_INTERNAL, "the stage asks for an option `%s` that it has not", name);
        return NULL;
    }
    const sb_json *all = kept == NULL ? NULL : sb_json_parse(kept, kept_len);
    const sb_json *found = sb_json_member(all, name);
    if (found == NULL && option->fallback != NULL) {
        found = sb_json_parse(option->fallback, strlen(option->fallback));
    }
    return found;
}

bool sb_option_given(const char *name) { return sb_option_json(name) != NULL; }

const char *sb_option_text(const char *name) { return sb_json_text(sb_option_json(name)); }

int64_t sb_option_integer(const char *name) {
    const sb_json *value = sb_option_json(name);
    return value != NULL && value->kind == SB_JSON_NUMBER ? (int64_t)strtoll(value->text, NULL, 10) : 0;
}

double sb_option_number(const char *name) {
    const sb_json *value = sb_option_json(name);
    return value != NULL && value->kind == SB_JSON_NUMBER ? strtod(value->text, NULL) : 0;
}

bool sb_option_flag(const char *name) {
    const sb_json *value = sb_option_json(name);
    return value != NULL && value->kind == SB_JSON_BOOL && value->truth;
}

size_t sb_option_count(const char *name) { return sb_json_count(sb_option_json(name)); }

const char *sb_option_item(const char *name, size_t at) { return sb_json_text(sb_json_item(sb_option_json(name), at)); }
