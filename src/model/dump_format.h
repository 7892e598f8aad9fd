/* dump_format.h - the formats in which a dump of chunks can be had. */
#ifndef MODEL_DUMP_FORMAT_H
#define MODEL_DUMP_FORMAT_H

/** Output formats of a dump: enumerator, name, content type. */
#define DUMP_FORMAT_TABLE(X)                    \
    X(NDJSON, "ndjson", "application/x-ndjson") \
    X(JSON, "json", "application/json")         \
    X(CSV, "csv", "text/csv; charset=utf-8")    \
    X(TEXT, "text", "text/plain; charset=utf-8")
enum dump_format {
#define X(name, label, type) DUMP_##name,
    DUMP_FORMAT_TABLE(X)
#undef X
        DUMP_FORMAT_COUNT
};

/** "application/x-ndjson" …; @format must be below DUMP_FORMAT_COUNT. */
const char *dump_format_content_type(enum dump_format format);
/** The format called @name, or -1. */
int dump_format_parse(const char *name);

#endif
