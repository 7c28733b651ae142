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
import { formatLseq, type Lseq } from '../lseq/lseq.js'
import { Vector } from '../lseq/vector.js'
import { ChosenPaths } from './chosen-paths.js'
import type { RepositoryContext } from './context.js'
import { touchedPaths } from './log.js'
import { formatMode, kindOf } from './mode.js'
import { formatPath } from './path-text.js'
import type { PathChange } from './results.js'

/** What stands at a path, in a version or in the work tree. */
export interface Side {
  /** Binary string. */
  readonly path: string
  readonly entry: {
    readonly mode: number
    readonly size: number
    readonly sha256: Uint8Array
    /** The file's id; undefined for one that no version has. */
    readonly file?: Lseq | undefined
  }
}

/** A file's place and content in a version, before or after. */
export type Place = PathState<PathPut>

/** A path that differs, or a file that moved. */
export interface Change<B extends Side = Place, A extends Side = Place> {
  /** Undefined where a file was added. */
  readonly before: B | undefined
  /** Undefined where a file was deleted. */
  readonly after: A | undefined
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

/** What differs between two states at the chosen paths: a file that came from elsewhere or went there is new or gone. */
export async function changesBetween(
  repository: RepositoryContext,
  from: Vector,
  to: Vector,
  chosen: ChosenPaths,
): Promise<Changes> {
  const touched = chosen.all ? await touchedBetween(repository, from, to) : undefined
  const at = (vector: Vector): Promise<Map<string, Place>> =>
    touched === undefined ? treeAt(repository, vector, chosen) : placesAt(repository, vector, touched)
  const [before, after] = [await at(from), await at(to)]
  chosen.assertFound('in either version')
  return { changes: compare(before, after), from, to }
}

/**
 * The paths that the versions touched which only one of two states has: no other can differ.
 *
 * @returns undefined where they are many, so that comparing the trees is less work.
 */
export async function touchedBetween(
  { entries, versions }: RepositoryContext,
  from: Vector,
  to: Vector,
): Promise<string[] | undefined> {
  const paths = new Set<string>()
  const seen = new Set<string>()
  const { streams } = versions
  const covers = (vector: Vector, { seq, stream }: Lseq): boolean => vector.covers(streams.slot(stream), seq)
  const next: Lseq[] = []
  for (const [vector, other] of [
    [from, to],
    [to, from],
  ] as const) {
    for (const [slot, seq] of vector.entries())
      if (!other.covers(slot, seq)) next.push({ seq, stream: streams.id(slot) })
  }
  for (let lseq = next.pop(); lseq !== undefined; lseq = next.pop()) {
    const name = formatLseq(lseq.seq, lseq.stream)
    if (seen.has(name) || (covers(from, lseq) && covers(to, lseq))) continue
    seen.add(name)
    // A vector may end within a version's block: then the version before counts, and this shortcut is not for it.
    const version = await versions.get(lseq.seq, lseq.stream)
    if (version === undefined || seen.size > SINGLY) return undefined
    for (const path of await touchedPaths(entries, version)) paths.add(path)
    if (paths.size > SINGLY) return undefined
    next.push(...version.parents)
  }
  return [...paths]
}

/** What is at the chosen paths of a state, by path. */
export async function treeAt(
  { entries, versions }: RepositoryContext,
  vector: Vector,
  chosen = new ChosenPaths(),
): Promise<Map<string, Place>> {
  const places = new Map<string, Place>()
  if (vector === Vector.empty) return places
  for (const under of chosen.roots) {
    for await (const place of pathsAt(entries, versions.streams, vector, under)) {
      if (chosen.includes(place.path)) places.set(place.path, place)
    }
  }
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

/** What differs between two trees, in the order of paths. A file that is at another path has been renamed. */
export function compare<B extends Side, A extends Side>(
  before: ReadonlyMap<string, B>,
  after: ReadonlyMap<string, A>,
): Change<B, A>[] {
  const changes: Change<B, A>[] = []
  const gone = new Map<string, B>()
  for (const place of before.values()) if (!after.has(place.path)) gone.set(fileOf(place), place)
  for (const place of after.values()) {
    const old = before.get(place.path)
    if (old === undefined) {
      const from = place.entry.file && gone.get(fileOf(place))
      if (from !== undefined) gone.delete(fileOf(place))
      changes.push({ before: from, after: place })
    } else if (formatMode(old.entry.mode) !== formatMode(place.entry.mode) || !sameContent(old, place)) {
      changes.push({ before: old, after: place })
    }
  }
  for (const place of gone.values()) changes.push({ before: place, after: undefined })
  return changes.sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1))
}

/** A file's id as text; without one, what no id is. */
function fileOf({ path, entry: { file } }: Side): string {
  return file === undefined ? `/${path}` : formatLseq(file.seq, file.stream)
}

function pathOf({ before, after }: Change<Side, Side>): string {
  return (after ?? before)?.path ?? ''
}

/** What changed at a path, in words. @param binary - Whether a patch does not show what differs. */
export function describeChange({ before, after }: Change<Side, Side>, binary: boolean): PathChange {
  return {
    path: formatPath((after ?? before)?.path ?? ''),
    change: kindOfChange(before, after),
    ...(before !== undefined && after !== undefined && before.path !== after.path && { from: formatPath(before.path) }),
    ...(after !== undefined && { mode: formatMode(after.entry.mode) }),
    ...(before !== undefined && { oldMode: formatMode(before.entry.mode) }),
    binary,
  }
}

function kindOfChange(before: Side | undefined, after: Side | undefined): PathChange['change'] {
  if (before === undefined) return 'added'
  if (after === undefined) return 'deleted'
  if (before.path !== after.path) return 'renamed'
  return sameContent(before, after) ? 'mode' : 'modified'
}

/** Whether two sides hold the same bytes. */
export function sameContent(a: Side, b: Side): boolean {
  return a.entry.size === b.entry.size && Buffer.compare(a.entry.sha256, b.entry.sha256) === 0
}

/** Whether two sides are the same kind of thing, executable or not. */
export function sameType(a: Side, b: Side): boolean {
  return typeOf(a) === typeOf(b)
}

function typeOf({ entry: { mode } }: Side): string {
  const kind = kindOf(mode)
  return kind === 'executable' ? 'file' : kind
}
