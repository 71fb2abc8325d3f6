/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a symbolic link of a tree leads, as far as its text tells.
 */
#ifndef CORAS_ARCHIVE_LINK_TARGET_H
#define CORAS_ARCHIVE_LINK_TARGET_H

enum coras_link_verdict { CORAS_LINK_INSIDE, CORAS_LINK_OUTSIDE, CORAS_LINK_ASK_KERNEL };

/*
 * The text of a link is read from its directory, which is `depth` real directories below the root.
 * Going up before going down is exact, since no parent is a link. Going up after going down depends
 * on what the way down consists of: that is for the kernel to say.
 */
enum coras_link_verdict coras_judge_link(const char *target, long depth);

#endif
