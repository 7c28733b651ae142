/**
 * States that are sorted records with one record, or pair of records, for each key: sets, maps, counters by author and
 * version vectors. Here is what they have in common: validation, and the merge.
 *
 * The merge is n-ary: a heap of cursors, one for each input, ordered by the keys they stand at. All that stand at one key
 * are taken together, and the winner's bytes are copied. That is O(bytes * log inputs), with objects for each input and
 * none for each record.
 * @module
 */
import type { ElementView, RecordCursor } from './element.js'
import type { Fault } from './fault.js'
import { Splicer } from './splicer.js'
import type { StampView } from './stamp.js'

/** What tells one sorted type from another. */
export interface SortedRules<C extends RecordCursor> {
  /** Bytes that the merge may write for one input beyond those it has. */
  readonly slack: number
  /** A cursor before the first key of a body. */
  cursor(body: Uint8Array): C
  /** Steps to the next key. */
  next(cursor: C): boolean
  /** What stands beside the key and has a stamp of its own, where there is such a thing. */
  beside?(cursor: C): ElementView
  /** Orders two keys. */
  order(a: ElementView, b: ElementView): number
  /** Makes `best` stand where `cursor` stands. */
  take(best: C, cursor: C): void
  /** Takes what ranks higher at `cursor` into `best`, which stands at the same key. */
  join(best: C, cursor: C): void
  /** Writes what `best` stands at. */
  emit(best: C, output: Splicer): void
}

/** The first rule that a body breaks. */
export function checkSorted<C extends RecordCursor>(body: Uint8Array, rules: SortedRules<C>): Fault | undefined {
  const cursor = rules.cursor(body)
  if (!rules.next(cursor)) return cursor.fault
  const before = rules.cursor(body)
  rules.take(before, cursor)
  while (rules.next(cursor)) {
    const order = rules.order(before.view, cursor.view)
    if (order >= 0) {
      const rule = order === 0 ? 'the same element stands twice' : 'the elements are not in order'
      return { offset: cursor.view.start, rule }
    }
    rules.take(before, cursor)
  }
  return cursor.fault
}

/** Whether a body breaks no rule. */
export function isSorted<C extends RecordCursor>(body: Uint8Array, rules: SortedRules<C>): boolean {
  return checkSorted(body, rules) === undefined
}

/** Visits every stamp at a cursor. */
export function eachStamp<C extends RecordCursor>(
  cursor: C,
  { beside }: SortedRules<C>,
  visit: (stamp: StampView) => void,
): void {
  visit(cursor.view.stamp)
  if (beside !== undefined) visit(beside(cursor).stamp)
}

/** The highest |rev| in a valid body. */
export function lastRev<C extends RecordCursor>(body: Uint8Array, rules: SortedRules<C>): bigint {
  let last = 0n
  const raise = ({ abs }: StampView): void => {
    if (abs > last) last = abs
  }
  const cursor = rules.cursor(body)
  while (rules.next(cursor)) eachStamp(cursor, rules, raise)
  return last
}

/** Merges all bodies that are valid; the others are skipped. */
export function mergeSorted<C extends RecordCursor>(bodies: readonly Uint8Array[], rules: SortedRules<C>): Uint8Array {
  const heap: C[] = []
  let capacity = 0
  for (const body of bodies) {
    if (!isSorted(body, rules)) continue
    const cursor = rules.cursor(body).trust()
    if (!rules.next(cursor)) continue
    capacity += body.length + rules.slack
    heap.push(cursor)
  }
  const output = new Splicer(capacity)
  if (heap.length === 2) {
    mergeTwo(heap[0] as C, heap[1] as C, rules, output)
    return output.finish()
  }
  for (let i = (heap.length >>> 1) - 1; i >= 0; i--) sift(heap, i, rules)
  const best = rules.cursor(new Uint8Array(0))
  while (heap.length > 0) {
    const top = heap[0] as C
    rules.take(best, top)
    advance(heap, rules)
    while (heap.length > 0 && rules.order(best.view, (heap[0] as C).view) === 0) {
      rules.join(best, heap[0] as C)
      advance(heap, rules)
    }
    rules.emit(best, output)
  }
  return output.finish()
}

/** Merges two, the most frequent case, with one comparison a key where the heap makes two. */
function mergeTwo<C extends RecordCursor>(a: C, b: C, rules: SortedRules<C>, output: Splicer): void {
  // A cursor's own view must stay on its own bytes.
  const best = rules.cursor(new Uint8Array(0))
  let [inA, inB] = [true, true]
  while (inA || inB) {
    const order = !inB ? -1 : !inA ? 1 : rules.order(a.view, b.view)
    if (order === 0) {
      rules.take(best, a)
      rules.join(best, b)
    }
    rules.emit(order < 0 ? a : order > 0 ? b : best, output)
    if (order <= 0) inA = rules.next(a)
    if (order >= 0) inB = rules.next(b)
  }
}

/** Steps the least cursor on, and drops it at its end. */
function advance<C extends RecordCursor>(heap: C[], rules: SortedRules<C>): void {
  if (!rules.next(heap[0] as C)) {
    const last = heap.pop() as C
    if (heap.length === 0) return
    heap[0] = last
  }
  sift(heap, 0, rules)
}

/** Lets the cursor at `place` sink to where no child is less. */
function sift<C extends RecordCursor>(heap: C[], place: number, rules: SortedRules<C>): void {
  const sinking = heap[place] as C
  let at = place
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    const right = child + 1
    if (right < heap.length && rules.order((heap[right] as C).view, (heap[child] as C).view) < 0) child = right
    if (rules.order((heap[child] as C).view, sinking.view) >= 0) break
    heap[at] = heap[child] as C
    at = child
  }
  heap[at] = sinking
}

/** What of a body `wanted` answers true for, as a body. The body must be valid. */
export function filterSorted<C extends RecordCursor>(
  body: Uint8Array,
  rules: SortedRules<C>,
  wanted: (cursor: C) => boolean,
): Uint8Array {
  const cursor = rules.cursor(body).trust()
  const output = new Splicer(body.length + rules.slack)
  while (rules.next(cursor)) if (wanted(cursor)) rules.emit(cursor, output)
  return output.finish()
}
