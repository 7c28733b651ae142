/**
 * git's own ids, recomputed: blob and tree ids of what a version holds.
 *
 * A git tree object is, for each entry in git's order (a directory sorts as if its name ended in a slash), the mode in
 * octal, a space, the name, a NUL and the raw id. Ids of directories are kept with the tree, so that only what changed
 * is hashed again.
 * @module
 */
import { fromLatin1, toLatin1 } from '../base/bytes.js'
import type { Leaf, Tree } from '../history/tree.js'
import { gitObjectId } from './object-id.js'

/** A leaf that knows what git has at its path. */
export interface GitLeaf extends Leaf {
  readonly mode: number
  /** Id of the blob, or of the commit a submodule link names: a binary string. */
  readonly oid: string
}

/** Ids of directories already computed; '' for one without files. A directory that git has in an odd form is put in by hand. */
export type TreeIds = WeakMap<Tree<GitLeaf>, string>

/** One entry of a tree object: what it is sorted by, and its bytes as a binary string. */
export interface TreeEntryText {
  readonly sort: string
  readonly text: string
}

/** Sees a tree object whose id has just been computed, and the directory it is for: '' for the root. */
export type TreeVisitor = (path: string, id: string, bytes: Uint8Array, entries: readonly TreeEntryText[]) => void

/**
 * The id of `tree` as git has it, a binary string; '' for a directory without files, which git leaves out.
 *
 * @param hashLength - 20 or 32: bytes of an id in that repository.
 * @param visit - Sees the tree objects whose ids were not in `ids`, those of directories within before their own.
 * @param path - Where `tree` is, for `visit`.
 */
export function treeId(
  tree: Tree<GitLeaf>,
  ids: TreeIds,
  hashLength: number,
  visit?: TreeVisitor,
  path: string = '',
): string {
  let id = ids.get(tree)
  if (id === undefined) {
    const entries = treeEntries(tree, ids, hashLength, visit, path)
    const bytes = joined(entries)
    id = bytes.length === 0 ? '' : gitObjectId('tree', bytes, hashLength)
    ids.set(tree, id)
    if (id !== '') visit?.(path, id, bytes, entries)
  }
  return id
}

/** The id of git's empty tree, which only a root may be. */
export function emptyTreeId(hashLength: number): string {
  return gitObjectId('tree', new Uint8Array(0), hashLength)
}

/** The tree object that git writes for these files. */
export function treeBytes(tree: Tree<GitLeaf>, ids: TreeIds, hashLength: number): Uint8Array {
  return joined(treeEntries(tree, ids, hashLength))
}

function joined(entries: readonly TreeEntryText[]): Uint8Array {
  let text = ''
  for (const entry of entries) text += entry.text
  return fromLatin1(text)
}

function treeEntries(
  tree: Tree<GitLeaf>,
  ids: TreeIds,
  hashLength: number,
  visit?: TreeVisitor,
  path: string = '',
): TreeEntryText[] {
  const entries: TreeEntryText[] = []
  tree.files.forEach((leaf, i) => {
    const name = tree.fileNames[i] as string
    if (leaf.value !== undefined) entries.push({ sort: name, text: `${leaf.mode.toString(8)} ${name}\0${leaf.oid}` })
  })
  tree.dirs.forEach((dir, i) => {
    const name = tree.dirNames[i] as string
    const id = treeId(dir, ids, hashLength, visit, visit && `${path}${name}/`)
    if (id !== '') entries.push({ sort: `${name}/`, text: `40000 ${name}\0${id}` })
  })
  return entries.sort((a, b) => (a.sort < b.sort ? -1 : a.sort > b.sort ? 1 : 0))
}

/** Whether a mode is a directory's. Permissions may stand in it where some other tool wrote the tree. */
export function isDirectory(mode: number): boolean {
  return (mode & 0o170000) === 0o40000
}

/** One entry of a raw tree object. */
export interface RawTreeEntry {
  /** Octal digits as they stand, leading zeros included. */
  readonly mode: string
  readonly name: string
  /** Binary string. */
  readonly id: string
}

/** The entries of a raw tree object; undefined where the bytes are not one. */
export function parseTree(bytes: Uint8Array, hashLength: number): RawTreeEntry[] | undefined {
  const entries: RawTreeEntry[] = []
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at)
    const nul = bytes.indexOf(0, space)
    const end = nul + 1 + hashLength
    if (space < 0 || nul < 0 || end > bytes.length) return undefined
    entries.push({
      mode: toLatin1(bytes, at, space),
      name: toLatin1(bytes, space + 1, nul),
      id: toLatin1(bytes, nul + 1, end),
    })
    at = end
  }
  return entries
}
