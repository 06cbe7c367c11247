#include <sluicebox.h>
#include <stdio.h>

/* Whether columns of this type can be written. */
bool can_write(sb_type type);
/* Writes the rows of a batch as lines. */
void write_lines(FILE *out, sb_batch *batch);
