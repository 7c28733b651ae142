/**
 * Turns a plan whose contents have been read into entries: gives out seqs, places runs, hashes, signs.
 *
 * Three passes over the plan, because each needs all of the one before:
 *
 * 1. `number`: versions in order take their blocks of seqs. Within a version: for each path in order its path entry, the
 *    lines of its new runs, its tombstones and origins, its recipe, its chunks; then one seq for the version and its groups.
 * 2. `seal`: runs get positions, groups their digests, trees their roots; then headers in order, since each names the
 *    ids of its parents.
 * 3. `entries`: everything once more, in key order, as a stream into pages.
 *
 * The values of runs are held from reading to writing; all else is computed when it is needed.
 * @module
 */
import { compareBytes, concatBytes, fromLatin1, toLatin1 } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import type { DigestString } from '../crypto/crypto.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { encodeVector, idKey, keepsVector, vectorKey } from '../history/derived.js'
import { GIT_EXTRA } from '../history/extra.js'
import type { Genesis } from '../history/genesis.js'
import { changesRoot, encodeGroups, type Group, groupOf, sortGroups } from '../history/groups.js'
import { encodeHeader, encodeVersion, type Header, type VersionRef } from '../history/header.js'
import {
  chunkKey,
  genesisKey,
  groupsKey,
  linesPrefix,
  noteKey,
  pathKey,
  recipePrefix,
  tombstoneKey,
  versionKey,
  withLseq,
} from '../history/keys.js'
import { encodeNote, type Note } from '../history/note.js'
import { encodePathDelete, encodePathPut } from '../history/path-entry.js'
import type { Signer } from '../history/signer.js'
import { treeRoot } from '../history/tree.js'
import { encodeOrigins } from '../lines/origin.js'
import { encodeRanges } from '../lines/tombstone.js'
import { originsOf, placeRun } from '../lines/weaver.js'
import type { Entry } from '../lseq/batch.js'
import { nextBlock } from '../lseq/clock.js'
import { compareLseq, type Lseq } from '../lseq/lseq.js'
import { type Commit, encodeRest, type OddTree } from './commit.js'
import type { FileNode, PathWrite, PlannedFile, PlannedVersion } from './plan.js'

/** A planned version with the commit it is made of. */
export interface Draft {
  readonly planned: PlannedVersion
  readonly commit: Commit
  readonly trees: readonly OddTree[]
}

/** What the versions in a plan stand on. */
export interface AssembleContext {
  /** Where the clock stands. */
  readonly greatest: number
  readonly signer: Signer
  /** Stream id of a slot. */
  readonly streamOf: (slot: number) => number
  /** Lseq and id of a version of before the plan, by number. */
  readonly refOf: (number: number) => Promise<VersionRef>
  /** Last seq of such a version. */
  readonly seqOf: (number: number) => number
  /** Genesis of each stream that this plan begins, by slot. */
  readonly geneses: ReadonlyMap<number, Genesis>
  /** Chunks of this plan, and numbers of versions that already have one stored. */
  readonly chunks: ReadonlyMap<DigestString, Uint8Array>
  readonly chunkHolders: (hash: DigestString) => Promise<readonly number[]>
  /** Whether the version `holder` is in the past of `version`. */
  readonly covers: (version: PlannedVersion, holder: number) => boolean
}

/** A file with what this plan adds to it. */
interface Touched {
  readonly id: Lseq
  readonly nodes: FileNode[]
  readonly writes: PathWrite[]
}

/** Seqs of what a write adds besides lines. */
interface WriteSeqs {
  readonly path: number
  recipe: number
  readonly chunks: { readonly hash: DigestString; readonly seq: number }[]
}

/** A version once it is signed. */
interface Sealed {
  readonly ref: VersionRef
  readonly value: Uint8Array
  /** Undefined for a version that says nothing. */
  readonly note: Uint8Array | undefined
  /** Undefined for a version that adds nothing. */
  readonly groups: Uint8Array | undefined
}

/** A plan becoming entries. */
export class Assembly {
  readonly #drafts: readonly Draft[]
  readonly #context: AssembleContext
  readonly #blocks: { readonly first: number; readonly last: number }[] = []
  readonly #seqs = new Map<PathWrite, WriteSeqs>()
  readonly #touched = new Map<PlannedFile, Touched>()
  readonly #lineGroups = new Map<FileNode, Group>()
  readonly #sealed: Sealed[] = []
  /** Lines put, in all versions. */
  lines = 0

  /** @param drafts - In order of their numbers, which follow each other. */
  constructor(drafts: readonly Draft[], context: AssembleContext) {
    this.#drafts = drafts
    this.#context = context
  }

  /** The first two passes. */
  async prepare(): Promise<void> {
    await this.#number()
    this.#place()
    await this.#seal()
  }

  /** Lseq and id of a version of this plan; only after `prepare`. */
  refOf(number: number): VersionRef {
    return (this.#sealed[this.#at(number)] as Sealed).ref
  }

  /** All entries, in key order: the kinds in order of their letters. */
  *entries(): Generator<Entry> {
    const files = [...this.#touched.values()].sort((a, b) => compareLseq(a.id, b.id))
    for (const file of files) yield* this.#recipes(file)
    yield* this.#chunks()
    for (const { ref, groups } of this.#sealed) {
      if (groups !== undefined) yield { key: groupsKey(ref.seq, ref.stream), value: groups }
    }
    yield* this.#ids()
    const geneses = [...this.#context.geneses.values()].sort((a, b) => a.stream - b.stream)
    for (const { stream, value } of geneses) yield { key: genesisKey(stream), value }
    for (const file of files) yield* this.#lineEntries(file.id, file.nodes)
    for (const { ref, note } of this.#sealed) {
      if (note !== undefined) yield { key: noteKey(ref.seq, ref.stream), value: note }
    }
    yield* this.#paths()
    for (const { ref, value } of this.#sealed) yield { key: versionKey(ref.seq, ref.stream), value }
    yield* this.#vectors()
  }

  #at(number: number): number {
    return number - (this.#drafts[0]?.planned.number ?? 0)
  }

  #streamAt(number: number): number {
    return this.#context.streamOf((this.#drafts[this.#at(number)] as Draft).planned.slot)
  }

  async #number(): Promise<void> {
    const holders = new Map<DigestString, number[]>()
    let greatest = this.#context.greatest
    for (const { planned } of this.#drafts) {
      const first = nextBlock(greatest, 1)
      const stream = this.#context.streamOf(planned.slot)
      let seq = first
      for (const write of planned.writes) {
        const seqs: WriteSeqs = { path: seq++, recipe: 0, chunks: [] }
        this.#seqs.set(write, seqs)
        const { file, node } = write.leaf
        file.id ??= { seq: seqs.path, stream }
        if (node?.content === undefined) continue
        const { runs, tombstones, moved, recipe } = node.content
        for (const run of runs) {
          run.seq = seq
          run.stream = stream
          seq += run.count
          this.lines += run.count
        }
        for (const tombstone of tombstones) tombstone.seq = seq++
        for (const one of moved) one.seq = seq++
        if (recipe !== undefined) {
          seqs.recipe = seq++
          for (const hash of await this.#missing(recipe, planned, holders)) seqs.chunks.push({ hash, seq: seq++ })
        }
        this.#touch(file, node, write)
      }
      // One for the version itself and its groups entry.
      const last = seq
      nextBlock(greatest, last - greatest)
      this.#blocks.push({ first, last })
      greatest = last
    }
  }

  #touch(file: PlannedFile, node: FileNode, write: PathWrite): void {
    const touched = getOrMake(this.#touched, file, () => ({ id: file.id as Lseq, nodes: [], writes: [] }))
    touched.nodes.push(node)
    touched.writes.push(write)
  }

  /** The chunks that no version in the past of `version` has stored: a version refers to what its vector covers only. */
  async #missing(
    chunks: readonly DigestString[],
    version: PlannedVersion,
    holders: Map<DigestString, number[]>,
  ): Promise<DigestString[]> {
    const missing: DigestString[] = []
    for (const hash of new Set(chunks)) {
      let known = holders.get(hash)
      if (known === undefined) {
        known = [...(await this.#context.chunkHolders(hash))]
        holders.set(hash, known)
      }
      if (known.some((holder) => this.#context.covers(version, holder))) continue
      known.push(version.number)
      missing.push(hash)
    }
    return missing
  }

  #place(): void {
    for (const { id, nodes } of this.#touched.values()) {
      for (const node of nodes) {
        for (const run of node.content?.runs ?? []) placeRun(run)
        const entries = this.#lineEntries(id, [node])
        if (entries.length > 0) this.#lineGroups.set(node, groupOf(toLatin1(linesPrefix(id)), entries))
      }
    }
  }

  /** What nodes add to their file's lines, in key order. */
  #lineEntries(id: Lseq, nodes: readonly FileNode[]): Entry[] {
    const prefix = linesPrefix(id)
    const entries: Entry[] = []
    for (const { version, content } of nodes) {
      for (const run of content?.runs ?? []) {
        entries.push({ key: concatBytes(prefix, run.position as Uint8Array), value: run.text })
      }
      for (const { run, ranges, seq } of content?.tombstones ?? []) {
        const key = tombstoneKey(prefix, run.position as Uint8Array, seq, this.#streamAt(version))
        entries.push({ key, value: encodeRanges(ranges) })
      }
      for (const { run, seq } of content?.moved ?? []) {
        const key = tombstoneKey(prefix, run.position as Uint8Array, seq, this.#streamAt(version))
        entries.push({ key, value: encodeOrigins(originsOf(run)) })
      }
    }
    return entries.sort((a, b) => compareBytes(a.key, b.key))
  }

  async #seal(): Promise<void> {
    for (const { planned, commit, trees } of this.#drafts) {
      const { first, last } = this.#blocks[this.#at(planned.number)] as { first: number; last: number }
      const stream = this.#context.streamOf(planned.slot)
      const note = encodeNote(noteOf(commit, trees))
      const groups = planned.writes.flatMap((write) => this.#groups(write, stream))
      if (note !== undefined) groups.push(groupOf('N', [{ key: noteKey(last, stream), value: note }]))
      sortGroups(groups)
      const header: Header = {
        stream,
        first,
        last,
        prev: await this.#prev(planned, stream),
        parents: await Promise.all(planned.parents.map((parent) => this.#refOf(parent))),
        tree: fromLatin1(treeRoot(planned.tree)),
        changes: fromLatin1(changesRoot(groups)),
        author: commit.author,
        committer: commit.committer,
        extra: [{ name: GIT_EXTRA, value: commit.rest.id }],
      }
      const bytes = encodeHeader(header)
      const id = crypto.sha256(bytes)
      this.#sealed.push({
        ref: { seq: last, stream, id },
        value: encodeVersion(bytes, this.#context.signer.sign(id)),
        note,
        groups: groups.length > 0 ? encodeGroups(groups) : undefined,
      })
    }
  }

  async #prev(planned: PlannedVersion, stream: number): Promise<VersionRef> {
    if (planned.prev > 0) return this.#refOf(planned.prev)
    const genesis = this.#context.geneses.get(planned.slot)
    if (genesis === undefined) throw new TypeError(`version ${planned.number}: expected the genesis of its stream`)
    return { seq: 0, stream, id: genesis.id }
  }

  async #refOf(number: number): Promise<VersionRef> {
    return this.#at(number) >= 0 ? this.refOf(number) : this.#context.refOf(number)
  }

  /** The groups a write makes; fills in what the tree says of the path. */
  #groups(write: PathWrite, stream: number): Group[] {
    const { path, leaf } = write
    const { node, file } = leaf
    const value = this.#pathValue(write)
    if (node !== undefined) leaf.value = toLatin1(value)
    const seqs = this.#seqs.get(write) as WriteSeqs
    const groups = [groupOf(`P${path}`, [{ key: pathKey(path, seqs.path, stream), value }])]
    if (node === undefined) return groups
    const id = file.id as Lseq
    const lines = this.#lineGroups.get(node)
    if (lines !== undefined) groups.push(lines)
    if (seqs.recipe > 0) {
      const prefix = recipePrefix(id)
      const entry = { key: withLseq(prefix, seqs.recipe, stream), value: recipeValue(node) }
      groups.push(groupOf(toLatin1(prefix), [entry]))
    }
    for (const { hash, seq } of seqs.chunks) {
      groups.push(groupOf(`C${hash}`, [{ key: chunkKey(hash, seq, stream), value: this.#chunk(hash) }]))
    }
    return groups
  }

  #pathValue({ leaf }: PathWrite): Uint8Array {
    const file = leaf.file.id as Lseq
    const content = leaf.node?.content
    if (content === undefined) return encodePathDelete(file)
    const { size, sha256, chunked } = content
    return encodePathPut({ mode: leaf.mode, file, size, sha256: fromLatin1(sha256), chunked })
  }

  #chunk(hash: DigestString): Uint8Array {
    const chunk = this.#context.chunks.get(hash)
    if (chunk === undefined) throw new TypeError('chunk: expected its bytes to have been kept')
    return chunk
  }

  *#recipes({ id, nodes, writes }: Touched): Generator<Entry> {
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i] as FileNode
      const { recipe: seq } = this.#seqs.get(writes[i] as PathWrite) as WriteSeqs
      if (seq > 0)
        yield { key: withLseq(recipePrefix(id), seq, this.#streamAt(node.version)), value: recipeValue(node) }
    }
  }

  *#chunks(): Generator<Entry> {
    const all: { key: Uint8Array; hash: DigestString }[] = []
    for (const [{ leaf }, { chunks }] of this.#seqs) {
      for (const { hash, seq } of chunks) all.push({ key: chunkKey(hash, seq, this.#streamAt(leaf.touch)), hash })
    }
    all.sort((a, b) => compareBytes(a.key, b.key))
    for (const { key, hash } of all) yield { key, value: this.#chunk(hash) }
  }

  *#paths(): Generator<Entry> {
    const all = this.#drafts.flatMap(({ planned }) => planned.writes)
    // A stable sort: writes of one path stay in order of their versions.
    all.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
    for (const write of all) {
      const { path } = this.#seqs.get(write) as WriteSeqs
      yield { key: pathKey(write.path, path, this.#streamAt(write.leaf.touch)), value: this.#pathValue(write) }
    }
  }

  #ids(): Entry[] {
    const entries = this.#drafts.flatMap(({ planned, commit }) => {
      const { seq, stream, id } = this.refOf(planned.number)
      return [idKey('v', id, seq, stream), idKey('g', commit.rest.id, seq, stream)]
    })
    return entries.sort(compareBytes).map((key) => ({ key, value: NOTHING }))
  }

  *#vectors(): Generator<Entry> {
    for (const { planned } of this.#drafts) {
      const { number, vector } = planned
      const { seq, stream, id } = this.refOf(number)
      if (!keepsVector(id)) continue
      const lseqs = [...vector.entries()].map(([slot, tip]) => ({
        seq: this.#at(tip) >= 0 ? this.refOf(tip).seq : this.#context.seqOf(tip),
        stream: this.#context.streamOf(slot),
      }))
      yield { key: vectorKey(seq, stream), value: encodeVector(lseqs) }
    }
  }
}

const NOTHING = new Uint8Array(0)

function noteOf({ message, rest }: Commit, trees: readonly OddTree[]): Note {
  const value = encodeRest(rest, trees)
  return { message, extra: value.length === 0 ? [] : [{ name: GIT_EXTRA, value }] }
}

/** The hashes of a content's chunks, one behind the other. */
function recipeValue(node: FileNode): Uint8Array {
  return fromLatin1((node.content?.recipe ?? []).join(''))
}
