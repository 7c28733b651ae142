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
  readonly sides: readonly Side<T>[]
  /** Paths that two sides touched apart, and at which there is something. */
  readonly contested: ReadonlySet<string>
  /** Paths at which the sides differ. */
  readonly differing: ReadonlySet<string>
}

/** How touches of one path are told apart. */
export interface TouchOrder<T extends Leaf> {
  /** Whether a vector covers the touch of a leaf. */
  covers(vector: Vector, leaf: T): boolean
  /** Whether one touch counts and not the other where both are covered: the entry with the greater lseq. */
  isLater(leaf: T, other: T): boolean
}

/** Joins sides: at every path the touch that knows of the others; where none does, the last one. */
export function joinSides<T extends Leaf>(sides: readonly Side<T>[], order: TouchOrder<T>): JoinedSides<T> {
  const [first] = sides
  let tree = first?.tree ?? emptyTree<T>()
  let vector = first?.vector ?? Vector.empty
  const contested = new Set<string>()
  const differing = new Set<string>()
  for (const side of sides.slice(1)) {
    compareTrees(tree, side.tree, (path, ours, theirs) => {
      differing.add(path)
      const oursIsNews = ours !== undefined && !order.covers(side.vector, ours)
      const theirsIsNews = theirs !== undefined && !order.covers(vector, theirs)
      const areApart = oursIsNews && theirsIsNews
      const wins = areApart ? order.isLater(theirs, ours) : theirs !== undefined && !oursIsNews
      if (wins) tree = setPath(tree, path, theirs as T)
      // Whichever says that the path is gone says what everybody finds there.
      if (areApart && (wins ? theirs : ours).value !== undefined) contested.add(path)
    })
    vector = vector.join(side.vector)
  }
  return { tree, vector, sides, contested, differing }
}

/**
 * The sides that have what the join has at a path. If each of them lacks some touch of the file there that the join covers,
 * the file may have changed.
 */
export function holdersOf<T extends Leaf>({ tree, sides }: JoinedSides<T>, path: string): readonly Side<T>[] {
  const leaf = getPath(tree, path)
  return sides.filter((side) => getPath(side.tree, path) === leaf)
}
