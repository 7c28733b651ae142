/**
 * The log: versions from the newest to the oldest, of everything or of one path.
 * @module
 */
import { fromLatin1 } from '../base/bytes.js'
import { decodeGroups } from '../history/groups.js'
import type { Version, VersionRef } from '../history/header.js'
import { groupsKey, prefixRange } from '../history/keys.js'
import { isSquashed } from '../history/note.js'
import { type PathState, pathHistory } from '../history/paths.js'
import type { Versions } from '../history/versions.js'
import type { EntryStore } from '../lseq/entries.js'
import { compareLseq, formatLseq, type Lseq, lseqOfKey } from '../lseq/lseq.js'
import type { Vector } from '../lseq/vector.js'

/**
 * Versions and all their past, each once, latest lseq first: children always before parents.
 *
 * @param wanted - Which parents to follow; all by default.
 */
export async function* ancestors(
  versions: Versions,
  from: readonly Version[],
  wanted: (parent: VersionRef) => boolean = () => true,
): AsyncGenerator<Version> {
  const queue = new LatestFirst()
  for (const { last, stream, id } of from) queue.push({ seq: last, stream, id })
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const version = await versions.expect(next)
    yield version
    for (const parent of await shownParents(versions, version)) if (wanted(parent)) queue.push(parent)
  }
}

/** The parents through which a version is followed: of a squashed merge, the first. */
async function shownParents(versions: Versions, version: Version): Promise<readonly VersionRef[]> {
  if (version.parents.length < 2) return version.parents
  return isSquashed(await versions.note(version)) ? version.parents.slice(0, 1) : version.parents
}

/** A heap of version refs without repeats. */
class LatestFirst {
  readonly #heap: VersionRef[] = []
  readonly #seen = new Set<string>()

  push(ref: VersionRef): void {
    const name = formatLseq(ref.seq, ref.stream)
    if (this.#seen.has(name)) return
    this.#seen.add(name)
    const heap = this.#heap
    let at = heap.push(ref) - 1
    while (at > 0) {
      const up = (at - 1) >> 1
      if (compareLseq(heap[up] as Lseq, ref) >= 0) break
      heap[at] = heap[up] as VersionRef
      at = up
    }
    heap[at] = ref
  }

  pop(): VersionRef | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if (down >= heap.length) break
      if (down + 1 < heap.length && compareLseq(heap[down + 1] as Lseq, heap[down] as Lseq) > 0) down++
      if (compareLseq(heap[down] as Lseq, last) <= 0) break
      heap[at] = heap[down] as VersionRef
      at = down
    }
    heap[at] = last
    return top
  }
}

/**
 * The versions covered by `vector` that touched `path`, latest first, following the file through renames.
 *
 * @param path - Binary string.
 */
export async function* pathVersions(
  entries: EntryStore,
  versions: Versions,
  vector: Vector,
  path: string,
): AsyncGenerator<Version> {
  let at: string | undefined = path
  let before: Lseq | undefined
  while (at !== undefined) {
    const touches = (await covered(entries, versions, vector, at)).filter(
      (touch) => before === undefined || compareLseq(touch, before) < 0,
    )
    const holders = await versions.holding(touches)
    let last: Version | undefined
    for (const touch of touches.reverse()) {
      const version = holders.get(touch)
      if (version === undefined || version === last) continue
      last = version
      yield version
    }
    const first = touches.at(-1)
    if (first === undefined || last === undefined || !('file' in first.entry)) return
    const { file } = first.entry
    // A file whose first entry here is not its birth came from another path, deleted by the same version.
    if (compareLseq(file, first) === 0) return
    before = { seq: last.first, stream: 0 }
    at = await formerPath(entries, last, file, at)
  }
}

/** The versions covered by `vector` that touched anything below a directory, latest first. */
export async function* directoryVersions(
  entries: EntryStore,
  versions: Versions,
  vector: Vector,
  directory: string,
): AsyncGenerator<Version> {
  const touches = new Map<string, Lseq>()
  for await (const batch of entries.scan(prefixRange(fromLatin1(`P${directory}/`)))) {
    for (let i = 0; i < batch.count; i++) {
      const lseq = lseqOfKey(batch.key(i))
      const slot = versions.streams.find(lseq.stream)
      if (slot !== undefined && vector.covers(slot, lseq.seq)) touches.set(formatLseq(lseq.seq, lseq.stream), lseq)
    }
  }
  const found = await versions.holding(touches.values())
  yield* [...found].sort((a, b) => b.last - a.last || b.stream - a.stream)
}

async function covered(entries: EntryStore, versions: Versions, vector: Vector, path: string): Promise<PathState[]> {
  const touches: PathState[] = []
  for await (const state of pathHistory(entries, path)) {
    const slot = versions.streams.find(state.stream)
    if (slot !== undefined && vector.covers(slot, state.seq)) touches.push(state)
  }
  return touches
}

/** Where `file` was before `version` put it at `path`. */
export async function formerPath(
  entries: EntryStore,
  version: Version,
  file: Lseq,
  path: string,
): Promise<string | undefined> {
  for (const other of await touchedPaths(entries, version)) {
    if (other === path) continue
    for await (const { seq, stream, entry } of pathHistory(entries, other)) {
      const here = stream === version.stream && seq >= version.first && seq <= version.last
      if (here && 'deleted' in entry && compareLseq(entry.deleted, file) === 0) return other
    }
  }
  return undefined
}

/** The paths that a version touched, as its groups list them: binary strings, in order. */
export async function touchedPaths(entries: EntryStore, version: Version): Promise<string[]> {
  const value = await entries.get(groupsKey(version.last, version.stream))
  if (value === undefined) return []
  return decodeGroups(value)
    .map(({ name }) => name)
    .filter((name) => name.startsWith('P'))
    .map((name) => name.slice(1))
}
