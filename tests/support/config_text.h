/* config_text.h - load a configuration from a text of a test. */
#ifndef TESTS_SUPPORT_CONFIG_TEXT_H
#define TESTS_SUPPORT_CONFIG_TEXT_H

#include "base/cleanup.h" /* for scoped_buffer */
#include "config/config.h"

/** Load @text under the name "f", expecting no problem; the test fails with what is wrong. */
struct config *config_text_load(const char *text);

/** Load @length bytes; NULL: *@problems has why, else it stays empty. The bytes end at an unmapped page. */
struct config *config_text_try(const char *text, size_t length, struct buffer *problems);

/** Load @text, expecting exactly the @expected problems. */
void config_text_refused(const char *text, const char *expected);

#endif
