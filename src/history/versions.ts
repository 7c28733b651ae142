/**
 * Versions, one at a time: by place, by id, and with what they cover.
 *
 * For questions about a few versions; work over the whole history uses `graph.ts`. What the indexes say is checked
 * against the versions themselves.
 * @module
 */
import { fromLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { EntryStore } from '../lseq/entries.js'
import { compareLseq, formatLseq, type Lseq, lseqOfKey } from '../lseq/lseq.js'
import { type Streams, Vector } from '../lseq/vector.js'
import { decodeVector, type IdKind, idPrefix, vectorKey } from './derived.js'
import {
  decodeBrief,
  decodeLinks,
  decodeVersion,
  type Version,
  type VersionBrief,
  type VersionLinks,
} from './header.js'
import { HolderSearch, type Holders } from './holders.js'
import { kindRange, noteKey, prefixRange, versionKey } from './keys.js'
import { decodeNote, NO_NOTE, type Note } from './note.js'

/** Kept vectors that are loaded at a time. */
const VECTORS_AT_ONCE = 8

/** The versions of a store. */
export class Versions {
  readonly streams: Streams
  readonly #entries: EntryStore
  readonly #vectors = new Map<string, Vector>()
  /** All kept vectors from this seq on are in `#vectors`, as far as there were any in `#generation` of the entries. */
  #vectorsFrom = Number.POSITIVE_INFINITY
  #generation = 0

  constructor(entries: EntryStore, streams: Streams) {
    this.#entries = entries
    this.streams = streams
  }

  /** The version whose last seq is `seq`. */
  async get(seq: number, stream: number): Promise<Version | undefined> {
    const value = await this.#entries.get(versionKey(seq, stream))
    return value === undefined ? undefined : versionAt(value, { seq, stream })
  }

  /** @throws {CodedError} `VERSION_MISSING`. */
  async expect({ seq, stream }: Lseq): Promise<Version> {
    const version = await this.get(seq, stream)
    return version ?? missingVersion({ seq, stream })
  }

  /** What a version says. */
  async note({ last, stream }: { readonly last: number; readonly stream: number }): Promise<Note> {
    const value = await this.#entries.get(noteKey(last, stream))
    return value === undefined ? NO_NOTE : decodeNote(value)
  }

  /** All versions in lseq order. */
  async *all(): AsyncGenerator<Version> {
    for await (const batch of this.#entries.scan(kindRange('V'))) {
      for (let i = 0; i < batch.count; i++) {
        yield versionAt(batch.value(i), lseqOfKey(batch.key(i)))
      }
    }
  }

  /** On which others each version stands, in lseq order: for graphs. */
  async *links(): AsyncGenerator<VersionLinks> {
    for await (const batch of this.#entries.scan(kindRange('V'))) {
      for (let i = 0; i < batch.count; i++) yield checked(decodeLinks(batch.value(i)), lseqOfKey(batch.key(i)))
    }
  }

  /**
   * The versions whose id (or git commit's id) begins with `prefix`, at least four bytes of it looked up in the index.
   *
   * @param matches - Told the version and the value of the index' entry, which is to be the one that was meant.
   */
  async withId(
    kind: IdKind,
    prefix: Uint8Array,
    matches: (version: Version, value: Uint8Array) => boolean,
  ): Promise<Version[]> {
    const found: Version[] = []
    for await (const batch of this.#entries.scan(prefixRange(idPrefix(kind, prefix)))) {
      for (let i = 0; i < batch.count; i++) {
        const version = await this.expect(lseqOfKey(batch.key(i)))
        if (matches(version, batch.value(i))) found.push(version)
      }
    }
    return found
  }

  /**
   * The versions that took the given lseqs; one that no version took has none. One pass over the version keys.
   */
  holding(lseqs: Iterable<Lseq>): Promise<Holders<Version>> {
    return this.#find(new HolderSearch(lseqs, versionAt))
  }

  /** The same, with what is soon decoded. */
  holdingBriefly(lseqs: Iterable<Lseq>): Promise<Holders<VersionBrief>> {
    return this.#find(new HolderSearch(lseqs, briefAt))
  }

  async #find<V extends VersionBrief>(search: HolderSearch<V>): Promise<Holders<V>> {
    if (search.done) return search.found
    for await (const batch of this.#entries.scan({ ...kindRange('V'), gte: versionKey(search.least, 0) })) {
      search.push(batch)
      if (search.done) break
    }
    return search.found
  }

  /** Lseq of the version that took `seq` of a stream, or of the last one before it. */
  async atOrBefore({ seq, stream }: Lseq): Promise<Lseq | undefined> {
    const holder = await this.holder({ seq, stream })
    if (holder !== undefined) return { seq: holder.last, stream }
    const range = { gte: fromLatin1('V'), lt: versionKey(seq, stream), reverse: true }
    for await (const batch of this.#entries.scan(range)) {
      for (let i = 0; i < batch.count; i++) {
        const at = lseqOfKey(batch.key(i))
        if (at.stream === stream) return at
      }
    }
    return undefined
  }

  /** The version that took one lseq. */
  async holder(lseq: Lseq): Promise<Version | undefined> {
    return (await this.holding([lseq])).get(lseq)
  }

  /** What a version covers: itself and all its past. */
  async vectorOf(version: Lseq): Promise<Vector> {
    // Complete: of all it covers, it covers the past too. What is walked over is not, until the walk is done.
    let complete = Vector.empty
    const walked: Lseq[] = []
    const seen = new Set<string>()
    const todo: Lseq[] = [version]
    for (let next = takeLatest(todo); next !== undefined; next = takeLatest(todo)) {
      const name = formatLseq(next.seq, next.stream)
      if (seen.has(name) || complete.covers(this.streams.slot(next.stream), next.seq)) continue
      seen.add(name)
      const kept = await this.#keptVector(next)
      if (kept !== undefined) {
        complete = complete.join(kept)
        continue
      }
      walked.push(next)
      todo.push(...(await this.expect(next)).parents)
    }
    return walked.reduce((vector, { seq, stream }) => vector.with(this.streams.slot(stream), seq), complete)
  }

  async #keptVector(version: Lseq): Promise<Vector | undefined> {
    const { generation } = this.#entries
    if (generation !== this.#generation) {
      // There may be later ones now; without them the way to an earlier one gets longer with each version.
      this.#vectorsFrom = Number.POSITIVE_INFINITY
      this.#generation = generation
    }
    if (this.#vectorsFrom === Number.POSITIVE_INFINITY) {
      const value = await this.#entries.get(vectorKey(version.seq, version.stream))
      if (value !== undefined) return this.#vector(value)
    }
    while (version.seq < this.#vectorsFrom && this.#vectorsFrom > 0) await this.#loadVectors(version)
    return this.#vectors.get(formatLseq(version.seq, version.stream))
  }

  /** Loads the next few kept vectors at or below a version. */
  async #loadVectors({ seq, stream }: Lseq): Promise<void> {
    const from = Number.isFinite(this.#vectorsFrom) ? vectorKey(this.#vectorsFrom, 0) : vectorKey(seq, stream + 1)
    const lowest = fromLatin1('X')
    let loaded = 0
    for await (const batch of this.#entries.scan({ gte: lowest, lt: from, reverse: true })) {
      for (let i = 0; i < batch.count && loaded < VECTORS_AT_ONCE; i++, loaded++) {
        const at = lseqOfKey(batch.key(i))
        this.#vectors.set(formatLseq(at.seq, at.stream), this.#vector(batch.value(i)))
        this.#vectorsFrom = at.seq
      }
      if (loaded >= VECTORS_AT_ONCE) return
    }
    this.#vectorsFrom = 0
  }

  #vector(value: Uint8Array): Vector {
    let vector = Vector.empty
    for (const { seq, stream } of decodeVector(value)) vector = vector.with(this.streams.slot(stream), seq)
    return vector
  }
}

/** @throws {CodedError} `VERSION_MISSING`, always. */
export function missingVersion({ seq, stream }: Lseq): never {
  throw new CodedError('VERSION_MISSING', `The version ${formatLseq(seq, stream)} is not in this repository.`, {
    hint: 'Run `weft verify` to see what else is missing.',
  })
}

/** Removes the latest of a few lseqs. */
function takeLatest(todo: Lseq[]): Lseq | undefined {
  let best = 0
  for (let i = 1; i < todo.length; i++) if (compareLseq(todo[i] as Lseq, todo[best] as Lseq) > 0) best = i
  return todo.splice(best, 1)[0]
}

/** @throws {CodedError} `BAD_RECORD` also where the header is not the one that belongs at this key. */
function versionAt(value: Uint8Array, at: Lseq): Version {
  return checked(decodeVersion(value), at)
}

function briefAt(value: Uint8Array, at: Lseq): VersionBrief {
  return checked(decodeBrief(value), at)
}

/** What a version says of its place. */
type Lasting = Pick<VersionLinks, 'stream' | 'last'>

function checked<V extends Lasting>(version: V, { seq, stream }: Lseq): V {
  if (version.last === seq && version.stream === stream) return version
  throw new CodedError('BAD_RECORD', `The version at ${formatLseq(seq, stream)} says it is another one.`)
}
