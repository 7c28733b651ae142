/**
 * What replicas should come to, told as plainly as can be: sets of versions, each with its whole tree, and names as
 * registers of several values. Replicas are merged by the union of their sets.
 *
 * Nothing here is taken from the program, and nothing here is fast.
 * @module
 */

/** A file of a tree. */
export interface ModelFile {
  readonly mode: number
  readonly bytes: Buffer
  /** Name of the file's identity. */
  readonly file: string
}

/** A version as its writer meant it. */
export interface ModelVersion {
  /** Hex. */
  readonly id: string
  /** Where it is in its stream. */
  readonly place: string
  readonly stream: string
  /** Numbers that it took. */
  readonly first: number
  readonly last: number
  readonly parents: readonly string[]
  /** Whole tree, by path; undefined for a version of names. */
  readonly files: ReadonlyMap<string, ModelFile> | undefined
  readonly refs: readonly ModelRef[]
  /** The version before it in its stream, where that is one of names: those are offered whole. */
  readonly before: string | undefined
  /** Number of the replica that made it. */
  readonly author: number
}

/** One value that a name was given. */
export interface ModelRef {
  /** By which others may say that they replace it. */
  readonly name: string
  readonly subject: string
  readonly replaces: readonly string[]
  /** Ids of the versions that it stands at: none where it is deleted, several for a snapshot. */
  readonly targets: readonly string[]
}

/** All versions that were ever made, by id. */
export type Library = Map<string, ModelVersion>

/** What a version stands on, and itself. */
export function past(library: Library, from: Iterable<string>): Set<string> {
  const found = new Set<string>()
  const todo = [...from]
  for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
    if (found.has(id)) continue
    found.add(id)
    const version = library.get(id)
    if (version === undefined) throw new Error(`the model knows no version ${id}`)
    todo.push(...version.parents)
    if (version.before !== undefined) todo.push(version.before)
  }
  return found
}

/** The values of names that nobody has replaced, in order. */
export function liveRefs(library: Library, versions: Iterable<string>): ModelRef[] {
  const all = [...versions].flatMap((id) => library.get(id)?.refs ?? [])
  const replaced = new Set(all.flatMap(({ replaces }) => replaces))
  return all
    .filter(({ name }) => !replaced.has(name))
    .sort((a, b) => (a.subject + a.name < b.subject + b.name ? -1 : 1))
}

/** What a replica with these versions gives to anybody who asks: the past of all its names, and all that is said of names. */
export function offered(library: Library, versions: ReadonlySet<string>): Set<string> {
  const names = [...versions].filter((id) => library.get(id)?.files === undefined)
  return past(library, [...names, ...liveRefs(library, versions).flatMap(({ targets }) => targets)])
}

/** A tree as it is compared: a line for each path. */
export function treeText(files: ReadonlyMap<string, ModelFile>): string[] {
  return [...files]
    .map(([path, { mode, bytes, file }]) => `${path} ${mode.toString(8)} ${file} ${bytes.toString('latin1')}`)
    .sort()
}

/** What a state covers, as a vector says it: of each stream the last number. */
export function vectorText(library: Library, versions: Iterable<string>): string {
  const last = new Map<string, number>()
  for (const id of versions) {
    const version = library.get(id)
    if (version !== undefined) last.set(version.stream, Math.max(version.last, last.get(version.stream) ?? 0))
  }
  return [...last]
    .map(([stream, seq]) => `${stream}:${seq}`)
    .sort()
    .join(',')
}
