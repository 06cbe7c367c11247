/* Values as JSON. */

#include "encode.h"
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool can_write(sb_type type) { return type != SB_BINARY && type != SB_DECIMAL128 && type != SB_OTHER; }

static void text_of(FILE *out, const char *text, size_t len) {
    fputc('"', out);
    for (size_t i = 0; i < len; i++) {
        unsigned char letter = (unsigned char)text[i];
        if (letter == '"' || letter == '\\') {
            fprintf(out, "\\%c", letter);
        } else if (letter == '\n') {
            fputs("\\n", out);
        } else if (letter == '\r') {
            fputs("\\r", out);
        } else if (letter == '\t') {
            fputs("\\t", out);
        } else if (letter < 0x20) {
            fprintf(out, "\\u%04x", letter);
        } else {
            fputc(letter, out);
        }
    }
    fputc('"', out);
}

/* As JavaScript writes it: the shortest text that is read as the same number. */
static void number_of(FILE *out, double value, bool is_narrow) {
    char text[40], digits[20];
    if (!isfinite(value)) {
        fputs("null", out);
        return;
    }
    /* The smallest numbers have fewer digits than the others. */
    bool is_small = fabs(value) < (is_narrow ? FLT_MIN : DBL_MIN);
    for (int precision = is_small ? 0 : is_narrow ? 5 : 14; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, fabs(value));
        if (is_narrow ? strtof(text, NULL) == fabsf((float)value) : strtod(text, NULL) == fabs(value)) {
            break;
        }
    }
    int len = 0, exponent = atoi(strchr(text, 'e') + 1), whole = exponent + 1;
    for (const char *at = text; *at != 'e'; at++) {
        if (*at != '.') {
            digits[len++] = *at;
        }
    }
    while (len > 1 && digits[len - 1] == '0') {
        len--;
    }
    fputs(signbit(value) ? "-" : "", out);
    if (exponent < -6 || exponent > 20) {
        fprintf(out, "%c%s%.*se%+d", digits[0], len > 1 ? "." : "", len - 1, digits + 1, exponent);
    } else if (exponent < 0) {
        fprintf(out, "0.%.*s%.*s", -whole, "00000", len, digits);
    } else if (len > whole) {
        fprintf(out, "%.*s.%.*s", whole, digits, len - whole, digits + whole);
    } else {
        fprintf(out, "%.*s%.*s", len, digits, whole - len, "00000000000000000000");
    }
}

/* Days since 1970-01-01, by Howard Hinnant's `civil_from_days`: eras of 400 years that begin on 1 March. */
static void date_of(FILE *out, int64_t days) {
    int64_t shifted = days + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097, day = shifted - era * 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365, of_year = day - (365 * year + year / 4 - year / 100);
    int64_t part = (5 * of_year + 2) / 153, month = part < 10 ? part + 3 : part - 9;
    fprintf(out, "%04" PRId64 "-%02" PRId64 "-%02" PRId64, year + era * 400 + (month <= 2 ? 1 : 0), month, of_year - (153 * part + 2) / 5 + 1);
}

static void time_of(FILE *out, int64_t microseconds) {
    const int64_t DAY = 86400000000;
    int64_t within = ((microseconds % DAY) + DAY) % DAY, seconds = within / 1000000;
    date_of(out, (microseconds - within) / DAY);
    fprintf(out, "T%02" PRId64 ":%02" PRId64 ":%02" PRId64, seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (within % 1000000 != 0) {
        fprintf(out, ".%06" PRId64, within % 1000000);
    }
}

static void value_of(FILE *out, const sb_column *column, uint32_t row) {
    sb_text text = sb_text_at(column, row);
    switch (column->field.type) {
    case SB_BOOLEAN: fputs(sb_bool_at(column, row) ? "true" : "false", out); break;
    case SB_UTF8: text_of(out, text.ptr, text.len); break;
    case SB_FLOAT32: number_of(out, (double)sb_floats(column)[row], true); break;
    case SB_FLOAT64: number_of(out, sb_doubles(column)[row], false); break;
    case SB_INT64: fprintf(out, "%" PRId64, sb_int64s(column)[row]); break;
    case SB_UINT64: fprintf(out, "%" PRIu64, sb_uint64s(column)[row]); break;
    case SB_DATE32: fputc('"', out), date_of(out, sb_int32s(column)[row]), fputc('"', out); break;
    case SB_TIMESTAMP: fputc('"', out), time_of(out, sb_int64s(column)[row]), fputc('"', out); break;
    default: fprintf(out, "%.0f", sb_number_at(column, row)); break; /* integers below 2^53 */
    }
}

void write_lines(FILE *out, sb_batch *batch) {
    const sb_schema *schema = sb_schema_of(batch);
    const sb_column **columns = sb_alloc(schema->len * sizeof *columns);
    for (size_t i = 0; i < schema->len; i++) {
        columns[i] = sb_read(batch, schema->fields[i].name);
    }
    for (uint32_t row = 0; row < sb_rows(batch) && !sb_failed(); row++) {
        fputc('{', out);
        for (size_t i = 0; i < schema->len; i++) {
            const char *name = schema->fields[i].name;
            fputs(i > 0 ? "," : "", out);
            text_of(out, name, strlen(name));
            fputc(':', out);
            if (sb_is_null(columns[i], row)) {
                fputs("null", out);
            } else {
                value_of(out, columns[i], row);
            }
        }
        fputs("}\n", out);
    }
}
