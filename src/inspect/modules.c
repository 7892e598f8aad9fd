/* modules.c - see modules.h. */
#include "inspect/modules.h"

#include "base/cleanup.h"

/* A linker puts code into a mapping of its own; what has none, such as a device's memory, is no module. */
static bool has_code(const struct maps *maps, const struct mapping *file)
{
    for (size_t i = 0; i < maps->count; i++) {
        const struct mapping *mapping = &maps->rows[i];
        if (mapping->is_executable && mapping->inode == file->inode &&
            mapping->device_major == file->device_major && mapping->device_minor == file->device_minor)
            return true;
    }
    return false;
}

uint64_t modules_each(const struct inspection *inspection, const struct maps *maps, module_visit *visit,
                      void *context)
{
    uint64_t unread = 0;
    for (size_t i = 0; i < maps->count; i++) {
        const struct mapping *mapping = &maps->rows[i];
        struct elf_image image;
        if (mapping->offset != 0 || mapping->inode == 0 || !mapping->is_readable)
            continue;
        enum status status = elf_image_read(inspection->target, mapping, &image);
        if (status == STATUS_OK && !visit(context, &image))
            break;
        unread += status != STATUS_OK && status != STATUS_NOT_FOUND && has_code(maps, mapping);
    }
    return unread;
}

struct finder {
    uint64_t address;
    struct elf_image *ret;
    bool is_found;
};

static bool is_in(void *context, const struct elf_image *image)
{
    struct finder *finder = context;
    if (finder->address < image->start || finder->address >= image->end)
        return true;
    *finder->ret = *image;
    finder->is_found = true;
    return false;
}

bool modules_find(const struct inspection *inspection, const struct maps *maps, uint64_t address,
                  struct elf_image *ret)
{
    struct finder finder = {.address = address, .ret = ret};
    modules_each(inspection, maps, is_in, &finder);
    return finder.is_found;
}

enum status modules_lookup(const struct inspection *inspection, const struct elf_image *image,
                           const struct symbol_question *question, symbol_take *take, void *context,
                           struct error *err)
{
    scoped_fd int fd = -1;
    struct symbol_source *source = inspection->symbols;
    if (!source || !source->lookup)
        return error_set(err, STATUS_NOT_FOUND, "there is nobody to parse symbols");
    if (target_open_file(inspection->target, image->mapping, &fd, NULL) != STATUS_OK)
        fd = -1;
    return source->lookup(source, fd, image->build_id, image->build_id_length, question, take, context, err);
}
