/* params_question.c - the parameters of a question (model/question.h). */
#include <string.h>

#include "inspect/inspection.h"
#include "roles/front/http/params_set.h"

bool params_set_match(struct message_stream *stream, const char *value)
{
    return *value && inspection_set_text(&stream->question, value);
}

bool params_set_exact(struct message_stream *stream, const char *value)
{
    stream->question.is_exact = !strcmp(value, "1");
    return stream->question.is_exact || !strcmp(value, "0");
}

bool params_set_at(struct message_stream *stream, const char *value)
{
    stream->question.has_at = 1;
    return inspection_parse_address(value, &stream->question.at);
}

bool params_set_length(struct message_stream *stream, const char *value)
{
    return params_parse_u64(value, INSPECTION_MEMORY_MAX, &stream->question.length) &&
           stream->question.length > 0;
}

bool params_set_min(struct message_stream *stream, const char *value)
{
    return params_parse_u64(value, 4096, &stream->question.length) && stream->question.length > 0;
}

bool params_set_findings(struct message_stream *stream, const char *value)
{
    return params_parse_u64(value, INSPECTION_LIMIT_MAX, &stream->question.limit) &&
           stream->question.limit > 0;
}

/* One of bytes, text and pointer: a second one is not allowed. */
bool params_set_bytes(struct message_stream *stream, const char *value)
{
    struct inspection_question *question = &stream->question;
    return !question->needle_length && !question->is_pointer &&
           inspection_parse_bytes(value, question->needle, &question->needle_length);
}

bool params_set_needle(struct message_stream *stream, const char *value)
{
    struct inspection_question *question = &stream->question;
    size_t length = strlen(value);
    if (question->needle_length || question->is_pointer || !length || length > INSPECTION_TEXT_MAX)
        return false;
    memcpy(question->needle, value, length);
    question->needle_length = (uint32_t)length;
    return true;
}

bool params_set_pointer(struct message_stream *stream, const char *value)
{
    if (stream->question.needle_length)
        return false;
    stream->question.is_pointer = 1;
    return params_set_at(stream, value);
}
