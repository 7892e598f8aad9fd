/* modules.c - see modules.h. */
#include "inspect/modules.h"

#include "base/cleanup.h"

void modules_each(const struct inspection *inspection, const struct maps *maps, module_visit *visit,
                  void *context)
{
    for (size_t i = 0; i < maps->count; i++) {
        const struct mapping *mapping = &maps->rows[i];
        struct elf_image image;
        if (mapping->offset == 0 && mapping->inode != 0 && mapping->is_readable &&
            elf_image_read(inspection->target, mapping, &image) && !visit(context, &image))
            return;
    }
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
