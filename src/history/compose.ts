/**
 * A new version, from what it makes of paths to the entries that say so.
 *
 * The import (git/assemble.ts) makes thousands of versions at once and in passes; here it is one, on top of what is
 * stored. Seqs are given out in the same order: for each path in byte order its path entry, the lines of its new runs, its
 * tombstones and origins, its recipe, its chunks; then one for the note, the groups and the version itself.
 *
 * Nothing is written here: the caller puts the entries in one atomic batch, with the refs that name the version, and with
 * what the replica has to note (`Replica.operations`).
 * @module
 */
import { compareBytes, concatBytes, equalBytes, fromLatin1, toLatin1 } from '../base/bytes.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { chunkBoundaries } from '../lines/chunk.js'
import { encodeOrigins } from '../lines/origin.js'
import { isText } from '../lines/split.js'
import { encodeRanges } from '../lines/tombstone.js'
import { originsOf, placeRun, type Woven } from '../lines/weaver.js'
import type { Entry } from '../lseq/batch.js'
import { nextBlock } from '../lseq/clock.js'
import type { EntryStore } from '../lseq/entries.js'
import { type Lseq, lseqOfKey } from '../lseq/lseq.js'
import type { Streams, Vector } from '../lseq/vector.js'
import { derivedEntries } from './derived.js'
import type { Extra } from './extra.js'
import { changesRoot, encodeGroups, type Group, groupOf, sortGroups } from './groups.js'
import { encodeHeader, encodeVersion, type Ident, type VersionRef } from './header.js'
import {
  chunkKey,
  chunkPrefix,
  groupsKey,
  linesPrefix,
  noteKey,
  pathKey,
  prefixRange,
  recipePrefix,
  tombstoneKey,
  versionKey,
  withLseq,
} from './keys.js'
import { encodeNote } from './note.js'
import { placeVersion } from './own-streams.js'
import { encodePathDelete, encodePathPut, type PathPut } from './path-entry.js'
import type { Writer } from './replica.js'
import { StoredFile } from './stored-file.js'
import { type Leaf, setPath, type Tree, treeRoot } from './tree.js'

/** What a version makes of a path. */
export interface ComposeWrite {
  /** Binary string. */
  readonly path: string
  /** What is there afterwards; undefined for a path that is deleted. */
  readonly put?: {
    readonly mode: number
    /** The file that goes on here; undefined for a new one. */
    readonly file: Lseq | undefined
    /** SHA-256 of the content, where it is known already. */
    readonly sha256?: Uint8Array
    /** Read when it is needed, once. */
    readonly content: () => Promise<Uint8Array>
  }
  /** The file that is deleted here. */
  readonly deleted?: Lseq
}

/** A version to be. */
export interface Composition {
  readonly parents: readonly VersionRef[]
  /** What each parent covers. */
  readonly vectors: readonly Vector[]
  /** What the parents cover together. */
  readonly joined: Vector
  /** The tree of the joined parents; directories that no write is below may be opaque, with their root known. */
  readonly tree: Tree<Leaf>
  /** One for each path at most. */
  readonly writes: readonly ComposeWrite[]
  readonly author: Ident
  readonly committer: Ident
  readonly message: Uint8Array
  readonly extra?: readonly Extra[]
  readonly noteExtra?: readonly Extra[]
  /** Nothing will stand on it: it gets a stream of its own, so that the parent's goes on with what is done there. */
  readonly isAside?: boolean | undefined
  /**
   * What covers the lines that this version may have taken from elsewhere, so that their origins are written down; by
   * default the parents' vectors where there are several. They come first in any case.
   */
  readonly sources?: readonly Vector[] | undefined
}

/** What composing stands on. */
export interface ComposeContext extends Writer {
  readonly entries: EntryStore
  readonly streams: Streams
}

/** A version, made and not yet written. */
export interface Composed {
  readonly ref: VersionRef
  readonly vector: Vector
  /** All it consists of, in no order. */
  readonly entries: readonly Entry[]
  /** What stands at the paths it put. */
  readonly puts: ReadonlyMap<string, PathPut>
  readonly tree: Tree<Leaf>
  /** Lines it put. */
  readonly lines: number
}

/**
 * Makes a version.
 *
 * @throws {CodedError} `CLOCK_EXHAUSTED`, `STREAM_UNKNOWN`, and what reading contents throws.
 */
export async function composeVersion(context: ComposeContext, composition: Composition): Promise<Composed> {
  const { parents, joined, author, committer, message } = composition
  const { signer, streams } = context
  const place = await placeVersion(context.entries, {
    writer: context,
    random: context.random ?? crypto.randomBytes,
    streams,
    vector: joined,
    preferred: parents[0]?.stream,
    isAside: composition.isAside,
  })
  const { stream } = place
  const first = nextBlock(place.clock, 1)
  const writer = new VersionWriter(context, composition, stream, first)
  const writes = [...composition.writes].sort((a, b) => (a.path < b.path ? -1 : 1))
  let { tree } = composition
  for (const write of writes) {
    const value = await writer.add(write)
    tree = setPath(tree, write.path, { touch: 0, value })
  }
  const last = writer.seq
  nextBlock(place.clock, last - place.clock)
  const note = encodeNote({ message, extra: composition.noteExtra ?? [] })
  if (note !== undefined) writer.addGroup('N', [{ key: noteKey(last, stream), value: note }])
  const groups = sortGroups(writer.groups)
  const { extra = [] } = composition
  const header = encodeHeader({
    stream,
    first,
    last,
    prev: place.prev,
    parents,
    tree: fromLatin1(treeRoot(tree)),
    changes: fromLatin1(changesRoot(groups)),
    author,
    committer,
    extra,
  })
  const id = crypto.sha256(header)
  const vector = joined.with(streams.slot(stream), last)
  const { entries } = writer
  if (place.genesis !== undefined) entries.push(place.genesis)
  if (groups.length > 0) entries.push({ key: groupsKey(last, stream), value: encodeGroups(groups) })
  entries.push({ key: versionKey(last, stream), value: encodeVersion(header, signer.sign(id)) })
  const lseqs = () => [...vector.entries()].map(([slot, seq]) => ({ seq, stream: streams.id(slot) }))
  entries.push(...derivedEntries({ id, last, stream, extra }, lseqs))
  return { ref: { seq: last, stream, id }, vector, entries, puts: writer.puts, tree, lines: writer.lines }
}

const NOTHING = new Uint8Array(0)

/** Takes the paths of a version, one after the other. */
class VersionWriter {
  readonly entries: Entry[] = []
  readonly groups: Group[] = []
  readonly puts = new Map<string, PathPut>()
  lines = 0
  /** The next seq to give out. */
  seq: number
  readonly #context: ComposeContext
  readonly #composition: Composition
  readonly #stream: number
  /** Chunks that this version stores, as binary strings. */
  readonly #chunks = new Set<string>()

  constructor(context: ComposeContext, composition: Composition, stream: number, first: number) {
    this.#context = context
    this.#composition = composition
    this.#stream = stream
    this.seq = first
  }

  addGroup(name: string, entries: readonly Entry[]): void {
    this.entries.push(...entries)
    this.groups.push(groupOf(name, entries))
  }

  /** Adds one path and returns what the tree says of it. */
  async add({ path, put, deleted }: ComposeWrite): Promise<string | undefined> {
    const key = pathKey(path, this.seq, this.#stream)
    const at: Lseq = { seq: this.seq++, stream: this.#stream }
    if (put === undefined) {
      if (deleted === undefined) throw new TypeError(`write of ${path}: expected the file that is deleted`)
      this.addGroup(`P${path}`, [{ key, value: encodePathDelete(deleted) }])
      return undefined
    }
    const file = put.file ?? at
    const bytes = await put.content()
    const chunked = !isText(bytes)
    const stored = await StoredFile.load(this.#context.entries, this.#context.streams, put.file)
    const { joined, vectors, sources = [] } = this.#composition
    const woven = stored.weave(joined, chunked ? NOTHING : bytes, [...(vectors.length > 1 ? vectors : []), ...sources])
    const entry = { mode: put.mode, file, size: bytes.length, sha256: crypto.sha256(bytes), chunked }
    const value = encodePathPut(entry)
    this.puts.set(path, entry)
    this.addGroup(`P${path}`, [{ key, value }])
    this.#addLines(file, woven)
    if (chunked) await this.#addChunks(file, bytes)
    return toLatin1(value)
  }

  #addLines(file: Lseq, { runs, tombstones, moved }: Woven): void {
    const prefix = linesPrefix(file)
    const stream = this.#stream
    for (const run of runs) {
      run.seq = this.seq
      run.stream = stream
      this.seq += run.count
      this.lines += run.count
    }
    const entries: Entry[] = runs.map((run) => ({ key: concatBytes(prefix, placeRun(run)), value: run.text }))
    for (const { run, ranges } of tombstones) {
      const key = tombstoneKey(prefix, run.position as Uint8Array, this.seq++, stream)
      entries.push({ key, value: encodeRanges(ranges) })
    }
    for (const { run } of moved) {
      const key = tombstoneKey(prefix, run.position as Uint8Array, this.seq++, stream)
      entries.push({ key, value: encodeOrigins(originsOf(run)) })
    }
    if (entries.length === 0) return
    entries.sort((a, b) => compareBytes(a.key, b.key))
    this.addGroup(toLatin1(prefix), entries)
  }

  async #addChunks(file: Lseq, bytes: Uint8Array): Promise<void> {
    const chunks: { hash: string; bytes: Uint8Array }[] = []
    let start = 0
    for (const end of chunkBoundaries(bytes)) {
      const chunk = bytes.subarray(start, end)
      chunks.push({ hash: crypto.sha256Binary(chunk), bytes: chunk })
      start = end
    }
    const prefix = recipePrefix(file)
    const recipe = fromLatin1(chunks.map(({ hash }) => hash).join(''))
    const latest = await this.#latestCovered(prefix)
    // Where the content is what it was (a new name or mode), the recipe that stands is right.
    if (latest === undefined || !equalBytes(latest, recipe)) {
      this.addGroup(toLatin1(prefix), [{ key: withLseq(prefix, this.seq++, this.#stream), value: recipe }])
    }
    for (const chunk of chunks) {
      if (this.#chunks.has(chunk.hash) || (await this.#latestCovered(chunkPrefix(chunk.hash))) !== undefined) continue
      this.#chunks.add(chunk.hash)
      const key = chunkKey(chunk.hash, this.seq++, this.#stream)
      this.addGroup(`C${chunk.hash}`, [{ key, value: Uint8Array.from(chunk.bytes) }])
    }
  }

  /** Value of the last entry under a subject that the parents cover. */
  async #latestCovered(prefix: Uint8Array): Promise<Uint8Array | undefined> {
    const { entries, streams } = this.#context
    let latest: Uint8Array | undefined
    for await (const batch of entries.scan(prefixRange(prefix))) {
      for (let i = 0; i < batch.count; i++) {
        const { seq, stream } = lseqOfKey(batch.key(i))
        if (this.#composition.joined.covers(streams.slot(stream), seq)) latest = batch.value(i)
      }
    }
    return latest
  }
}
