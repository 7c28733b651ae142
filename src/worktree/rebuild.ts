/**
 * The index of a version, made from the store: when the work tree comes to stand on another version, and whenever the file
 * is missing or damaged.
 * @module
 */
import { equalBytes } from '../base/bytes.js'
import { pathsAt } from '../history/paths.js'
import type { Repository } from '../repo/repository.js'
import { type Tracked, WorkIndex } from './index-file.js'

/**
 * The index of a version.
 *
 * @param version - Hex id; undefined before the first version.
 * @param old - What is known of the work tree's files: their stats go on to hold for those that are the same.
 */
export async function rebuildIndex(
  repo: Repository,
  version: string | undefined,
  old: WorkIndex | undefined,
): Promise<WorkIndex> {
  if (version === undefined) return WorkIndex.build(undefined, [])
  const state = await repo.resolve(version)
  if (state.version === undefined) throw new TypeError(`index: expected one version, got ${version}`)
  const { last: seq, stream, id } = state.version
  const tracked: Tracked[] = []
  for await (const { path, entry } of pathsAt(repo.entries, repo.versions.streams, state.vector)) {
    const before = old?.get(path)
    const isSame = before !== undefined && before.mode === entry.mode && equalBytes(before.sha256, entry.sha256)
    tracked.push({ path, ...entry, stat: isSame ? before.stat : undefined })
  }
  return WorkIndex.build({ seq, stream, id }, tracked)
}
