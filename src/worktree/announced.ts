/**
 * Renames that were announced, by `weft mv`.
 * @module
 */
import { unformatPath } from '../repo/path-text.js'
import type { Tracked } from './index-file.js'
import type { Scan } from './scan.js'
import type { WorkState } from './state.js'

/**
 * The files that `mv` moved, by their new paths. A move holds where the file is not at its old path any more as it was
 * there: whoever brought it back has not moved it. Two files may have changed places.
 */
export function announcedRenames({ changes }: Scan, { moves = {} }: WorkState): Map<string, Tracked> {
  const byPath = new Map(changes.map((change) => [change.path, change]))
  const renames = new Map<string, Tracked>()
  for (const [to, from] of Object.entries(moves)) {
    const old = byPath.get(unformatPath(from))?.tracked
    const isThere = byPath.get(unformatPath(to))?.found !== undefined
    if (old !== undefined && isThere) renames.set(unformatPath(to), old)
  }
  return renames
}
