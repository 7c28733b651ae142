/**
 * Which new paths hold files that had another path before: announced by `mv`, or found by their contents.
 * @module
 */
import { contentOf } from '../repo/files.js'
import { parsePath } from '../repo/path-text.js'
import type { Tracked } from './index-file.js'
import { findRenames } from './renames.js'
import type { Scan } from './scan.js'
import type { Worktree } from './worktree.js'

/** The file that goes on at each new path. */
export async function renamesOf({ repo, root, state, index }: Worktree, scan: Scan): Promise<Map<string, Tracked>> {
  const renames = new Map<string, Tracked>()
  const deleted = new Map(scan.changes.flatMap(({ path, tracked, found }) => (tracked && !found ? [[path, tracked]] : [])))
  const added = scan.changes.filter(({ change }) => change === 'added')
  for (const [to, from] of Object.entries(state.moves ?? {})) {
    const old = deleted.get(parsePath(from))
    const path = parsePath(to)
    if (old === undefined || !added.some((change) => change.path === path)) continue
    renames.set(path, old)
    deleted.delete(old.path)
  }
  if (deleted.size === 0 || added.length === renames.size) return renames
  const base = index.base
  if (base === undefined) return renames
  const vector = await repo.versions.vectorOf(base)
  const context = { entries: repo.entries, streams: repo.versions.streams }
  void root
  for (const { from, to } of await findRenames(scan, renames, (tracked) => contentOf(context, tracked.path, tracked, vector))) {
    renames.set(to, from)
  }
  return renames
}
