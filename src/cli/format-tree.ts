/**
 * Trees in words: `weft ls`, `weft restore` and `weft archive`.
 * @module
 */
import type { ArchiveReport, RestoreReport, TreeEntry } from '../repo/results.js'
import { columns, count, duration, grouped, shortId, size } from './format.js'
import type { Style } from './style.js'

/** One line per path: mode, size in bytes, first digits of the SHA-256, path. */
export function formatTree(entries: readonly TreeEntry[], { safe }: Style): string {
  const rows = entries.map((e) => [
    e.mode,
    grouped(e.size),
    e.kind === 'submodule' ? '-' : shortId(e.sha256),
    safe(e.path),
  ])
  return columns(rows, [1])
}

/** What was written, and where. */
export function formatRestore({ at, to, files, bytes, seconds }: RestoreReport, { safe }: Style): string {
  return `Restored ${count(files, 'file')} (${size(bytes)}) of ${shortId(at)} to ${safe(to)} in ${duration(seconds)}.\n`
}

/** What was put into an archive. */
export function formatArchive({ at, to, files, bytes, seconds }: ArchiveReport, { safe }: Style): string {
  const time = duration(seconds)
  return `Put ${count(files, 'file')} of ${shortId(at)} into ${safe(to)} (${size(bytes)}) in ${time}.\n`
}
