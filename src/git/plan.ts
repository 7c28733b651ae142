/**
 * The plan of an import: which version writes which paths, before any content is read.
 *
 * Walking the commits parents first, every commit becomes a version with a stream, a vector and a tree, and each of its
 * writes is tied to a file, an identity that survives renames, and to a *node*, the state of that file at that version
 * with the nodes it grew out of. Contents can then be read file by file instead of commit by commit, which keeps one
 * file in memory at a time and git's delta chains warm.
 *
 * Where parents are joined, the last touch of a path wins, as everywhere; the merge version writes a path itself where
 *
 * - the outcome of the join is not what was committed, or
 * - both sides touched the path, or the file at it under whatever name, without knowing of each other: the lines of both
 *   are then in the join, and what was really committed has to be said.
 *
 * So at every version the last touch of a path covers all others, and the node at a path is the whole truth about its
 * file. Versions are numbered from 1 in causal order; vectors here count in these numbers, as seqs are not known yet.
 * @module
 */

import type { DigestString } from '../crypto/crypto.js'
import { compareTrees, emptyTree, getPath, setPath, type Tree } from '../history/tree.js'
import type { Woven, WovenRun, WovenTombstone } from '../lines/weaver.js'
import type { Lseq } from '../lseq/lseq.js'
import { Vector } from '../lseq/vector.js'
import type { DiffRow } from './history.js'
import type { GitLeaf } from './tree-id.js'

/** A file and every state it has had. */
export interface PlannedFile {
  /** Undefined for a file born in this plan, until its version has seqs. */
  id: Lseq | undefined
  /** In order of versions. */
  readonly nodes: FileNode[]
}

/** The state of a file at a version that wrote it. */
export interface FileNode {
  readonly version: number
  mode: number
  /** Git id of the content, a binary string; undefined for a version of before this plan until somebody needs it. */
  oid: string | undefined
  /** The states it grew out of: none for a new file, several where a merge joined what both sides did. */
  readonly parents: readonly FileNode[]
  /** Nodes of this plan that grow out of this one. */
  children: number
  /** Known from the start for a version of before this plan, else once the content has been read. */
  content: NodeContent | undefined
}

/** What is known of a content once it has been read. */
export interface NodeContent {
  readonly size: number
  readonly sha256: DigestString
  /** Whether it is kept as chunks and not as lines. */
  readonly chunked: boolean
  /** Hashes of its chunks, in order, where this version is the one to list them. */
  readonly recipe: readonly DigestString[] | undefined
  /** What the version adds to the file's weave. */
  readonly runs: readonly WovenRun[]
  readonly tombstones: readonly WovenTombstone[]
  readonly moved: Woven['moved']
}

/** A path in a planned tree. `value` is filled when the content is known; '' says that the path is there. */
export interface PlannedLeaf extends GitLeaf {
  value: string | undefined
  mode: number
  readonly file: PlannedFile
  /** Undefined where the path was deleted. */
  readonly node: FileNode | undefined
}

/** What a version makes of a path. */
export interface PathWrite {
  readonly path: string
  readonly leaf: PlannedLeaf
}

/** A version in the plan. */
export interface PlannedVersion {
  readonly number: number
  /** Numbers of the parents. */
  readonly parents: readonly number[]
  readonly slot: number
  /** Number of the version before in the stream; 0 for a new stream's first. */
  readonly prev: number
  readonly vector: Vector
  readonly tree: Tree<PlannedLeaf>
  /** In byte order of the paths. */
  readonly writes: readonly PathWrite[]
}

/** What must be known of a version to plan on top of it. */
export interface KnownVersion {
  readonly slot: number
  readonly vector: Vector
}

/** Streams to write into: the writer's own, and how to begin another. */
export interface StreamPool {
  /** Own streams with the number of their last version. */
  readonly tips: Map<number, number>
  /** Begins a stream and returns its slot. */
  begin(): number
}

interface Joined {
  readonly tree: Tree<PlannedLeaf>
  readonly vector: Vector
  /** Paths at which the parents differ. */
  readonly differing: Set<string>
  /** Paths touched by two sides that did not know of each other. */
  readonly contested: Set<string>
}

/** Plans commits one by one. */
export class Planner {
  readonly #known: (number: number) => KnownVersion
  readonly #pool: StreamPool

  constructor(known: (number: number) => KnownVersion, pool: StreamPool) {
    this.#known = known
    this.#pool = pool
  }

  /**
   * Plans one commit.
   *
   * @param number - Its number; all parents have lower ones.
   * @param parents - Number and tree of each parent.
   * @param rows - Its difference to the first parent.
   */
  plan(
    number: number,
    parents: readonly { readonly number: number; readonly tree: Tree<PlannedLeaf> }[],
    rows: readonly DiffRow[],
  ): PlannedVersion {
    const joined = this.#join(parents)
    const { slot, prev } = this.#stream(joined.vector, parents[0]?.number)
    const wants = new Map<string, DiffRow | undefined>()
    for (const row of rows) {
      if (row.from !== undefined && !wants.has(row.from)) wants.set(row.from, undefined)
      wants.set(row.path, row.mode === 0 ? undefined : row)
    }
    const trees = parents.map((parent) => parent.tree)
    const writes = this.#writes(number, joined, trees, wants)
    let tree = joined.tree
    for (const { path, leaf } of writes) tree = setPath(tree, path, leaf)
    this.#pool.tips.set(slot, number)
    return {
      number,
      parents: parents.map((parent) => parent.number),
      slot,
      prev,
      vector: joined.vector.with(slot, number),
      tree,
      writes,
    }
  }

  /**
   * Corrects a version planned last: what its tree really holds at some paths, which the difference did not tell.
   *
   * @param rows - Paths with the mode and content they have; mode 0 for a path that is not there.
   */
  amend(version: PlannedVersion, rows: readonly DiffRow[]): PlannedVersion {
    let { tree } = version
    const writes = new Map(version.writes.map((write) => [write.path, write]))
    for (const { path, mode, oid } of rows) {
      const leaf = getPath(tree, path)
      const old = present(leaf)
      const written = writes.get(path)
      if (mode === 0) {
        if (old === undefined) continue
        const gone: PlannedLeaf = { ...old, touch: version.number, value: undefined, node: undefined }
        writes.set(path, { path, leaf: gone })
        tree = setPath(tree, path, gone)
      } else if (written?.leaf.node !== undefined && written.leaf.oid === oid) {
        const changed: PlannedLeaf = { ...written.leaf, mode }
        written.leaf.node.mode = mode
        writes.set(path, { path, leaf: changed })
        tree = setPath(tree, path, changed)
      } else {
        const file = old?.file ?? { id: undefined, nodes: [] }
        const parents = old?.node === undefined ? [] : [old.node]
        const node = this.#addNode(file, {
          version: version.number,
          mode,
          oid,
          parents,
          children: 0,
          content: undefined,
        })
        const put: PlannedLeaf = { touch: version.number, value: '', mode, oid, file, node }
        writes.set(path, { path, leaf: put })
        tree = setPath(tree, path, put)
      }
    }
    const inOrder = [...writes.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
    return { ...version, tree, writes: inOrder }
  }

  #addNode(file: PlannedFile, node: FileNode): FileNode {
    for (const parent of node.parents) parent.children++
    file.nodes.push(node)
    return node
  }

  /** A stream whose tip the state covers: the first parent's where possible, else the first that fits, else a new one. */
  #stream(vector: Vector, parent: number | undefined): { slot: number; prev: number } {
    const { tips } = this.#pool
    const home = parent === undefined ? undefined : this.#known(parent).slot
    if (home !== undefined && tips.get(home) === parent) return { slot: home, prev: parent as number }
    for (const [slot, tip] of tips) if (vector.covers(slot, tip)) return { slot, prev: tip }
    return { slot: this.#pool.begin(), prev: 0 }
  }

  #covers(vector: Vector, version: number): boolean {
    return vector.covers(this.#known(version).slot, version)
  }

  #join(parents: readonly { readonly number: number; readonly tree: Tree<PlannedLeaf> }[]): Joined {
    let tree = parents[0]?.tree ?? emptyTree<PlannedLeaf>()
    let vector = parents[0] === undefined ? Vector.empty : this.#known(parents[0].number).vector
    const differing = new Set<string>()
    const contested = new Set<string>()
    for (const parent of parents.slice(1)) {
      const theirs = this.#known(parent.number).vector
      const before = tree
      compareTrees(before, parent.tree, (path, x, y) => {
        differing.add(path)
        const oursIsNews = x !== undefined && !this.#covers(theirs, x.touch)
        const theirsIsNews = y !== undefined && !this.#covers(vector, y.touch)
        if (oursIsNews && theirsIsNews) contested.add(path)
        if (y !== undefined && (x === undefined || x.touch < y.touch)) tree = setPath(tree, path, y)
      })
      vector = vector.join(theirs)
    }
    return { tree, vector, differing, contested }
  }

  #writes(
    version: number,
    joined: Joined,
    parents: readonly Tree<PlannedLeaf>[],
    wants: ReadonlyMap<string, DiffRow | undefined>,
  ): PathWrite[] {
    const base = parents[0] ?? emptyTree<PlannedLeaf>()
    const paths = [...new Set([...wants.keys(), ...joined.differing])].sort()
    /** Where a file stays that may not be at a second path. */
    const places = new Map<PlannedFile, string>()
    const todo: { path: string; want: Want | undefined }[] = []
    for (const path of paths) {
      const want = wants.has(path) ? wants.get(path) : present(getPath(base, path))
      const have = present(getPath(joined.tree, path))
      const same = want === undefined ? have === undefined : have?.mode === want.mode && have.oid === want.oid
      if (!same || joined.contested.has(path) || (have !== undefined && !this.#isWhole(have, joined.vector))) {
        todo.push({ path, want })
      } else if (have !== undefined) {
        if (places.has(have.file)) todo.push({ path, want })
        else places.set(have.file, path)
      }
    }
    return todo.flatMap(({ path, want }) => {
      if (want === undefined) return this.#deletion(version, path, joined.tree, parents)
      const from = wants.get(path)?.from
      const file = chooseFile(path, from, want, parents, joined.tree, places)
      places.set(file, path)
      const { mode, oid } = want
      const grownFrom = this.#grownFrom(file, joined.vector, parents.length, getPath(base, from ?? path))
      const node = this.#addNode(file, { version, mode, oid, parents: grownFrom, children: 0, content: undefined })
      return [{ path, leaf: { touch: version, value: '', mode, oid, file, node } }]
    })
  }

  /**
   * Whether the state at a path has grown out of all that a vector covers of its file. Another side may have gone on with
   * the file at this path or, by a rename, at another; and that path may by now be another file's, so the tree does not tell.
   */
  #isWhole({ file, node }: PlannedLeaf, vector: Vector): boolean {
    if (node === undefined) return true
    const { vector: known } = this.#known(node.version)
    return file.nodes.every(({ version }) => this.#covers(known, version) || !this.#covers(vector, version))
  }

  #deletion(
    version: number,
    path: string,
    joined: Tree<PlannedLeaf>,
    parents: readonly Tree<PlannedLeaf>[],
  ): PathWrite[] {
    const leaf =
      getPath(joined, path) ?? parents.map((tree) => getPath(tree, path)).find((found) => found !== undefined)
    if (leaf === undefined) return []
    return [{ path, leaf: { touch: version, value: undefined, mode: 0, oid: '', file: leaf.file, node: undefined } }]
  }

  /** The latest states of a file that a vector covers: those that no other covered one has grown out of. */
  #grownFrom(file: PlannedFile, vector: Vector, parents: number, leaf: PlannedLeaf | undefined): FileNode[] {
    if (parents === 1 && leaf?.file === file && leaf.node !== undefined) return [leaf.node]
    const latest: FileNode[] = []
    for (let i = file.nodes.length - 1; i >= 0; i--) {
      const node = file.nodes[i] as FileNode
      if (!this.#covers(vector, node.version)) continue
      if (latest.some((later) => this.#covers(this.#known(later.version).vector, node.version))) continue
      latest.push(node)
    }
    return latest.reverse()
  }
}

/** What should be at a path: a row of the difference, or the first parent's leaf. */
type Want = Pick<DiffRow, 'mode' | 'oid'>

function present(leaf: PlannedLeaf | undefined): PlannedLeaf | undefined {
  return leaf?.value === undefined ? undefined : leaf
}

/** The file that goes on at a path: the one that was there with this content, or was there at all, or was moved there. */
function chooseFile(
  path: string,
  from: string | undefined,
  want: Want,
  parents: readonly Tree<PlannedLeaf>[],
  joined: Tree<PlannedLeaf>,
  places: ReadonlyMap<PlannedFile, string>,
): PlannedFile {
  const there = parents.map((tree) => present(getPath(tree, path)))
  const candidates = [
    there.find((leaf) => leaf?.oid === want.oid),
    present(getPath(joined, path)),
    ...there,
    from === undefined ? undefined : present(getPath(parents[0] ?? joined, from)),
  ]
  for (const leaf of candidates) if (leaf !== undefined && !places.has(leaf.file)) return leaf.file
  return { id: undefined, nodes: [] }
}
