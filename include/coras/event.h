/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/event.h
 * What a long operation tells while it runs.
 */
#ifndef CORAS_EVENT_H
#define CORAS_EVENT_H

#include "coras/descriptor.h"

#ifdef __cplusplus
extern "C" {
#endif

enum coras_event_kind {
    CORAS_EVENT_PREPARING =
        1, /**< `text` = name of a file that is about to be read and hashed (push, attach) */
    CORAS_EVENT_EMPTY_ARTIFACT, /**< there is no file; the empty content stands for them */
    CORAS_EVENT_START,          /**< a transfer begins */
    CORAS_EVENT_PROGRESS, /**< `offset` bytes of `desc->size` so far; at most some times a second */
    CORAS_EVENT_PROCESSING, /**< pull: a manifest has arrived, its content follows */
    CORAS_EVENT_DONE,       /**< the content is there (for a manifest: everything below it too) */
    CORAS_EVENT_EXISTS,     /**< the destination had it */
    CORAS_EVENT_SKIPPED,    /**< not transferred: unnamed (pull), already right (pull), or a second
                               name (copy) */
    CORAS_EVENT_MOUNTED,    /**< taken over from another repository of the same registry */
    CORAS_EVENT_RESTORED,   /**< pull: second name of content that was fetched once */
    CORAS_EVENT_RETRYING,   /**< `text` = why; the transfer goes on at `offset` */
    CORAS_EVENT_FAILED,     /**< this transfer failed; the operation will return the error */
    CORAS_EVENT_TAGGED,     /**< `text` = tag */
    CORAS_EVENT_TAGGING,    /**< before the first tag; desc = what gets tagged */
    CORAS_EVENT_RESOLVED,   /**< copy: desc = what the source's reference names */
    CORAS_EVENT_HASHING, /**< `text` = name of a large file of which `offset` of `total` bytes are
                            read; its digest is not known yet */
    CORAS_EVENT_KEPT,    /**< after a failure: `offset` of `total` bytes of some content stay, and
                            the same call goes on there */
    CORAS_EVENT_FOUND,   /**< backup, restore: `text` = a tag that will have its turn; `count` of
                            them in all, each told before the first BEGUN */
    CORAS_EVENT_BEGUN,   /**< backup, restore: `text` = the tag whose turn it is */
    CORAS_EVENT_ENDED,   /**< backup, restore: `text` = the tag that is done, desc = what it names,
                            `count` = manifests that refer to it and went along */
    CORAS_EVENT_LEFT,    /**< copy with a selection: `offset` of `total` bytes were not chosen */
    CORAS_EVENT_EXPECTED /**< content that will have its turn, so that the whole is known early:
                            desc, or `text` = name and `total` = bytes while it has no digest.
                            Content that two manifests name may be told twice */
};

/** One event. Everything is borrowed for the duration of the callback. */
typedef struct coras_event {
    enum coras_event_kind kind;
    const coras_descriptor *desc; /**< NULL for PREPARING, EMPTY_ARTIFACT, TAGGED, FOUND, BEGUN */
    const char
        *name;  /**< title or media type: what a person calls the content; NULL with desc NULL */
    bool named; /**< `name` is a title annotation */
    int64_t offset;
    const char *text;
    int64_t total; /**< HASHING, KEPT, LEFT: bytes of the whole; EXPECTED without desc; else 0 */
    size_t count;  /**< FOUND, ENDED */
} coras_event;

/** Called on the thread that called the operation, one event at a time; must not call back into the
 * operation. */
typedef void (*coras_event_fn)(const coras_event *event, void *user);

#ifdef __cplusplus
}
#endif
#endif
