/**
 * What to delete and what to insert to make one sequence another: as little as can be found in bounded time.
 *
 * Common ends are taken, what is between is split where a shortest edit script passes (base/myers.ts), and both halves are
 * worked on alike. A split that would take over MAX_COST edits is made at the furthest point reached, and when a budget of
 * steps, linear in the length of both, is spent, what is left is replaced as a whole. Memory is linear.
 * @module
 */
import { MiddleSearch } from '../base/myers.js'

/** Edits from either side after which the search for a shortest script gives up: 0.3 ms at most. */
const MAX_COST = 256

/** Steps that may be taken, beside so many for each item. A step is about 2 ns. */
const FREE_STEPS = 1_000_000
const STEPS_PER_ITEM = 128

/** The items of both sequences that are not common: 1 for each of those, 0 for the others. */
export interface Changes {
  readonly deleted: Uint8Array
  readonly inserted: Uint8Array
  /** Work done, for tests of the bound. */
  readonly steps: number
}

/** Compares two sequences of tokens. Equal items have equal tokens. */
export function diffItems(a: Int32Array, b: Int32Array): Changes {
  const deleted = new Uint8Array(a.length).fill(1)
  const inserted = new Uint8Array(b.length).fill(1)
  const budget = FREE_STEPS + STEPS_PER_ITEM * (a.length + b.length)
  const middles = new MiddleSearch()
  // A stack of boxes [x0, x1) x [y0, y1), four numbers each: how deep they nest is up to the items.
  const boxes = [0, a.length, 0, b.length]
  while (boxes.length > 0) {
    let y1 = boxes.pop() as number
    let y0 = boxes.pop() as number
    let x1 = boxes.pop() as number
    let x0 = boxes.pop() as number
    const before = x0 - x1
    while (x0 < x1 && y0 < y1 && a[x0] === b[y0]) deleted[x0++] = inserted[y0++] = 0
    while (x0 < x1 && y0 < y1 && a[x1 - 1] === b[y1 - 1]) deleted[--x1] = inserted[--y1] = 0
    middles.steps += x0 - x1 - before + 1
    if (x0 === x1 || y0 === y1 || middles.steps > budget) continue
    middles.find(a, x0, x1, b, y0, y1, MAX_COST, budget)
    const { x, y } = middles
    boxes.push(x0, x, y0, y, x, x1, y, y1)
  }
  return { deleted, inserted, steps: middles.steps }
}
