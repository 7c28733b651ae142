/**
 * Which new paths hold files that had another path before: announced by `mv`, or found by their contents.
 * @module
 */
import { contentOf } from '../repo/files.js'
import { announcedRenames } from './announced.js'
import type { Tracked } from './index-file.js'
import { findRenames } from './renames.js'
import type { Scan } from './scan.js'
import type { Worktree } from './worktree.js'

/** The file that goes on at each new path. */
export async function renamesOf({ repo, state, index }: Worktree, scan: Scan): Promise<Map<string, Tracked>> {
  const renames = announcedRenames(scan, state)
  const { base } = index
  if (base === undefined) return renames
  const vector = await repo.versions.vectorOf(base)
  const context = { entries: repo.entries, streams: repo.versions.streams }
  const found = await findRenames(scan, renames, (old) => contentOf(context, old.path, old, vector))
  for (const { from, to } of found) renames.set(to, from)
  return renames
}
