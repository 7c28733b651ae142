/**
 * Renames that were announced, by `weft mv`.
 * @module
 */
import { unformatPath } from '../repo/path-text.js'
import type { Tracked } from './index-file.js'
import type { Scan } from './scan.js'
import type { WorkState } from './state.js'

/** Moves that were announced and still hold: the file is gone from where it was, and there is one where it went. */
export function announcedRenames({ changes }: Scan, { moves = {} }: WorkState): Map<string, Tracked> {
  const deleted = new Map(changes.flatMap(({ path, tracked, found }) => (tracked && !found ? [[path, tracked]] : [])))
  const added = new Set(changes.flatMap(({ path, change }) => (change === 'added' ? [path] : [])))
  const renames = new Map<string, Tracked>()
  for (const [to, from] of Object.entries(moves)) {
    const tracked = deleted.get(unformatPath(from))
    if (tracked === undefined || !added.has(unformatPath(to))) continue
    renames.set(unformatPath(to), tracked)
    deleted.delete(tracked.path)
  }
  return renames
}
