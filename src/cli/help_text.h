/* help_text.h - the shape of --help: titles, and rows of two columns in 80. */
#ifndef CLI_HELP_TEXT_H
#define CLI_HELP_TEXT_H

#include <stdio.h>

/** A blank line and @title. */
void help_title(FILE *out, const char *title);

/** @left, and @text beside it, broken at blanks into as many lines as it takes. */
void help_row(FILE *out, const char *left, const char *text);

#endif
