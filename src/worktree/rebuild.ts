/**
 * The index of a version, made from the store: when the work tree comes to stand on another version, and whenever the file
 * is missing or damaged.
 * @module
 */
import { equalBytes } from '../base/bytes.js'
import type { PathPut } from '../history/path-entry.js'
import { pathAt, pathsAt } from '../history/paths.js'
import { touchedBetween } from '../repo/changes.js'
import type { Repository } from '../repo/repository.js'
import { type Tracked, WorkIndex } from './index-file.js'

/**
 * The index of a version. From one that is near not all paths are looked at, but those touched in between.
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
  const { entries, versions } = repo
  const state = await repo.resolve(version)
  if (state.version === undefined) throw new TypeError(`index: expected one version, got ${version}`)
  const { last: seq, stream, id } = state.version
  const base = old?.base
  const touched = base && (await touchedBetween(repo, await versions.vectorOf(base), state.vector))
  if (old !== undefined && touched !== undefined) {
    const changes = new Map<string, Tracked | undefined>()
    for (const path of touched) {
      const found = await pathAt(entries, versions.streams, state.vector, path)
      const isThere = found !== undefined && 'file' in found.entry
      changes.set(path, isThere ? trackedFrom(path, found.entry as PathPut, old) : undefined)
    }
    return old.with({ seq, stream, id }, changes)
  }
  const tracked: Tracked[] = []
  for await (const { path, entry } of pathsAt(entries, versions.streams, state.vector)) {
    tracked.push(trackedFrom(path, entry, old))
  }
  return WorkIndex.build({ seq, stream, id }, tracked)
}

function trackedFrom(path: string, entry: PathPut, old: WorkIndex | undefined): Tracked {
  const before = old?.get(path)
  const isSame = before !== undefined && before.mode === entry.mode && equalBytes(before.sha256, entry.sha256)
  return { path, ...entry, stat: isSame ? before.stat : undefined }
}
