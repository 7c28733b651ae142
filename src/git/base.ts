/**
 * What an import stands on: the versions, files and trees that the repository already has.
 *
 * Read from the entries at the start of every batch, in a form that the planner can go on from. An import that was
 * interrupted and one that brings news are the same case. Commits that an export made of versions born here are known too;
 * before anything is planned on one, it is put together again from the version, so that the note of it need not be trusted.
 * @module
 */
import { equalBytes, fromLatin1, toHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { getOrMake } from '../base/map.js'
import { extraOf, GIT_EXTRA } from '../history/extra.js'
import { decodeGenesis, readRepositoryId } from '../history/genesis.js'
import { Graph } from '../history/graph.js'
import type { Version, VersionRef } from '../history/header.js'
import { kindRange } from '../history/keys.js'
import { decodePathEntry } from '../history/path-entry.js'
import type { Writer } from '../history/replica.js'
import { emptyTree, setPath, type Tree } from '../history/tree.js'
import { Versions } from '../history/versions.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, LSEQ_BYTES, type Lseq, lseqOfKey } from '../lseq/lseq.js'
import { Streams } from '../lseq/vector.js'
import { bornCommit, gitParents } from './born.js'
import { exportedCommits } from './exported.js'
import { listFiles } from './history.js'
import { gitObjectId } from './object-id.js'
import type { FileNode, PlannedFile, PlannedLeaf } from './plan.js'
import { emptyTreeId, treeId } from './tree-id.js'

/** What a version made of a path, as stored. */
interface Touch {
  readonly number: number
  readonly value: string
  readonly file: PlannedFile
  readonly node: FileNode | undefined
}

/** A repository as the planner sees it. */
export class Base {
  readonly graph: Graph
  /** Id of the repository. */
  readonly repository: Uint8Array
  readonly #refs: readonly VersionRef[]
  /** Number of the version made from a git commit, by the commit's id (binary string). */
  readonly byCommit: ReadonlyMap<string, number>
  /** Versions that were not made from commits, where an export made commits of them, by number. */
  readonly #exported: ReadonlyMap<number, Version>
  /** Slots of the writer's own content streams, with the number of each one's last version. */
  readonly tips: Map<number, number>
  /** Stream ids in use. */
  readonly streamIds: ReadonlySet<number>
  readonly #touches: ReadonlyMap<string, readonly Touch[]>
  readonly #entries: EntryStore

  private constructor(
    entries: EntryStore,
    graph: Graph,
    repository: Uint8Array,
    refs: readonly VersionRef[],
    byCommit: ReadonlyMap<string, number>,
    exported: ReadonlyMap<number, Version>,
    tips: Map<number, number>,
    streamIds: ReadonlySet<number>,
    touches: ReadonlyMap<string, readonly Touch[]>,
  ) {
    this.#entries = entries
    this.graph = graph
    this.repository = repository
    this.#refs = refs
    this.byCommit = byCommit
    this.#exported = exported
    this.tips = tips
    this.streamIds = streamIds
    this.#touches = touches
  }

  /** @param writer - Only streams that the key began here are written on. */
  static async load(entries: EntryStore, { signer, replica }: Writer): Promise<Base> {
    const streams = new Streams()
    const graph = new Graph(streams)
    const refs: VersionRef[] = []
    const byCommit = new Map<string, number>()
    const own = new Set<number>()
    const streamIds = new Set<number>([0])
    for await (const batch of entries.scan(kindRange('K'))) {
      for (let i = 0; i < batch.count; i++) {
        const { stream } = lseqOfKey(batch.key(i))
        if (stream === 0) continue
        const genesis = decodeGenesis(batch.value(i))
        streamIds.add(stream)
        const isOwn = replica.own.has(stream) && equalBytes(genesis.publicKey, signer.publicKey)
        if (isOwn && genesis.kind === 'content') own.add(stream)
      }
    }
    const tips = new Map<number, number>()
    const born = new Map<number, Version>()
    for await (const version of new Versions(entries, streams).all()) {
      const { number, slot } = graph.add(version)
      refs.push({ seq: version.last, stream: version.stream, id: version.id })
      if (own.has(version.stream)) tips.set(slot, number)
      const extra = extraOf(version, GIT_EXTRA)
      if (extra !== undefined) byCommit.set(toLatin1(extra), number)
      else if (version.tree !== undefined) born.set(number, version)
    }
    const exported = new Map<number, Version>()
    for await (const { lseq, commit } of exportedCommits(entries)) {
      const number = graph.at(streams.slot(lseq.stream), lseq.seq)
      const version = number === undefined ? undefined : born.get(number)
      if (number === undefined || version === undefined) continue
      byCommit.set(commit, number)
      exported.set(number, version)
    }
    const touches = graph.size === 0 ? new Map<string, Touch[]>() : await loadTouches(entries, graph)
    return new Base(entries, graph, await readRepositoryId(entries), refs, byCommit, exported, tips, streamIds, touches)
  }

  /** Lseq and id of a version. */
  refOf(number: number): VersionRef {
    const ref = this.#refs[number - 1]
    if (ref === undefined) throw new RangeError(`version number: expected 1 to ${this.#refs.length}, got ${number}`)
    return ref
  }

  /** Number of the version that took an lseq. */
  versionOf(lseq: Lseq): number {
    return holderOf(this.graph, lseq)
  }

  /**
   * The tree at a version, with the ids that git has for its files.
   *
   * @param commit - Hex id of the commit that the version was made from.
   */
  async treeAt(number: number, gitDir: string, commit: string): Promise<Tree<PlannedLeaf>> {
    const { vector } = this.graph.node(number)
    const oids = new Map<string, string>()
    for await (const { path, oid } of listFiles(gitDir, commit)) oids.set(path, oid)
    let tree = emptyTree<PlannedLeaf>()
    for (const [path, touches] of this.#touches) {
      const touch = touches.findLast((t) => vector.covers(this.graph.node(t.number).slot, t.number))
      if (touch === undefined) continue
      const { file, node } = touch
      const oid = node === undefined ? '' : oids.get(path)
      if (oid === undefined) {
        throw new CodedError(
          'TREE_MISMATCH',
          `The commit ${commit} does not have the path ${path} that it was imported with.`,
        )
      }
      if (node !== undefined) node.oid = oid
      const value = node === undefined ? undefined : touch.value
      tree = setPath(tree, path, { touch: touch.number, value, mode: node?.mode ?? 0, oid, file, node })
    }
    await this.#proveExported(number, tree, commit)
    return tree
  }

  /** A note of an export says which commit a version became. Here that commit is made again, with git's ids of the files. */
  async #proveExported(number: number, tree: Tree<PlannedLeaf>, commit: string): Promise<void> {
    const version = this.#exported.get(number)
    if (version === undefined) return
    const hashLength = commit.length / 2
    const note = await new Versions(this.#entries, this.graph.streams).note(version)
    const parents = gitParents(this.graph.node(number).parents, note).map((parent) =>
      this.#commitOf(parent, hashLength),
    )
    const root = treeId(tree, new WeakMap(), hashLength) || emptyTreeId(hashLength)
    const object = bornCommit(version, note, toHex(fromLatin1(root)), parents)
    const found = toHex(fromLatin1(gitObjectId('commit', object, hashLength)))
    if (found === commit) return
    throw new CodedError('TREE_MISMATCH', `The git commit ${commit} is not what was exported: that was ${found}.`, {
      hint: '`weft verify` tells whether anything is damaged here, `git fsck --full` whether in the source.',
    })
  }

  /** Hex id of the commit that belongs to a version; a text that is no id where there is none of that length. */
  #commitOf(number: number, hashLength: number): string {
    for (const [commit, other] of this.byCommit) {
      if (other === number && commit.length === hashLength) return toHex(fromLatin1(commit))
    }
    return 'unknown'
  }
}

async function loadTouches(entries: EntryStore, graph: Graph): Promise<Map<string, Touch[]>> {
  const files = new Map<string, PlannedFile>()
  const touches = new Map<string, Touch[]>()
  for await (const batch of entries.scan(kindRange('P'))) {
    for (let i = 0; i < batch.count; i++) {
      const key = batch.key(i)
      const value = batch.value(i)
      const path = toLatin1(key, 1, key.length - LSEQ_BYTES - 1)
      const number = holderOf(graph, lseqOfKey(key))
      const entry = decodePathEntry(value)
      const put = 'file' in entry
      const id = put ? entry.file : entry.deleted
      const name = formatLseq(id.seq, id.stream)
      const file = getOrMake<string, PlannedFile>(files, name, () => ({ id, nodes: [] }))
      let node: FileNode | undefined
      if (put) {
        const { size, chunked } = entry
        const sha256 = toLatin1(entry.sha256)
        const content = { size, sha256, chunked, recipe: undefined, runs: [], tombstones: [], moved: [] }
        node = { version: number, mode: entry.mode, oid: undefined, parents: [], children: 0, content }
        file.nodes.push(node)
      }
      getOrMake(touches, path, () => [] as Touch[]).push({ number, value: toLatin1(value), file, node })
    }
  }
  for (const { nodes } of files.values()) nodes.sort((a, b) => a.version - b.version)
  return touches
}

function holderOf(graph: Graph, { seq, stream }: Lseq): number {
  const number = graph.holding(graph.streams.slot(stream), seq)
  if (number !== undefined) return number
  throw new CodedError('VERSION_MISSING', `No version here took ${formatLseq(seq, stream)}.`, {
    hint: 'Run `weft verify` to see what is damaged.',
  })
}
