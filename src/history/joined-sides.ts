/**
 * Joining the trees of a version's parents, with an eye on what a join alone does not decide.
 *
 * At every version the last touch of a path covers all others of that path, and all changes of the file at it. Only so
 * does the path's entry say what a reader finds. Joins keep this by themselves but for two cases, in which the version
 * that joins has to write the path itself:
 *
 * - both sides touched the path without knowing of each other: it is *contested*;
 * - one side touched the path, and the other the file at it, under another name.
 * @module
 */

import { Vector } from '../lseq/vector.js'
import { compareTrees, emptyTree, getPath, type Leaf, setPath, type Tree } from './tree.js'

/** What a parent has. */
export interface Side<T extends Leaf> {
  readonly tree: Tree<T>
  readonly vector: Vector
}

/** Parents, joined. */
export interface JoinedSides<T extends Leaf> extends Side<T> {
  /** Paths that two sides touched apart. */
  readonly contested: readonly string[]
  /** Paths at which the sides differ, with those that have what the join has. */
  readonly differing: ReadonlyMap<string, readonly Side<T>[]>
}

/**
 * Joins sides: at every path the touch that knows of the others.
 *
 * @param covers - Whether a vector covers the touch of a leaf.
 */
export function joinSides<T extends Leaf>(
  sides: readonly Side<T>[],
  covers: (vector: Vector, leaf: T) => boolean,
): JoinedSides<T> {
  const [first] = sides
  let tree = first?.tree ?? emptyTree<T>()
  let vector = first?.vector ?? Vector.empty
  const contested = new Set<string>()
  const differing = new Set<string>()
  for (const side of sides.slice(1)) {
    const before = tree
    compareTrees(before, side.tree, (path, ours, theirs) => {
      differing.add(path)
      const oursIsNews = ours !== undefined && !covers(side.vector, ours)
      const theirsIsNews = theirs !== undefined && !covers(vector, theirs)
      // Two deletions say the same, whichever is taken.
      const areDeleted = ours?.value === undefined && theirs?.value === undefined
      if (oursIsNews && theirsIsNews && !areDeleted) contested.add(path)
      if (theirs !== undefined && (ours === undefined || !oursIsNews)) tree = setPath(tree, path, theirs)
    })
    vector = vector.join(side.vector)
  }
  const holders = new Map<string, readonly Side<T>[]>()
  for (const path of differing) {
    const leaf = getPath(tree, path)
    holders.set(
      path,
      sides.filter((side) => getPath(side.tree, path) === leaf),
    )
  }
  return { tree, vector, contested: [...contested], differing: holders }
}
