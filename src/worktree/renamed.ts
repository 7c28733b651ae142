/**
 * Which new paths hold files that had another path before: announced by `mv`, or found by their contents.
 * @module
 */
import { equalBytes } from '../base/bytes.js'
import { parsePath } from '../repo/path-text.js'
import type { Tracked } from './index-file.js'
import type { Scan } from './scan.js'
import type { Worktree } from './worktree.js'

/** The file that goes on at each new path. */
export async function renamesOf({ state }: Worktree, scan: Scan): Promise<Map<string, Tracked>> {
  const renames = new Map<string, Tracked>()
  const deleted = new Map(
    scan.changes.flatMap(({ path, tracked, found }) => (tracked && !found ? [[path, tracked]] : [])),
  )
  const added = scan.changes.filter(({ change }) => change === 'added')
  for (const [to, from] of Object.entries(state.moves ?? {})) {
    const old = deleted.get(parsePath(from))
    const path = parsePath(to)
    if (old === undefined || !added.some((change) => change.path === path)) continue
    renames.set(path, old)
    deleted.delete(old.path)
  }
  for (const { path, found } of added) {
    if (renames.has(path) || found?.sha256 === undefined) continue
    const old = [...deleted.values()].find(({ sha256 }) => equalBytes(sha256, found.sha256 as Uint8Array))
    if (old === undefined) continue
    renames.set(path, old)
    deleted.delete(old.path)
  }
  return renames
}
