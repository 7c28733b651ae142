/**
 * What is stored, as whoever goes over all of it to write git objects wants it.
 * @module
 */
import { fromLatin1, toHex, toLatin1 } from '../base/bytes.js'
import { extraOf, GIT_EXTRA } from '../history/extra.js'
import { Graph } from '../history/graph.js'
import type { Version } from '../history/header.js'
import { kindRange, noteKey } from '../history/keys.js'
import { decodeNote, NO_NOTE, type Note } from '../history/note.js'
import { missingVersion, Versions } from '../history/versions.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, type Lseq, lseqOfKey } from '../lseq/lseq.js'
import { gitParents } from './born.js'
import { exportedCommits } from './exported.js'

/** For fewer notes than this they are asked for one by one. */
const FEW = 64

/** Bytes of git's ids, as the imported versions have them; undefined where there are none. */
export function hashLengthOf(versions: readonly Version[]): number | undefined {
  for (const version of versions) {
    const id = extraOf(version, GIT_EXTRA)
    if (id !== undefined) return id.length
  }
  return undefined
}

/** What versions say, by version. */
export type Notes = (version: Version) => Note

/** Reads the notes of these versions; of many of them, in one pass over all notes. */
export async function readNotes(entries: EntryStore, versions: readonly Version[]): Promise<Notes> {
  const notes = new Map<string, Note>()
  if (versions.length < FEW) {
    const values = await entries.getMany(versions.map(({ last, stream }) => noteKey(last, stream)))
    versions.forEach(({ last, stream }, i) => {
      const value = values[i]
      if (value !== undefined) notes.set(formatLseq(last, stream), decodeNote(value))
    })
  } else {
    for await (const batch of entries.scan(kindRange('N'))) {
      for (let i = 0; i < batch.count; i++) {
        const { seq, stream } = lseqOfKey(batch.key(i))
        notes.set(formatLseq(seq, stream), decodeNote(batch.value(i)))
      }
    }
  }
  return ({ last, stream }) => notes.get(formatLseq(last, stream)) ?? NO_NOTE
}

/** All versions with their commits, as far as those are known. */
export class StoredCommits {
  readonly entries: EntryStore
  readonly graph: Graph
  /** Bytes of git's ids, where commits were imported. */
  readonly hashLength: number | undefined
  /** Number of the version of each commit, by the commit's id: a binary string. */
  readonly byCommit = new Map<string, number>()
  readonly #versions: readonly Version[]
  /** By number - 1: ids of commits. */
  readonly #commits: (string | undefined)[] = []
  /** Numbers of versions whose commit has one parent where they have several. */
  readonly #squashed = new Set<number>()

  private constructor(entries: EntryStore, graph: Graph, versions: readonly Version[]) {
    this.entries = entries
    this.graph = graph
    this.#versions = versions
    this.hashLength = hashLengthOf(versions)
    versions.forEach((version, i) => {
      const id = extraOf(version, GIT_EXTRA)
      if (id !== undefined) this.name(i + 1, toLatin1(id))
    })
  }

  /** Reads all versions; which of them were exported is for `loadExported`. */
  static async load(entries: EntryStore): Promise<StoredCommits> {
    const graph = new Graph()
    const versions: Version[] = []
    for await (const version of new Versions(entries, graph.streams).all()) {
      graph.add(version)
      versions.push(version)
    }
    const stored = new StoredCommits(entries, graph, versions)
    const merges = versions.filter(
      ({ extra, parents }) => parents.length > 1 && extraOf({ extra }, GIT_EXTRA) === undefined,
    )
    const notes = await readNotes(entries, merges)
    for (const merge of merges) {
      if (gitParents(merge.parents, notes(merge)).length < merge.parents.length) {
        stored.#squashed.add(stored.numberOf({ seq: merge.last, stream: merge.stream }))
      }
    }
    return stored
  }

  /** Reads which commits were made of versions born here, for repositories with ids of this length. */
  async loadExported(hashLength: number): Promise<void> {
    const { graph } = this
    for await (const { lseq, commit } of exportedCommits(this.entries)) {
      if (commit.length !== hashLength) continue
      const number = graph.at(graph.streams.slot(lseq.stream), lseq.seq)
      if (number !== undefined) this.name(number, commit)
    }
    // A commit stands on its parents: without theirs, its own note is of no use.
    for (const { number } of graph) {
      if (this.isNamed(number) && !this.gitParents(number).every((parent) => this.isNamed(parent))) {
        this.byCommit.delete(this.commitOf(number))
        this.#commits[number - 1] = undefined
      }
    }
  }

  version(number: number): Version {
    const version = this.#versions[number - 1]
    if (version === undefined) throw new RangeError(`version number: expected 1 to ${this.graph.size}, got ${number}`)
    return version
  }

  /** @throws {CodedError} `VERSION_MISSING`. */
  numberOf({ seq, stream }: Lseq): number {
    return this.graph.at(this.graph.streams.slot(stream), seq) ?? missingVersion({ seq, stream })
  }

  /** The version that took an lseq. */
  holderOf({ seq, stream }: Lseq): Version {
    const number = this.graph.holding(this.graph.streams.slot(stream), seq)
    return number === undefined ? missingVersion({ seq, stream }) : this.version(number)
  }

  /**
   * Notes the commit of a version.
   *
   * @returns Whether that is news.
   */
  name(number: number, commit: string): boolean {
    if (this.#commits[number - 1] === commit) return false
    this.#commits[number - 1] = commit
    this.byCommit.set(commit, number)
    return true
  }

  /** Whether the commit of a version is known. */
  isNamed(number: number): boolean {
    return this.#commits[number - 1] !== undefined
  }

  /** Id of a version's commit, a binary string. */
  commitOf(number: number): string {
    const commit = this.#commits[number - 1]
    if (commit === undefined) throw new TypeError(`version ${number}: expected its commit to be known`)
    return commit
  }

  /** The same in hex. */
  hexOf(number: number): string {
    return toHex(fromLatin1(this.commitOf(number)))
  }

  /** Numbers of the versions whose commits are a commit's parents. */
  gitParents(number: number): readonly number[] {
    const { parents } = this.graph.node(number)
    return this.#squashed.has(number) ? parents.slice(0, 1) : parents
  }

  /** Versions whose commits are in the past of others', themselves included: numbers, ascending. */
  reached(tips: readonly number[], least = 1): number[] {
    const seen = new Set<number>()
    const todo = [...tips]
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      if (next < least || seen.has(next)) continue
      seen.add(next)
      todo.push(...this.gitParents(next))
    }
    return [...seen].sort((a, b) => a - b)
  }

  /** Whether one version's commit is in the past of another's, or is the same. */
  reaches(from: number, number: number): boolean {
    return this.reached([from], number)[0] === number
  }

  /** These versions and those in their past whose commits are not known. */
  unnamed(tips: readonly Lseq[]): Version[] {
    const reached = this.reached(tips.map((tip) => this.numberOf(tip)))
    return reached.filter((number) => !this.isNamed(number)).map((number) => this.version(number))
  }
}
