/**
 * Proof, while planning, that git's tree ids follow from what will be stored; and what to keep where they do not.
 *
 * The id of every commit's tree is computed from the planned paths. Where it is not the one that the commit names, the
 * raw tree objects say why: either a mode that git's own listings round off (100664 is shown as 100644), which becomes
 * a correction of the plan, or a form that no set of files explains (an empty directory, a mode with leading zeros,
 * entries out of order), and then that one directory's raw bytes are kept with the version.
 * @module
 */
import { fromLatin1, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { emptyTree, type Tree } from '../history/tree.js'
import type { CatFile } from './cat-file.js'
import type { OddTree } from './commit.js'
import type { DiffRow } from './history.js'
import { gitObjectId } from './object-id.js'
import type { PlannedLeaf, PlannedVersion, Planner } from './plan.js'
import { emptyTreeId, isDirectory, parseTree, type TreeIds, treeBytes, treeId } from './tree-id.js'

/** Checks the trees of one import. */
export class TreeProof {
  readonly #objects: CatFile
  readonly #planner: Planner
  readonly #hashLength: number
  readonly #ids: TreeIds = new WeakMap()
  /** Directories kept raw, by the directory they stand for. */
  readonly #odd = new WeakMap<Tree<PlannedLeaf>, Uint8Array>()
  #anyOdd = false

  constructor(objects: CatFile, planner: Planner, hashLength: number) {
    this.#objects = objects
    this.#planner = planner
    this.#hashLength = hashLength
  }

  /**
   * Makes sure that `version` gives the tree `wanted`.
   *
   * @param wanted - Git id of the commit's tree, a binary string.
   * @returns The version, corrected where it had to be, and the directories to keep raw.
   * @throws {CodedError} `TREE_MISMATCH` where the source contradicts itself.
   */
  async prove(version: PlannedVersion, wanted: string): Promise<{ version: PlannedVersion; trees: OddTree[] }> {
    if (this.#rootId(version.tree) === wanted) return { version, trees: this.#kept(version.tree) }
    const rows: DiffRow[] = []
    await this.#compare(version.tree, wanted, '', rows)
    const amended = rows.length === 0 ? version : this.#planner.amend(version, rows)
    const loose: OddTree[] = []
    if (this.#rootId(amended.tree) !== wanted) await this.#keep(amended.tree, wanted, '', loose)
    if (this.#rootId(amended.tree) !== wanted && !loose.some(({ path }) => path === '')) {
      throw new CodedError('TREE_MISMATCH', `The files of git tree ${hex(wanted)} do not give that id.`, {
        hint: 'Run `git fsck --full` on the source.',
      })
    }
    return { version: amended, trees: [...this.#kept(amended.tree), ...loose].sort(byPath) }
  }

  #rootId(tree: Tree<PlannedLeaf>): string {
    return treeId(tree, this.#ids, this.#hashLength) || emptyTreeId(this.#hashLength)
  }

  /** Collects what the raw tree says otherwise than ours about files. */
  async #compare(ours: Tree<PlannedLeaf>, id: string, prefix: string, rows: DiffRow[]): Promise<void> {
    const there = new Set<string>()
    for (const { mode, name, id: oid } of (await this.#read(id)).entries) {
      const bits = Number.parseInt(mode, 8)
      if (isDirectory(bits)) {
        const dir = directory(ours, name)
        if (treeId(dir, this.#ids, this.#hashLength) !== oid) await this.#compare(dir, oid, `${prefix}${name}/`, rows)
        continue
      }
      there.add(name)
      const at = ours.fileNames.indexOf(name)
      const leaf = ours.files[at]
      if (leaf?.value === undefined || leaf.mode !== bits || leaf.oid !== oid) {
        rows.push({ path: prefix + name, from: undefined, mode: bits, oid })
      }
    }
    ours.files.forEach((leaf, i) => {
      const name = ours.fileNames[i] as string
      if (leaf.value !== undefined && !there.has(name)) {
        rows.push({ path: prefix + name, from: undefined, mode: 0, oid: '' })
      }
    })
  }

  /** Keeps raw what does not follow from files: the directories to which that applies, and no others. */
  async #keep(ours: Tree<PlannedLeaf>, id: string, path: string, loose: OddTree[]): Promise<void> {
    const { bytes, entries } = await this.#read(id)
    for (const { mode, name, id: child } of entries) {
      if (!isDirectory(Number.parseInt(mode, 8))) continue
      const dir = directory(ours, name)
      if (treeId(dir, this.#ids, this.#hashLength) !== child) {
        await this.#keep(dir, child, path === '' ? name : `${path}/${name}`, loose)
      }
    }
    if (ours.fileNames.length + ours.dirNames.length === 0) {
      // A directory without files has no place in our tree to remember it by.
      if (id !== emptyTreeId(this.#hashLength)) loose.push({ path, bytes })
      return
    }
    const follows = treeBytes(ours, this.#ids, this.#hashLength)
    this.#ids.set(ours, id)
    if (gitObjectId('tree', follows, this.#hashLength) === id) {
      // It may have been odd before: directories are shared between versions.
      this.#odd.delete(ours)
      return
    }
    this.#odd.set(ours, bytes)
    this.#anyOdd = true
  }

  #kept(tree: Tree<PlannedLeaf>, path = ''): OddTree[] {
    if (!this.#anyOdd) return []
    const bytes = this.#odd.get(tree)
    const own = bytes === undefined ? [] : [{ path, bytes }]
    const below = tree.dirs.flatMap((dir, i) =>
      this.#kept(dir, path === '' ? name(tree, i) : `${path}/${name(tree, i)}`),
    )
    return [...own, ...below]
  }

  async #read(id: string): Promise<{ bytes: Uint8Array; entries: { mode: string; name: string; id: string }[] }> {
    if (id === emptyTreeId(this.#hashLength)) return { bytes: new Uint8Array(0), entries: [] }
    const { bytes } = await this.#objects.read(hex(id))
    const entries = parseTree(bytes, this.#hashLength)
    if (entries === undefined) throw new CodedError('GIT_OBJECT_BAD', `The git tree ${hex(id)} is malformed.`)
    return { bytes: Uint8Array.from(bytes), entries }
  }
}

function directory(tree: Tree<PlannedLeaf>, name: string): Tree<PlannedLeaf> {
  return tree.dirs[tree.dirNames.indexOf(name)] ?? emptyTree<PlannedLeaf>()
}

function name(tree: Tree<PlannedLeaf>, i: number): string {
  return tree.dirNames[i] as string
}

function hex(id: string): string {
  return toHex(fromLatin1(id))
}

function byPath(a: OddTree, b: OddTree): number {
  return a.path < b.path ? -1 : 1
}
