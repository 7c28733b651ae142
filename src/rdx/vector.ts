/**
 * Type V, the version vector: the greatest sequence number of every author.
 *
 *     bare     | v record | v record | ...     each ZipUint64Pair(seq, src), ascending by src, one for each src
 *     text     V<{seq,src},...>                exact and plain alike
 *     native   Map from src to seq, both bigint
 *
 * Merge: the maximum for each author. An author of whom nothing has been seen is left out, so a seq of 0 is refused. What
 * other types need of vectors is in seen.ts.
 * @module
 */
import { valueError } from './fault.js'
import { pairsOf, wholeNumber } from './native.js'
import { decodePairs, encodePairs, formatPairs, type Integer, readPairText } from './pairs.js'
import { VECTOR_RULES } from './seen.js'
import { isSorted } from './sorted.js'
import { completeSorted } from './sorted-type.js'
import type { RdxType } from './type.js'

/** Sequence numbers by author. */
export type Vector = ReadonlyMap<bigint, bigint>

/** Type V. See the head of this file. */
export const V: RdxType<Vector, ReadonlyMap<Integer, Integer>> = completeSorted(VECTOR_RULES, {
  letter: 'V',
  string: (tlv) => (isSorted(tlv, VECTOR_RULES) ? formatPairs(tlv, VECTOR_RULES, 'V') : undefined),
  read: (reader, writer) => readPairText(reader, writer, 'V', 'V'),
  tlv: (native) => encodePairs(wholePairs(native), 'V'),
  plain: (tlv) => (isSorted(tlv, VECTOR_RULES) ? decodePairs(tlv, VECTOR_RULES) : undefined),
  /** Only ever adds: an author whose seq would have to fall is an error. */
  delta: (tlv, native) => {
    const wished = wholePairs(native)
    const now = isSorted(tlv, VECTOR_RULES) ? decodePairs(tlv, VECTOR_RULES) : new Map<bigint, bigint>()
    for (const [src, seq] of now) {
      if ((wished.get(src) ?? 0n) < seq) throw valueError(`A vector cannot fall: author ${src} is at ${seq}.`)
    }
    for (const [src, seq] of wished) if (now.get(src) === seq) wished.delete(src)
    return encodePairs(wished, 'V')
  },
})

/** Pairs with both halves as `bigint`, so that equal numbers are equal keys. */
function wholePairs(native: ReadonlyMap<Integer, Integer>): Map<bigint, bigint> {
  return new Map(pairsOf(native).map(([src, seq]) => [wholeNumber(src), wholeNumber(seq)]))
}
