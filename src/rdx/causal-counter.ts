/**
 * Type C, the causal counter: a number that deltas are added to.
 *
 *     bare     ZipInt64(value), without a stamp: the log says whose a delta is
 *     text     C<value>                        plain: the value in decimal
 *     native   the value, a bigint; given as bigint or number
 *
 * A delta has the form of a state. Every delta must be added exactly once, which a log gives and a merge cannot: two equal
 * deltas may be one that came twice. So `merge` answers `undefined` where it would have to guess, and `add` is for who
 * reads a log. Sums are those of 64-bit machine integers: past the greatest comes the least, so that the order in which
 * deltas are added never matters and every value can be reached by one delta.
 * @module
 */
import { compareBytes, equalBytes } from '../base/bytes.js'
import { integerRule } from './element.js'
import type { Fault } from './fault.js'
import { int64 } from './native.js'
import { completeType, type RdxType } from './type.js'
import { unzipInt64, zipInt64 } from './zip.js'

const LEAST = -(2n ** 63n)

function check(tlv: Uint8Array): Fault | undefined {
  const rule = integerRule(tlv, 0, tlv.length)
  return rule === undefined ? undefined : { offset: 0, rule }
}

function valueIn(tlv: Uint8Array): bigint | undefined {
  return check(tlv) === undefined ? unzipInt64(tlv) : undefined
}

/** Type C with the addition that only a log may do. */
export interface CausalCounter extends RdxType<bigint, bigint | number, Uint8Array | undefined> {
  /** Adds deltas to a state, each exactly once. Bytes that are no state are skipped. */
  add(tlv: Uint8Array, deltas: readonly Uint8Array[]): Uint8Array
}

/** Type C. See the head of this file. */
export const C: CausalCounter = {
  ...completeType<bigint, bigint | number, Uint8Array | undefined>({
    letter: 'C',
    check,
    string: (tlv, form = 'exact') => {
      const value = valueIn(tlv)
      if (value === undefined) return undefined
      return form === 'exact' ? `C<${value}>` : value.toString()
    },
    read: (reader, writer) => {
      const exact = reader.peek() === 0x43
      if (exact) reader.expect('C<')
      writer.raw(zipInt64(reader.integer(LEAST, -LEAST - 1n)))
      if (exact) reader.expect('>')
    },
    tlv: (native) => zipInt64(int64(native)),
    plain: valueIn,
    /** To be given to `add`, not to `merge`. */
    delta: (tlv, native) => zipInt64(BigInt.asIntN(64, int64(native) - (valueIn(tlv) ?? 0n))),
    /** The state itself where all valid inputs are equal or 0; `undefined` where they differ, for then it is refused. */
    merge: (tlvs) => {
      const distinct = new Uint8Array(0)
      return tlvs.reduce<Uint8Array | undefined>((merged, tlv) => {
        if (merged === undefined || check(tlv) !== undefined || tlv.length === 0) return merged
        return merged.length === 0 || equalBytes(merged, tlv) ? tlv : undefined
      }, distinct)
    },
    /** A causal counter has no revisions: what is new is for the log to say. */
    diff: (tlv) => (check(tlv) === undefined ? tlv : new Uint8Array(0)),
    empty: () => new Uint8Array(0),
    compare: compareBytes,
    vector: () => new Uint8Array(0),
  }),
  add: (tlv, deltas) => {
    let sum = valueIn(tlv) ?? 0n
    for (const delta of deltas) sum += valueIn(delta) ?? 0n
    return zipInt64(BigInt.asIntN(64, sum))
  },
}
