/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of commands that pack files: annotations and file arguments.
 */
#ifndef CORAS_CLI_OPTIONS_PACKER_H
#define CORAS_CLI_OPTIONS_PACKER_H

#include "codec/json.h"
#include "cli/options/optgroups.h"
#include "coras/ops.h"

struct packer_options {
    struct opt_list annotation;
    struct opt_string annotation_file;
    struct opt_string export_manifest;
    struct opt_bool disable_path_validation;
    struct opt_bool follow_links;
    /* after packer_check() */
    coras_annotations manifest;
    coras_annotations config;
    coras_json *file_annotations; /* the annotation file; or NULL */
};
extern const struct opt packer_options[];
extern const struct opt annotation_options[]; /* --annotation alone */

/* `files` are the arguments that name files. */
CORAS_MUST_CHECK int packer_check(struct packer_options *p, char **files, size_t count,
                                  coras_error **err);
void packer_clear(struct packer_options *p);
/* `-a key=value` flags to annotations. */
CORAS_MUST_CHECK int parse_annotation_flags(const struct opt_list *flags, coras_annotations *ret,
                                            coras_error **err);

/* File arguments as the library takes them. */
struct packed_files {
    coras_file *items;
    size_t len;
    coras_annotations *annotations; /* one per file */
};
CORAS_MUST_CHECK int packed_files_make(const struct packer_options *p, char **files, size_t count,
                                       struct packed_files *ret, coras_error **err);
/* One line on stderr when the annotation file names what is not pushed. */
void tell_annotations_without_file(const struct packer_options *p,
                                   const struct packed_files *files);
void packed_files_clear(struct packed_files *files);

/* Write the pushed manifest where --export-manifest says; nothing without the flag. */
CORAS_MUST_CHECK int packer_export(const struct packer_options *p, const char *bytes, size_t len,
                                   coras_error **err);

#endif
