/**
 * What a version did to paths, against its first parent.
 *
 * A version with one parent lists the paths it touched; a merge lists those only where the join of its parents is not
 * the answer, so there the trees of both states are compared. A file that is at one path before and at another after has
 * been renamed: the id says so, nobody has to guess.
 * @module
 */
import type { Version } from '../history/header.js'
import type { PathPut } from '../history/path-entry.js'
import { type PathState, pathAt, pathsAt } from '../history/paths.js'
import { formatLseq } from '../lseq/lseq.js'
import { Vector } from '../lseq/vector.js'
import type { RepositoryContext } from './context.js'
import { touchedPaths } from './log.js'
import { formatMode, kindOf } from './mode.js'

/** A file's place and content, before or after. */
export type Place = PathState<PathPut>

/** A path that differs, or a file that moved. */
export interface Change {
  /** Undefined where a file was added. */
  readonly before: Place | undefined
  /** Undefined where a file was deleted. */
  readonly after: Place | undefined
}

/** The changes of a version, and the states between which they lie. */
export interface Changes {
  /** In the order of the paths, of those after where there is one. */
  readonly changes: readonly Change[]
  readonly from: Vector
  readonly to: Vector
}

/** More touched paths than this are not looked up one by one. */
const SINGLY = 256

/** What `version` changed against its first parent; everything, where it has none. */
export async function changesOf(repository: RepositoryContext, version: Version): Promise<Changes> {
  const { entries, versions } = repository
  const [parent, ...others] = version.parents
  const to = await versions.vectorOf({ seq: version.last, stream: version.stream })
  const from = parent === undefined ? Vector.empty : await versions.vectorOf(parent)
  const touched = others.length > 0 ? undefined : await touchedPaths(entries, version)
  const trees =
    touched === undefined || touched.length > SINGLY
      ? [await treeAt(repository, from), await treeAt(repository, to)]
      : [await placesAt(repository, from, touched), await placesAt(repository, to, touched)]
  return { changes: compare(trees[0] ?? new Map(), trees[1] ?? new Map()), from, to }
}

async function treeAt({ entries, versions }: RepositoryContext, vector: Vector): Promise<Map<string, Place>> {
  const places = new Map<string, Place>()
  if (vector === Vector.empty) return places
  for await (const place of pathsAt(entries, versions.streams, vector)) places.set(place.path, place)
  return places
}

async function placesAt(
  { entries, versions }: RepositoryContext,
  vector: Vector,
  paths: readonly string[],
): Promise<Map<string, Place>> {
  const places = new Map<string, Place>()
  for (const path of paths) {
    const state = await pathAt(entries, versions.streams, vector, path)
    if (state !== undefined && 'file' in state.entry) places.set(path, state as Place)
  }
  return places
}

function compare(before: ReadonlyMap<string, Place>, after: ReadonlyMap<string, Place>): Change[] {
  const changes: Change[] = []
  const gone = new Map<string, Place>()
  for (const place of before.values()) if (!after.has(place.path)) gone.set(fileOf(place), place)
  for (const place of after.values()) {
    const old = before.get(place.path)
    if (old === undefined) {
      const from = gone.get(fileOf(place))
      if (from !== undefined) gone.delete(fileOf(place))
      changes.push({ before: from, after: place })
    } else if (formatMode(old.entry.mode) !== formatMode(place.entry.mode) || !sameContent(old, place)) {
      changes.push({ before: old, after: place })
    }
  }
  for (const place of gone.values()) changes.push({ before: place, after: undefined })
  return changes.sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1))
}

function fileOf({ entry: { file } }: Place): string {
  return formatLseq(file.seq, file.stream)
}

function pathOf({ before, after }: Change): string {
  return (after ?? before)?.path ?? ''
}

/** Whether two places hold the same bytes. */
export function sameContent(a: Place, b: Place): boolean {
  return a.entry.size === b.entry.size && Buffer.compare(a.entry.sha256, b.entry.sha256) === 0
}

/** Whether two places are the same kind of thing, executable or not. */
export function sameType(a: Place, b: Place): boolean {
  return typeOf(a) === typeOf(b)
}

function typeOf({ entry: { mode } }: Place): string {
  const kind = kindOf(mode)
  return kind === 'executable' ? 'file' : kind
}
