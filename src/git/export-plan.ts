/**
 * What an export has to write: the versions that git lacks, and the contents that their trees need and git is not known
 * to have.
 *
 * The ids of what did not change come from git itself: for every commit that it has and that a new one stands on, it lists
 * its files. That list is believed once the commit, put together with it from what is stored, has the id it should have.
 * @module
 */
import { getOrMake } from '../base/map.js'
import { Findings } from '../history/findings.js'
import { type Leaf, listTree, type Tree } from '../history/tree.js'
import { type PathWrite, type PathWrites, readPathWrites, walkTrees } from '../history/verify-contents.js'
import type { WantedContents } from './export-blobs.js'
import type { ExportRef } from './export-refs.js'
import { listFiles } from './history.js'
import { leafName } from './rebuild.js'
import { type Notes, readNotes, type StoredCommits } from './stored.js'
import type { Target } from './target.js'

/** What is to be written, and what it stands on. */
export interface ExportPlan {
  /** How many versions the refs reach. */
  readonly reached: number
  /** Numbers of the versions that git lacks, ascending. */
  readonly wanted: readonly number[]
  /** Numbers of versions that git has and that wanted ones stand on. */
  readonly boundary: ReadonlySet<number>
  readonly writes: PathWrites
  readonly contents: WantedContents
  /** Git ids of contents that are known, by `leafName`; more come with the writing. */
  readonly oids: Map<string, string>
  /** Ids of objects that the target has, as far as is known: binary strings. */
  readonly known: ReadonlySet<string>
  /** Of the versions that are wanted or at the boundary. */
  readonly notes: Notes
}

/**
 * Plans an export.
 *
 * @param have - Ids of the commits that the target has with all they need: binary strings.
 */
export async function planExport(
  stored: StoredCommits,
  refs: readonly ExportRef[],
  have: ReadonlySet<string>,
  target: Target,
): Promise<ExportPlan> {
  const tips = refs.flatMap(({ ref }) => ref.value.version ?? []).map((version) => stored.numberOf(version))
  const reached = stored.reached(tips)
  const lacks = (number: number): boolean => !stored.isNamed(number) || !have.has(stored.commitOf(number))
  const wanted = reached.filter(lacks)
  const boundary = new Set<number>()
  for (const number of wanted) {
    for (const parent of stored.graph.node(number).parents) if (!lacks(parent)) boundary.add(parent)
  }
  const oids = new Map<string, string>()
  const known = new Set<string>()
  const common = { reached: reached.length, wanted, boundary, oids, known }
  if (wanted.length === 0) {
    const writes: PathWrites = { byVersion: [], byFile: new Map() }
    return { ...common, writes, contents: new Map(), notes: await readNotes(stored.entries, []) }
  }
  const writes = await readPathWrites(stored.entries, stored.graph, new Findings())
  const notes = await readNotes(
    stored.entries,
    [...boundary, ...wanted].map((number) => stored.version(number)),
  )
  const needed = new NeededLeaves(oids)
  const isWanted = new Set(wanted)
  for (const { number, tree } of walkTrees(stored.graph, writes)) {
    if (isWanted.has(number)) needed.add(tree)
    else if (boundary.has(number)) await learn(tree, target, stored.hexOf(number), oids, known)
  }
  return { ...common, writes, notes, contents: needed.select(writes.byFile) }
}

/** Takes the ids of a commit's files and directories from git. */
async function learn(
  tree: Tree<Leaf>,
  { gitDir }: Target,
  commit: string,
  oids: Map<string, string>,
  known: Set<string>,
): Promise<void> {
  const listed = new Map<string, string>()
  for await (const { path, oid, isDirectory } of listFiles(gitDir, commit, true)) {
    known.add(oid)
    if (!isDirectory) listed.set(path, oid)
  }
  for (const [path, leaf] of listTree(tree)) {
    const oid = listed.get(path)
    // A path that git does not list gives another tree, which will be noticed.
    oids.set(leafName(leaf.touch, path), oid ?? '')
  }
}

/** Collects the contents of trees whose ids are not known. What trees share is looked at once. */
class NeededLeaves {
  readonly #oids: ReadonlyMap<string, string>
  readonly #seen = new WeakSet<Tree<Leaf>>()
  readonly #names = new Set<string>()

  constructor(oids: ReadonlyMap<string, string>) {
    this.#oids = oids
  }

  add(tree: Tree<Leaf>, prefix = ''): void {
    if (this.#seen.has(tree)) return
    this.#seen.add(tree)
    tree.files.forEach((leaf, i) => {
      if (leaf.value === undefined) return
      const name = leafName(leaf.touch, prefix + tree.fileNames[i])
      if (!this.#oids.has(name)) this.#names.add(name)
    })
    tree.dirs.forEach((dir, i) => {
      this.add(dir, `${prefix}${tree.dirNames[i]}/`)
    })
  }

  /** The writes that put these contents. */
  select(byFile: PathWrites['byFile']): WantedContents {
    const selected = new Map<string, PathWrite[]>()
    for (const [file, writes] of byFile) {
      for (const write of writes) {
        if (this.#names.has(leafName(write.number, write.path))) {
          getOrMake(selected, file, () => [] as PathWrite[]).push(write)
        }
      }
    }
    return selected
  }
}
