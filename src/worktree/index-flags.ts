/**
 * Flags in the index (index-columns.ts), by themselves: the second thread of a sift starts sooner with less to load.
 * @module
 */

/** Of an entry: its content is kept as chunks. */
export const CHUNKED = 1
/** Of an entry: its stat is known. */
export const HAS_STAT = 2
/** Of a directory: its root is known. */
export const ROOT_KNOWN = 1
