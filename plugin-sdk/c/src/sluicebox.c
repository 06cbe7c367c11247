/* The SDK in one source: compile this beside the stage and the generated `gen/KIND/stage.c`, with the kind of the stage defined, e.g.
 * -DSB_KIND_TRANSFORM. */

#include "core.c"
#include "options.c"
#include "batch.c"

#if defined(SB_KIND_EXTRACT)
#include "extract.c"
#elif defined(SB_KIND_TRANSFORM)
#include "transform.c"
#elif defined(SB_KIND_VALIDATE)
#include "validate.c"
#elif defined(SB_KIND_LOAD)
#include "load.c"
#else
#error "define the kind of the stage: SB_KIND_EXTRACT, SB_KIND_TRANSFORM, SB_KIND_VALIDATE or SB_KIND_LOAD"
#endif
