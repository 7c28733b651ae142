/**
 * What has been seen: version vectors, gathered from the stamps of a state or asked about them.
 * @module
 */
import { encodePairs, type Integer, integer, pairRules } from './pairs.js'
import { isSorted } from './sorted.js'
import type { StampView } from './stamp.js'

/** Those of type V. */
export const VECTOR_RULES = pairRules('V')

/** A version vector while it is gathered or asked. Revision 0 is that of values nobody stamped: it is never covered. */
export class Seen {
  readonly #greatest = new Map<Integer, Integer>()

  /** What a state of type V covers; nothing for bytes that are none. */
  static of(vector: Uint8Array): Seen {
    const seen = new Seen()
    if (!isSorted(vector, VECTOR_RULES)) return seen
    const cursor = VECTOR_RULES.cursor(vector)
    while (VECTOR_RULES.next(cursor)) seen.add(cursor.view.stamp)
    return seen
  }

  /** Adds a revision. */
  add(stamp: StampView): void {
    const abs = integer(stamp.absHigh, stamp.absLow)
    if (abs === 0) return
    const src = integer(stamp.srcHigh, stamp.srcLow)
    const greatest = this.#greatest.get(src)
    if (greatest === undefined || greatest < abs) this.#greatest.set(src, abs)
  }

  /** Whether a revision has been seen: it, or a later one of its author. */
  covers(stamp: StampView): boolean {
    const abs = integer(stamp.absHigh, stamp.absLow)
    if (abs === 0) return false
    const greatest = this.#greatest.get(integer(stamp.srcHigh, stamp.srcLow))
    return greatest !== undefined && greatest >= abs
  }

  /** The state of type V. */
  encode(): Uint8Array {
    return encodePairs(this.#greatest, 'V')
  }
}
