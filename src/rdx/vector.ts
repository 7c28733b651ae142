/**
 * Type V, the version vector: the greatest sequence number of every author.
 *
 *     bare     | v record | v record | ...     each ZipUint64Pair(seq, src), ascending by src, one for each src
 *     text     V<{seq,src},...>                exact and plain alike
 *     native   Map from src to seq, both bigint
 *
 * Merge: the maximum for each author. An author of whom nothing has been seen is left out, so a seq of 0 is refused. What
 * other types need of vectors is `Seen`: it gathers one from revisions, and answers what it covers.
 * @module
 */
import { compareBytes } from '../base/bytes.js'
import { valueError } from './fault.js'
import { pairsOf, wholeNumber } from './native.js'
import { decodePairs, encodePairs, formatPairs, type Integer, integer, pairRules, readPairText } from './pairs.js'
import { checkSorted, filterSorted, mergeSorted } from './sorted.js'
import type { StampView } from './stamp.js'
import { completeType, type RdxType } from './type.js'

const RULES = pairRules('V')

/** Sequence numbers by author. */
export type Vector = ReadonlyMap<bigint, bigint>

/** A version vector while it is gathered or asked. Revision 0 is that of values nobody stamped: it is never covered. */
export class Seen {
  readonly #greatest = new Map<Integer, Integer>()

  /** What a state of type V covers; nothing for bytes that are none. */
  static of(vector: Uint8Array): Seen {
    const seen = new Seen()
    if (checkSorted(vector, RULES) !== undefined) return seen
    const cursor = RULES.cursor(vector)
    while (RULES.next(cursor)) seen.add(cursor.view.stamp)
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

/** Type V. See the head of this file. */
export const V: RdxType<Vector, ReadonlyMap<Integer, Integer>> = completeType({
  letter: 'V',
  check: (tlv) => checkSorted(tlv, RULES),
  string: (tlv) => (checkSorted(tlv, RULES) === undefined ? formatPairs(tlv, RULES, 'V') : undefined),
  read: (reader, writer) => readPairText(reader, writer, 'V', 'V'),
  tlv: (native) => encodePairs(wholePairs(native), 'V'),
  plain: (tlv) => (checkSorted(tlv, RULES) === undefined ? decodePairs(tlv, RULES) : undefined),
  /** Only ever adds: an author whose seq would have to fall is an error. */
  delta: (tlv, native) => {
    const wished = wholePairs(native)
    const now = checkSorted(tlv, RULES) === undefined ? decodePairs(tlv, RULES) : new Map<bigint, bigint>()
    for (const [src, seq] of now) {
      if ((wished.get(src) ?? 0n) < seq) throw valueError(`A vector cannot fall: author ${src} is at ${seq}.`)
    }
    for (const [src, seq] of wished) if (now.get(src) === seq) wished.delete(src)
    return encodePairs(wished, 'V')
  },
  merge: (tlvs) => mergeSorted(tlvs, RULES),
  diff: (tlv, vector) => {
    const seen = Seen.of(vector)
    if (checkSorted(tlv, RULES) !== undefined) return new Uint8Array(0)
    return filterSorted(tlv, RULES, ({ view }) => !seen.covers(view.stamp))
  },
  empty: () => new Uint8Array(0),
  compare: compareBytes,
  vector: (tlv) => mergeSorted([tlv], RULES),
})

/** Pairs with both halves as `bigint`, so that equal numbers are equal keys. */
function wholePairs(native: ReadonlyMap<Integer, Integer>): Map<bigint, bigint> {
  return new Map(pairsOf(native).map(([src, seq]) => [wholeNumber(src), wholeNumber(seq)]))
}
