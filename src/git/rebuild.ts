/**
 * Commits put together again from what is stored: tree from the paths and the git ids of their contents, commit object
 * from tree, parents, header and note. `git import --check` compares what comes out, `git export` writes it.
 * @module
 */
import { fromLatin1, toHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { extraOf, GIT_EXTRA } from '../history/extra.js'
import type { Version } from '../history/header.js'
import type { Note } from '../history/note.js'
import { decodePathEntry, type PathPut } from '../history/path-entry.js'
import { emptyTree, type Leaf, type Tree } from '../history/tree.js'
import { bornCommit } from './born.js'
import { decodeRest, formatCommit, type OddTree } from './commit.js'
import { gitObjectId } from './object-id.js'
import {
  emptyTreeId,
  type GitLeaf,
  isDirectory,
  parseTree,
  type TreeEntryText,
  type TreeIds,
  treeId,
} from './tree-id.js'

/** Takes the trees that commits need, each of them at least once, what is needed before what needs it. */
export interface TreeSink {
  /** A tree that may be part of other commits too: those do not show it again. */
  tree(path: string, id: string, bytes: Uint8Array, entries: readonly TreeEntryText[]): void
  /** A tree of this commit alone: kept raw, or with one below it that was. */
  oddTree(id: string, bytes: Uint8Array): void
}

/** A commit object. */
export interface RebuiltCommit {
  /** Binary string. */
  readonly id: string
  readonly bytes: Uint8Array
}

/** Puts commits together, one after the other. Directories that did not change from one to the next are done once. */
export class CommitRebuilder {
  readonly #hashLength: number
  readonly #oids: ReadonlyMap<string, string>
  readonly #ids: TreeIds = new WeakMap()
  /** Git trees of leaves, made from the versions' trees, which know no git ids. */
  readonly #gitTrees = new WeakMap<Tree<Leaf>, Tree<GitLeaf>>()
  readonly #leaves = new WeakMap<Leaf, GitLeaf>()

  /** @param oids - Git ids of contents, binary strings, by `leafName` of where they were put. */
  constructor(hashLength: number, oids: ReadonlyMap<string, string>) {
    this.#hashLength = hashLength
    this.#oids = oids
  }

  /**
   * The commit of a version.
   *
   * @param parents - Hex ids of the commits that are its parents in git.
   * @param sink - Takes tree objects that were not needed so far.
   * @throws {CodedError} `TREE_MISMATCH` where it was made from a commit and another one comes out.
   */
  commit(version: Version, note: Note, tree: Tree<Leaf>, parents: readonly string[], sink?: TreeSink): RebuiltCommit {
    const own = extraOf(version, GIT_EXTRA)
    if (own === undefined) {
      const root = this.#rootId(tree, [], sink)
      const bytes = bornCommit(version, note, toHex(fromLatin1(root)), parents)
      return { id: gitObjectId('commit', bytes, this.#hashLength), bytes }
    }
    const { trees, ...rest } = decodeRest(own, extraOf(note, GIT_EXTRA))
    const root = toHex(fromLatin1(this.#rootId(tree, trees, sink)))
    const { author, committer } = version
    const bytes = formatCommit({ tree: root, parents, author, committer, message: note.message, rest })
    const id = gitObjectId('commit', bytes, this.#hashLength)
    const named = rest.whole === undefined ? undefined : /^tree ([0-9a-f]+)/.exec(toLatin1(rest.whole))?.[1]
    if (id === toLatin1(own) && (named ?? root) === root) return { id, bytes }
    throw mismatch(toHex(own), toHex(fromLatin1(id)))
  }

  #rootId(tree: Tree<Leaf>, odd: readonly OddTree[], sink: TreeSink | undefined): string {
    const raw = new Map(odd.map(({ path, bytes }) => [path, bytes]))
    const id = this.#idWith(this.#toGit(tree, ''), '', raw, sink)
    if (id !== '') return id
    const empty = emptyTreeId(this.#hashLength)
    sink?.oddTree(empty, new Uint8Array(0))
    return empty
  }

  /**
   * Id of the directory at `path`. Raw directories belong to one version, while directories that did not change are
   * shared between versions: so only ids of directories without raw ones below are remembered.
   */
  #idWith(dir: Tree<GitLeaf>, path: string, raw: ReadonlyMap<string, Uint8Array>, sink: TreeSink | undefined): string {
    const prefix = path === '' ? '' : `${path}/`
    if (![...raw.keys()].some((other) => other === path || other.startsWith(prefix))) {
      return treeId(dir, this.#ids, this.#hashLength, sink?.tree.bind(sink), prefix)
    }
    const ids: TreeIds = new WeakMap()
    dir.dirs.forEach((child, i) => {
      ids.set(child, this.#idWith(child, `${prefix}${dir.dirNames[i]}`, raw, sink))
    })
    const own = raw.get(path)
    if (own === undefined) {
      return treeId(dir, ids, this.#hashLength, sink && ((_path, id, bytes) => sink.oddTree(id, bytes)), prefix)
    }
    return sink === undefined ? gitObjectId('tree', own, this.#hashLength) : this.#visitRaw(dir, path, raw, sink)
  }

  /** Shows a raw directory, and those within that have no files and so no place in our tree. */
  #visitRaw(dir: Tree<GitLeaf>, path: string, raw: ReadonlyMap<string, Uint8Array>, sink: TreeSink): string {
    const bytes = raw.get(path) ?? new Uint8Array(0)
    const prefix = path === '' ? '' : `${path}/`
    for (const { mode, name } of parseTree(bytes, this.#hashLength) ?? []) {
      if (!isDirectory(Number.parseInt(mode, 8)) || dir.dirNames.includes(name)) continue
      this.#visitRaw(emptyTree(), prefix + name, raw, sink)
    }
    const id = gitObjectId('tree', bytes, this.#hashLength)
    sink.oddTree(id, bytes)
    return id
  }

  #toGit(tree: Tree<Leaf>, prefix: string): Tree<GitLeaf> {
    const known = this.#gitTrees.get(tree)
    if (known !== undefined) return known
    const made: Tree<GitLeaf> = {
      fileNames: tree.fileNames,
      files: tree.files.map((leaf, i) => this.#leaf(leaf, prefix + tree.fileNames[i])),
      dirNames: tree.dirNames,
      dirs: tree.dirs.map((dir, i) => this.#toGit(dir, `${prefix}${tree.dirNames[i]}/`)),
    }
    this.#gitTrees.set(tree, made)
    return made
  }

  #leaf(leaf: Leaf, path: string): GitLeaf {
    let made = this.#leaves.get(leaf)
    if (made === undefined) {
      const put = leaf.value === undefined ? undefined : (decodePathEntry(fromLatin1(leaf.value)) as PathPut)
      const oid = put === undefined ? '' : this.#oids.get(leafName(leaf.touch, path))
      if (oid === undefined) throw new TypeError(`oids: expected the git id of ${leafName(leaf.touch, path)}`)
      made = { ...leaf, mode: put?.mode ?? 0, oid }
      this.#leaves.set(leaf, made)
    }
    return made
  }
}

/** What a content is known by: the number of the version that put it, and where. */
export function leafName(touch: number, path: string): string {
  return `${touch}:${path}`
}

/** @returns The error for a commit that comes out as another one. */
export function mismatch(wanted: string, found: string): CodedError {
  return new CodedError('TREE_MISMATCH', `The git commit ${wanted} comes out as ${found}.`, {
    hint: 'This is a fault of weft: please report it, with the repository where you can.',
  })
}
