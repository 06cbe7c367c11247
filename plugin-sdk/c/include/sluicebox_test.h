/* Tests of a stage without a host: `test_stage.c` beside `stage.c`, run by `sluicebox plugin test`.
 *
 *     SB_TEST(texts_are_joined) {
 *         SB_EQUAL(sb_test_transform("{ \"columns\": [\"a\", \"b\"] }", "a utf8, b utf8", "x|y\n" "z|null\n"),
 *                  "a|b|joined\n" "x|y|x-y\n" "z|null|null\n");
 *     }
 *
 * Rows are lines, cells stand between `|`, `null` is null; bytes are hexadecimal. Columns are written as `name type`, with ` not null` behind if
 * they have no nulls. A fault is answered as `fault KIND: MESSAGE`. */
#ifndef SLUICEBOX_TEST_H
#define SLUICEBOX_TEST_H

#include "sluicebox.h"

#ifdef __cplusplus
extern "C" {
#endif

void sb_test_add(const char *name, void (*test)(void));
void sb_test_check(bool holds, const char *what, const char *file, int line);
void sb_test_equal(const char *found, const char *wanted, const char *file, int line);

#define SB_TEST(name)                                                                                                          \
    static void name(void);                                                                                                    \
    __attribute__((constructor)) static void add_##name(void) { sb_test_add(#name, name); }                                   \
    static void name(void)
#define SB_CHECK(condition) sb_test_check(condition, #condition, __FILE__, __LINE__)
#define SB_EQUAL(found, wanted) sb_test_equal(found, wanted, __FILE__, __LINE__)

/* What the stage gives: the names of the columns, then the rows of all batches; of an extract also `bookmark TEXT` at the end. */
const char *sb_test_extract(const char *options, const char *bookmark);
/* Each line of `rows` is a row of one batch. */
const char *sb_test_transform(const char *options, const char *columns, const char *rows);
/* `RULE: 0 3` for each rule that rows break, then `RULE holds: OBSERVED` or `RULE does not hold: OBSERVED`. */
const char *sb_test_validate(const char *options, const char *columns, const char *rows);
/* Writes and prepares, then commits, or aborts, twice; the receipt. */
const char *sb_test_load(const char *options, const char *columns, const char *rows, bool aborts);
/* What was told since it was asked the last time: lines of the log, `counter NAME N`, `quarantined ORIGIN: CONTENT (REASON)`. */
const char *sb_test_told(void);

#ifdef __cplusplus
}
#endif
#endif
