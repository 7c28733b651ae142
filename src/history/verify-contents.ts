/**
 * Verification, step 4: every file version rebuilt from its lines or chunks and compared with its SHA-256, and what stands
 * beside lines compared with those lines.
 * @module
 */
import { concatBytes, fromLatin1, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { getOrMake } from '../base/map.js'
import { PrefixHash } from '../crypto/prefix-hash.js'
import { falseOrigins } from '../lines/false-origins.js'
import { RUN_LINES_LIMIT } from '../lines/position.js'
import { Replay } from '../lines/replay.js'
import { lineCount, type Run, type Weave, WeaveBuilder } from '../lines/weave.js'
import type { EntryBatch } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { compareLseq, formatLseq, LSEQ_BYTES, lseqOfKey, parseLseq, readLseq } from '../lseq/lseq.js'
import { chunksAt } from './chunked.js'
import { checkPath } from './entry-rules.js'
import type { Findings, Place } from './findings.js'
import type { Graph } from './graph.js'
import { type JoinedSides, joinSides, type TouchOrder } from './joined-sides.js'
import { FILE_PREFIX_BYTES, linesPrefix, pathKey } from './keys.js'
import { decodePathEntry, type PathPut } from './path-entry.js'
import { emptyTree, type Leaf, setPath, type Tree } from './tree.js'
import type { SourceGraph } from './verify-versions.js'

/** What a version made of a path, as read from its entry. */
export interface PathWrite {
  readonly number: number
  /** Binary string. */
  readonly path: string
  /** The entry's value, a binary string; undefined where the path was deleted. */
  readonly value: string | undefined
  readonly seq: number
  readonly stream: number
}

/** Path writes by version and by file. */
export interface PathWrites {
  /** By version number - 1, in path order. */
  readonly byVersion: readonly (readonly PathWrite[] | undefined)[]
  /** Writes that put a content, by file id as text, in order of versions. */
  readonly byFile: ReadonlyMap<string, readonly PathWrite[]>
}

/**
 * Sees a rebuilt content: a view that is written over afterwards. `same` says how many bytes at its beginning are those of
 * the content seen before; undefined where it is the same content. `copies` is what it has from the content of the same
 * file seen before, as `Replay.copies`; undefined where there was none, or where nobody asked for it.
 */
export type ContentVisitor = (
  write: PathWrite,
  put: PathPut,
  content: Uint8Array,
  same: number | undefined,
  copies?: readonly number[],
) => void

/** In which order the contents of a file are shown, and with what. */
export interface ShowOptions {
  /** Newest first, and each with what it has from the one shown before. */
  readonly asDeltas?: boolean
}

/** Reads all path entries. Entries of versions that do not hold are left out: those have been reported. */
export async function readPathWrites(entries: EntryStore, graph: Graph, findings: Findings): Promise<PathWrites> {
  const byVersion: PathWrite[][] = new Array(graph.size)
  const byFile = new Map<string, PathWrite[]>()
  for await (const batch of findings.scan(entries, 'P')) {
    for (let i = 0; i < batch.count; i++) {
      const key = batch.key(i)
      const { seq, stream } = lseqOfKey(key)
      const number = graph.holding(graph.streams.slot(stream), seq)
      if (number === undefined) continue
      const path = toLatin1(key, 1, key.length - LSEQ_BYTES - 1)
      const entry = findings.guard('entry', { key, path }, () => checkPath(key, batch.value(i)))
      if (entry === undefined) continue
      const put = 'file' in entry
      const write = { number, path, value: put ? toLatin1(batch.value(i)) : undefined, seq, stream }
      let list = byVersion[number - 1]
      if (list === undefined) byVersion[number - 1] = list = []
      list.push(write)
      if (!put) continue
      const file = formatLseq(entry.file.seq, entry.file.stream)
      getOrMake(byFile, file, () => [] as PathWrite[]).push(write)
    }
  }
  for (const list of byFile.values()) list.sort((a, b) => a.number - b.number)
  return { byVersion, byFile }
}

/** Rebuilds, from line entries handed over in key order, every content that was put as lines. */
export class LineContents {
  readonly #graph: Graph
  readonly #left: Map<string, readonly PathWrite[]>
  readonly #findings: Findings
  readonly #visit: ContentVisitor
  readonly #sources: SourceGraph
  readonly #asDeltas: boolean
  #file = ''
  #builder: WeaveBuilder

  constructor(
    graph: Graph,
    { byFile }: Pick<PathWrites, 'byFile'>,
    findings: Findings,
    visit: ContentVisitor,
    sources: SourceGraph = new Map(),
    options: ShowOptions = {},
  ) {
    this.#asDeltas = options.asDeltas === true
    this.#graph = graph
    this.#left = new Map(byFile)
    this.#findings = findings
    this.#visit = visit
    this.#sources = sources
    this.#builder = new WeaveBuilder(graph.streams)
  }

  /** Takes line entries; a file is shown when the next one begins. */
  take(batch: EntryBatch): void {
    for (let i = 0; i < batch.count; i++) {
      const key = batch.key(i)
      if (key.length < FILE_PREFIX_BYTES) continue
      const { seq, stream } = readLseq(key, 1)
      const name = formatLseq(seq, stream)
      if (name !== this.#file) {
        this.#show()
        this.#file = name
      }
      this.#findings.guard('entry', { key }, () => {
        this.#builder.push(key.subarray(FILE_PREFIX_BYTES), batch.value(i))
      })
    }
  }

  /** Shows what is left: the last file, and those that never had a line. */
  finish(): void {
    this.#show()
    for (const file of [...this.#left.keys()]) {
      this.#file = file
      this.#show()
    }
  }

  #show(): void {
    const graph = this.#graph
    const known = this.#left.get(this.#file) ?? []
    const writes = this.#asDeltas ? known.toReversed() : known
    this.#left.delete(this.#file)
    const weave = this.#builder.finish()
    this.#builder = new WeaveBuilder(graph.streams)
    // Deltas are for who wants the contents; whether lines are what they say they are is another question.
    if (!this.#asDeltas) {
      this.#checkRuns(weave, writes[0]?.path)
      this.#checkOrigins(weave, writes[0]?.path)
    }
    const replay = new Replay(weave, (slot, seq) => graph.holding(slot, seq) ?? 0, this.#asDeltas)
    let isFirst = true
    for (const write of writes) {
      const put = decodePathEntry(fromLatin1(write.value as string)) as PathPut
      if (put.chunked) continue
      const { vector } = graph.node(write.number)
      const same = replay.goTo((version) => version > 0 && vector.covers(graph.node(version).slot, version))
      const copies = this.#asDeltas && !isFirst ? replay.copies : undefined
      this.#visit(write, put, replay.content, isFirst ? 0 : same, copies)
      isFirst = false
    }
  }

  /** Lines have lseqs of the version that put them, and are deleted by versions that know them. */
  #checkRuns(weave: Weave, path: string | undefined): void {
    const graph = this.#graph
    const tell = (run: Run, detail: string) => this.#findings.add('entry', detail, this.#placeOf(run, path))
    for (const run of weave.runs) {
      const holder = graph.holding(run.slot, run.seq)
      if (holder === undefined) continue
      const count = lineCount(run)
      if (run.seq + count - 1 > graph.node(holder).last) tell(run, 'Lines have lseqs that their version did not take.')
      if (count >= RUN_LINES_LIMIT) tell(run, 'A run has more lines than there are places between them.')
      for (const { slot, seq, ranges } of run.tombstones) {
        const by = graph.holding(slot, seq)
        if (by === undefined) continue
        if ((ranges.at(-1) as number) > count) tell(run, 'A tombstone names more lines than the run has.')
        if (!graph.node(by).vector.covers(run.slot, holder))
          tell(run, 'Lines are deleted by a version that does not know them.')
      }
    }
  }

  #placeOf(run: Run, path: string | undefined): Place {
    const file = parseLseq(this.#file)
    return { path, key: file === undefined ? run.position : concatBytes(linesPrefix(file), run.position) }
  }

  #checkOrigins(weave: Weave, path: string | undefined): void {
    const graph = this.#graph
    const holder = ({ slot, seq }: Run) => graph.holding(slot, seq)
    const covers = (number: number | undefined, slot: number, seq: number): boolean => {
      const other = graph.holding(slot, seq)
      return number !== undefined && other !== undefined && graph.node(number).vector.covers(slot, other)
    }
    const { untrue, doubtful } = falseOrigins(weave, graph.streams, {
      covers: (run, slot, seq) => covers(holder(run), slot, seq),
      sources: (run) => {
        const sources = this.#sources.get(holder(run) ?? 0)
        return (
          sources && {
            isMissing: sources.isMissing,
            covers: (slot, seq) => sources.numbers.some((number) => covers(number, slot, seq)),
          }
        )
      },
    })
    for (const run of untrue) {
      this.#findings.add('origin', 'Lines claim to be lines put before that they are not.', this.#placeOf(run, path))
    }
    for (const run of doubtful) {
      this.#findings.doubt('origin', 'Lines claim to be picked from where there are others.', this.#placeOf(run, path))
    }
  }
}

/** Rebuilds every content that was put as chunks. */
export async function visitChunked(
  entries: EntryStore,
  graph: Graph,
  { byFile }: Pick<PathWrites, 'byFile'>,
  findings: Findings,
  visit: ContentVisitor,
): Promise<void> {
  for (const writes of byFile.values()) {
    for (const write of writes) {
      const put = decodePathEntry(fromLatin1(write.value as string)) as PathPut
      if (!put.chunked) continue
      try {
        visit(write, put, await chunkedContent(entries, graph, write.number, put), 0)
      } catch (error) {
        if (!(error instanceof CodedError)) throw error
        findings.add('content', error.message, { path: write.path, key: keyOf(write) })
      }
    }
  }
}

async function chunkedContent(
  entries: EntryStore,
  graph: Graph,
  number: number,
  { file }: PathPut,
): Promise<Uint8Array> {
  const { vector } = graph.node(number)
  const covers = (seq: number, stream: number): boolean => {
    const slot = graph.streams.slot(stream)
    const holder = graph.holding(slot, seq)
    return holder !== undefined && vector.covers(slot, holder)
  }
  const parts: Uint8Array[] = []
  for await (const chunk of chunksAt(entries, file, covers)) parts.push(chunk)
  return Buffer.concat(parts)
}

/** Compares rebuilt contents with their hashes. */
export class ContentCheck {
  files = 0
  bytes = 0
  /** Writes whose content is not the one that was signed. */
  readonly wrong: PathWrite[] = []
  readonly #hasher = new PrefixHash()
  #hash = ''

  readonly visit: ContentVisitor = (write, put, content, same) => {
    this.files++
    this.bytes += content.length
    if (same !== undefined) this.#hash = this.#hasher.digest(content, same)
    if (this.#hash !== toLatin1(put.sha256) || content.length !== put.size) this.wrong.push(write)
  }
}

/** A leaf that knows its entry. */
export interface WalkedLeaf extends Leaf {
  readonly seq: number
  readonly stream: number
}

/** A version's tree. */
export interface WalkedTree {
  readonly number: number
  readonly tree: Tree<WalkedLeaf>
  /** Those of its parents, joined. */
  readonly joined: JoinedSides<WalkedLeaf>
}

/** Every version's tree, in causal order. A tree is kept for as long as a child needs it. */
export function* walkTrees(graph: Graph, { byVersion }: Pick<PathWrites, 'byVersion'>): Generator<WalkedTree> {
  const children = new Uint32Array(graph.size + 1)
  for (const { parents } of graph) for (const parent of parents) children[parent] = (children[parent] as number) + 1
  const trees = new Map<number, Tree<WalkedLeaf>>()
  const order: TouchOrder<WalkedLeaf> = {
    covers: (vector, { touch }) => vector.covers(graph.node(touch).slot, touch),
    isLater: (leaf, other) => compareLseq(leaf, other) > 0,
  }
  for (const { number, parents } of graph) {
    const sides = parents.map((parent) => {
      const tree = trees.get(parent) ?? emptyTree<WalkedLeaf>()
      children[parent] = (children[parent] as number) - 1
      if (children[parent] === 0) trees.delete(parent)
      return { tree, vector: graph.node(parent).vector }
    })
    const joined = joinSides(sides, order)
    let { tree } = joined
    for (const { path, value, seq, stream } of byVersion[number - 1] ?? []) {
      tree = setPath(tree, path, { touch: number, value, seq, stream })
    }
    if ((children[number] as number) > 0) trees.set(number, tree)
    yield { number, tree, joined }
  }
}

/** Full key of a path write's entry. */
export function keyOf({ path, seq, stream }: PathWrite): Uint8Array {
  return pathKey(path, seq, stream)
}
