/**
 * Trees: which paths a version has, shared between versions, with their roots.
 *
 * A tree is an immutable nest of directories. Changing a path copies the directories on the way to it and shares all
 * others, so that the trees of ten thousand versions fit in memory together and two of them are compared by walking
 * only where they differ. A leaf remembers the version that touched the path last, and a deleted path stays as a leaf
 * without value: joining two trees is then the rule of last write wins, path by path, and nothing else.
 *
 * The root of a tree is SHA-256 over the directory's entries in byte order of their names, bottom up (ToyTLV):
 *
 *     f  | n name | value of the path entry      a file: mode, content's SHA-256, size, file id
 *     d  | n name | h SHA-256                    a directory: the same over its own entries
 *
 * Deleted paths and directories without files are left out; an empty tree is the SHA-256 of nothing. Where a join has a
 * file and a directory at one name, both count, the file first.
 * @module
 */
import { fromLatin1 } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import { lowerBound } from '../base/search.js'
import { defaultCrypto as crypto } from '../crypto/default.js'

/** What a tree knows of a path. Names and values are binary strings. */
export interface Leaf {
  /** Number of the version that touched the path last: greater is later. */
  readonly touch: number
  /** The path entry's value; undefined where that version deleted the path. */
  readonly value: string | undefined
  /** Filled by `treeRoot`: the leaf's record, as a leaf stays at one path. */
  record?: string
}

/** A directory: two sorted lists of names, each with what stands there. */
export interface Tree<T extends Leaf> {
  readonly fileNames: readonly string[]
  readonly files: readonly T[]
  readonly dirNames: readonly string[]
  readonly dirs: readonly Tree<T>[]
  /** Filled by `treeRoot`: 32-char binary string, or '' for a directory without files. */
  root?: string
}

const EMPTY: Tree<never> = { fileNames: [], files: [], dirNames: [], dirs: [] }

/** The tree without paths. */
export function emptyTree<T extends Leaf>(): Tree<T> {
  return EMPTY
}

/** Index of `name`, or the complement of where it belongs. */
function search(names: readonly string[], name: string): number {
  const at = lowerBound(names, name)
  return names[at] === name ? at : ~at
}

/** The leaf at `path`, deleted ones included. */
export function getPath<T extends Leaf>(tree: Tree<T>, path: string): T | undefined {
  let dir = tree
  let from = 0
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', from)) {
    const at = search(dir.dirNames, path.slice(from, slash))
    if (at < 0) return undefined
    dir = dir.dirs[at] as Tree<T>
    from = slash + 1
  }
  const at = search(dir.fileNames, path.slice(from))
  return at < 0 ? undefined : dir.files[at]
}

/** The tree with `leaf` at `path`. */
export function setPath<T extends Leaf>(tree: Tree<T>, path: string, leaf: T): Tree<T> {
  const slash = path.indexOf('/')
  if (slash < 0) {
    const [fileNames, files] = put(tree.fileNames, tree.files, path, leaf)
    return { fileNames, files, dirNames: tree.dirNames, dirs: tree.dirs }
  }
  const name = path.slice(0, slash)
  const at = search(tree.dirNames, name)
  const dir = setPath(at < 0 ? EMPTY : (tree.dirs[at] as Tree<T>), path.slice(slash + 1), leaf)
  const [dirNames, dirs] = put(tree.dirNames, tree.dirs, name, dir)
  return { fileNames: tree.fileNames, files: tree.files, dirNames, dirs }
}

function put<V>(names: readonly string[], values: readonly V[], name: string, value: V): [readonly string[], V[]] {
  const at = search(names, name)
  if (at >= 0) {
    const copy = values.slice()
    copy[at] = value
    return [names, copy]
  }
  const newNames = names.slice()
  const newValues = values.slice()
  newNames.splice(~at, 0, name)
  newValues.splice(~at, 0, value)
  return [newNames, newValues]
}

/** A directory in the making. */
interface Folder<T> {
  readonly files: Map<string, T>
  readonly dirs: Map<string, Folder<T>>
}

/** Makes a tree of many paths at once: `setPath` copies a directory each time. */
export class TreeBuilder<T extends Leaf> {
  readonly #top: Folder<T> = { files: new Map(), dirs: new Map() }
  /** The directory of the path before: paths mostly come in order. */
  #prefix = ''
  #folder = this.#top

  add(path: string, leaf: T): void {
    const slash = path.lastIndexOf('/') + 1
    const prefix = path.slice(0, slash)
    if (prefix !== this.#prefix) {
      this.#folder = this.#top
      for (const name of prefix.split('/').slice(0, -1)) {
        this.#folder = getOrMake(this.#folder.dirs, name, () => ({ files: new Map(), dirs: new Map() }))
      }
      this.#prefix = prefix
    }
    this.#folder.files.set(path.slice(slash), leaf)
  }

  finish(): Tree<T> {
    return finished(this.#top)
  }
}

function finished<T extends Leaf>({ files, dirs }: Folder<T>): Tree<T> {
  const fileNames = [...files.keys()].sort()
  const dirNames = [...dirs.keys()].sort()
  return {
    fileNames,
    files: fileNames.map((name) => files.get(name) as T),
    dirNames,
    dirs: dirNames.map((name) => finished(dirs.get(name) as Folder<T>)),
  }
}

/** Every path that is there, in byte order of the paths' components. */
export function* listTree<T extends Leaf>(tree: Tree<T>, prefix = ''): Generator<[path: string, leaf: T]> {
  for (const [name, entry] of inOrder(tree)) {
    if (!('files' in entry)) {
      if (entry.value !== undefined) yield [prefix + name, entry]
    } else yield* listTree(entry, `${prefix}${name}/`)
  }
}

/** Files and directories of one level by name, files first at equal names. */
function* inOrder<T extends Leaf>(dir: Tree<T>): Generator<[name: string, entry: T | Tree<T>]> {
  let d = 0
  for (let f = 0; f < dir.fileNames.length; f++) {
    const name = dir.fileNames[f] as string
    for (; d < dir.dirNames.length && (dir.dirNames[d] as string) < name; d++) {
      yield [dir.dirNames[d] as string, dir.dirs[d] as Tree<T>]
    }
    yield [name, dir.files[f] as T]
  }
  for (; d < dir.dirNames.length; d++) yield [dir.dirNames[d] as string, dir.dirs[d] as Tree<T>]
}

/** Calls `visit` for every path at which the two trees hold different leaves; undefined where one has none. */
export function compareTrees<T extends Leaf>(
  a: Tree<T>,
  b: Tree<T>,
  visit: (path: string, a: T | undefined, b: T | undefined) => void,
  prefix = '',
): void {
  if (a === b) return
  zip(a.fileNames, a.files, b.fileNames, b.files, (name, x, y) => {
    if (x !== y) visit(prefix + name, x, y)
  })
  zip<Tree<T>>(a.dirNames, a.dirs, b.dirNames, b.dirs, (name, x, y) => {
    compareTrees<T>(x ?? EMPTY, y ?? EMPTY, visit, `${prefix}${name}/`)
  })
}

/** Walks two sorted lists side by side. */
function zip<V>(
  aNames: readonly string[],
  a: readonly V[],
  bNames: readonly string[],
  b: readonly V[],
  visit: (name: string, a: V | undefined, b: V | undefined) => void,
): void {
  let j = 0
  for (let i = 0; i < aNames.length; i++) {
    const name = aNames[i] as string
    for (; j < bNames.length && (bNames[j] as string) < name; j++) visit(bNames[j] as string, undefined, b[j])
    if (bNames[j] === name) visit(name, a[i], b[j++])
    else visit(name, a[i], undefined)
  }
  for (; j < bNames.length; j++) visit(bNames[j] as string, undefined, b[j])
}

/** The tree root, a 32-char binary string. Directories keep theirs, so only what changed is hashed. */
export function treeRoot<T extends Leaf>(tree: Tree<T>): string {
  return directoryRoot(tree) || crypto.sha256Binary(new Uint8Array(0))
}

function directoryRoot<T extends Leaf>(dir: Tree<T>): string {
  if (dir.root !== undefined) return dir.root
  let text = ''
  for (const [name, entry] of inOrder(dir)) {
    if ('files' in entry) {
      const root = directoryRoot(entry)
      if (root !== '') text += record('d', record('n', name) + record('h', root))
    } else if (entry.value !== undefined) text += entry.record ??= record('f', record('n', name) + entry.value)
  }
  dir.root = text === '' ? '' : crypto.sha256Binary(fromLatin1(text))
  return dir.root
}

/** A ToyTLV record as a binary string: trees are hashed by the ten thousand, and strings concatenate without copying. */
function record(letter: string, body: string): string {
  const size = body.length
  if (size < 256) return letter + String.fromCharCode(size) + body
  return (
    letter.toUpperCase() +
    String.fromCharCode(size & 0xff, (size >>> 8) & 0xff, (size >>> 16) & 0xff, size >>> 24) +
    body
  )
}
