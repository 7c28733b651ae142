/**
 * Bisection: which version to test next, to find the first bad one in the fewest tests.
 *
 * The candidates are the versions that a known bad one covers and no known good one does. Testing version v splits
 * them in those that v covers, `reach(v)` many, and the rest; whichever half the first bad version is in stays. So the
 * best v has min(reach, all - reach) greatest, as in git.
 *
 * git counts `reach` by walking the graph, from every merge anew. Here a vector says what a version covers: a stream's
 * versions are covered from the first to the one in the vector, so `reach` is a sum over streams of how many candidates stand
 * there up to that place. That costs each candidate one step per stream.
 * @see git, bisect.c (`do_find_bisection`, `skip_away`, `estimate_bisect_steps`, `check_merge_bases`).
 * @module
 */
import type { Graph, GraphNode } from './graph.js'

/** What is known so far, as numbers of the graph. */
export interface BisectMarks {
  readonly bad: number
  readonly good: ReadonlySet<number>
  /** Versions that cannot be tested. */
  readonly skipped: ReadonlySet<number>
}

/** What to do next. */
export type BisectStep =
  /**
   * Test a version. `left`: candidates besides it that are then left at most; `steps`: how many more tests that will take,
   * about. `base`: the version is where a good one that is not in the bad one's past has parted from it, and whether it
   * is good must be known first.
   */
  | {
      readonly kind: 'test'
      readonly version: number
      readonly left: number
      readonly steps: number
      readonly base: boolean
    }
  /** The first bad version is known. */
  | { readonly kind: 'found'; readonly version: number }
  /** All that could still be tested was skipped: the first bad version is one of these, in the order of the graph. */
  | { readonly kind: 'unclear'; readonly versions: readonly number[] }
  /** The bad version is in the past of these good ones, or is one of them: what is looked for was mended, not broken. */
  | { readonly kind: 'reversed'; readonly good: readonly number[] }

/** Finds out what to do next. */
export function nextStep(graph: Graph, marks: BisectMarks): BisectStep {
  const bad = graph.node(marks.bad)
  const good = [...marks.good].map((number) => graph.node(number))
  const reversed = good.filter((own) => covers(own, bad))
  if (reversed.length > 0) return { kind: 'reversed', good: reversed.map(({ number }) => number) }
  const all = candidatesOf(graph, marks)
  const base = good
    .filter((own) => !covers(bad, own))
    .flatMap((own) => partings(graph, bad, own))
    .find((number) => !isKnown(graph, marks, number))
  if (base !== undefined)
    return { kind: 'test', version: base, left: all.length, steps: stepsFor(all.length), base: true }
  return chosen(graph, all, marks)
}

function covers({ vector }: GraphNode, { slot, number }: GraphNode): boolean {
  return vector.covers(slot, number)
}

/** Versions that may be the first bad one, in the order of the graph; the bad one is the last of them. */
function candidatesOf(graph: Graph, { bad, good }: BisectMarks): GraphNode[] {
  const { vector } = graph.node(bad)
  const fine = [...good].map((number) => graph.node(number).vector)
  const known = fine[0] === undefined ? undefined : fine.reduce((join, own) => join.join(own))
  const candidates: GraphNode[] = []
  for (const node of graph) {
    if (node.number > bad) break
    if (vector.covers(node.slot, node.number) && known?.covers(node.slot, node.number) !== true) candidates.push(node)
  }
  return candidates
}

/** The latest versions that two versions have in common. */
function partings(graph: Graph, a: GraphNode, b: GraphNode): number[] {
  const common: number[] = []
  for (const [slot, number] of a.vector.entries()) {
    const both = Math.min(number, b.vector.seqAt(slot))
    if (both > 0) common.push(both)
  }
  const latest: number[] = []
  for (const number of common.sort((x, y) => y - x)) {
    if (!latest.some((later) => covers(graph.node(later), graph.node(number)))) latest.push(number)
  }
  return latest
}

/** Whether nothing is to be learned from testing a parting: a good version in the bad one's past covers it, or it is skipped. */
function isKnown(graph: Graph, { bad, good, skipped }: BisectMarks, number: number): boolean {
  if (skipped.has(number)) return true
  return [...good].some(
    (own) => covers(graph.node(bad), graph.node(own)) && covers(graph.node(own), graph.node(number)),
  )
}

/** A candidate and how evenly it splits them all: the greater the better. */
interface Split {
  readonly number: number
  readonly evenness: number
}

function chosen(graph: Graph, all: readonly GraphNode[], { bad, skipped }: BisectMarks): BisectStep {
  const splits = splitsOf(graph, all).filter(({ number }) => number !== bad)
  const open = splits.filter(({ number }) => !skipped.has(number))
  const [best] = open
  if (best === undefined) {
    if (splits.length === 0) return { kind: 'found', version: bad }
    return { kind: 'unclear', versions: all.map(({ number }) => number) }
  }
  const { number, evenness } = splits[0] === best ? best : away(open)
  return { kind: 'test', version: number, left: all.length - evenness - 1, steps: stepsFor(all.length), base: false }
}

/** All candidates, those that split them most evenly first, the older of two that do so alike. */
function splitsOf(graph: Graph, all: readonly GraphNode[]): Split[] {
  const reach = reaches(graph, all)
  return all
    .map(({ number }) => ({
      number,
      evenness: Math.min(reach[number] as number, all.length - (reach[number] as number)),
    }))
    .sort((a, b) => b.evenness - a.evenness || a.number - b.number)
}

/** How many candidates each candidate covers, by number; 0 for all other versions. */
function reaches(graph: Graph, all: readonly GraphNode[]): Uint32Array {
  // Of a stream, those that may be bad follow those that are good. So the place of a candidate among the candidates of its
  // stream says how many of that stream all those cover whose vectors end there, and 0 that they cover none.
  const places = new Uint32Array(graph.size + 1)
  const counts = new Map<number, number>()
  for (const { slot, number } of all) {
    const place = (counts.get(slot) ?? 0) + 1
    counts.set(slot, place)
    places[number] = place
  }
  const slots = [...counts.keys()]
  const reach = new Uint32Array(graph.size + 1)
  for (const { number, parents, vector } of all) {
    const [parent, second] = parents
    if (second === undefined) {
      reach[number] = (parent === undefined ? 0 : (reach[parent] as number)) + 1
    } else {
      let sum = 0
      for (const slot of slots) sum += places[vector.seqAt(slot)] as number
      reach[number] = sum
    }
  }
  return reach
}

/**
 * One of the candidates that can be tested, where the best one cannot: further down the list by chance, nearer to its
 * beginning more often than not, since what is wrong with a version is mostly wrong with its neighbours too. The
 * chance is drawn from the number of candidates, so that the same question has the same answer.
 */
function away(open: readonly Split[]): Split {
  const drawn = (Math.imul(open.length, 1103515245) + 12345) >>> 0
  const chance = ((drawn >>> 16) % 32768) / 32768
  return open[Math.floor(open.length * chance * Math.sqrt(chance))] as Split
}

/** How many tests it takes to find one of so many, about: the logarithm, and one less where luck will mostly have it. */
function stepsFor(all: number): number {
  if (all < 3) return 0
  const whole = Math.floor(Math.log2(all))
  const more = all - 2 ** whole
  return 2 ** whole < 3 * more ? whole : whole - 1
}
