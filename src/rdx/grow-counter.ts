/**
 * Type N (its older name is U), the counter that only grows, safe under any delivery.
 *
 *     bare     | u record | u record | ...     each ZipUint64Pair(value, src), ascending by src, one for each src
 *     text     N<{value,src},...>              plain: the sum in decimal
 *     native   the sum, a bigint; given as bigint or number
 *
 * Every author counts for itself. Merge: the maximum for each author. The sum is exact, and may be over 64 bits.
 * @module
 */
import { valueError } from './fault.js'
import { author, wholeNumber } from './native.js'
import { decodePairs, encodePairs, formatPairs, pairRules, readPairText } from './pairs.js'
import { isSorted } from './sorted.js'
import { completeSorted } from './sorted-type.js'
import { SRC_MAX } from './stamp.js'
import type { RdxType } from './type.js'

const RULES = pairRules('U')

function isState(tlv: Uint8Array): boolean {
  return isSorted(tlv, RULES)
}

function countsOf(tlv: Uint8Array): Map<bigint, bigint> {
  return isState(tlv) ? decodePairs(tlv, RULES) : new Map()
}

function sum(counts: Map<bigint, bigint>): bigint {
  let total = 0n
  for (const count of counts.values()) total += count
  return total
}

/** The state in which one author has counted to `value`. */
function single(value: bigint, src: bigint): Uint8Array {
  if (value < 0n || value > SRC_MAX) throw valueError(`One author can count from 0 to 2^64 - 1, not to ${value}.`)
  return value === 0n ? new Uint8Array(0) : encodePairs(new Map([[src, value]]), 'U')
}

/** Type N. See the head of this file. */
export const N: RdxType<bigint, bigint | number> = completeSorted(RULES, {
  letter: 'N',
  string: (tlv, form = 'exact') => {
    if (!isState(tlv)) return undefined
    return form === 'exact' ? formatPairs(tlv, RULES, 'N') : sum(decodePairs(tlv, RULES)).toString()
  },
  read: (reader, writer) => {
    if (reader.peek() === 0x4e) readPairText(reader, writer, 'U', 'N')
    else writer.raw(single(reader.integer(0n, SRC_MAX), 0n))
  },
  tlv: (native) => single(wholeNumber(native), 0n),
  plain: (tlv) => (isState(tlv) ? sum(decodePairs(tlv, RULES)) : undefined),
  delta: (tlv, native, src = 0n) => {
    const counts = countsOf(tlv)
    const more = wholeNumber(native) - sum(counts)
    if (more < 0n) throw valueError(`The counter stands at ${sum(counts)} and cannot fall to ${native}.`)
    return more === 0n ? new Uint8Array(0) : single((counts.get(author(src)) ?? 0n) + more, author(src))
  },
})
