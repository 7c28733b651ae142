/**
 * Types F, I, R, S and T: one stamped value, of which the last write wins.
 *
 *     bare     | stamp record | value |        see element.ts
 *     text     value{rev,src}                  plain: the value; nothing for a tombstone
 *     native   see native.ts; I is given as a number too
 *
 * Merge: the highest rank, which element.ts defines. The empty state is the value of no bytes (0.0, 0, 0-0, "", null) with
 * the stamp {0,0}, which ranks below everything else.
 * @module
 */
import { compareBytes } from '../base/bytes.js'
import { compareRanges, compareRank, ElementView, type FirstLetter } from './element.js'
import type { Fault } from './fault.js'
import { valueError } from './fault.js'
import { decodeNative, describe, encodeNative, int64, type Native, type Ref, type Term } from './native.js'
import { Seen } from './seen.js'
import { encodeStamp, nextRev, type Stamp, ZERO_STAMP } from './stamp.js'
import { TextWriter } from './text-writer.js'
import { TlvWriter } from './tlv.js'
import { completeType, type RdxType } from './type.js'

/** Bytes of the empty state of all five types: the stamp {0,0} and no value. */
const EMPTY = 0x30

function bare(stamp: Stamp, value: Uint8Array): Uint8Array {
  return new TlvWriter(value.length + 24).tiny('T', encodeStamp(stamp)).raw(value).copy()
}

function firstType<Plain extends Native, Given>(
  letter: FirstLetter,
  toNative: (given: Given) => Native,
): RdxType<Plain, Given> {
  const code = letter.charCodeAt(0)
  const check = (tlv: Uint8Array): Fault | undefined => new ElementView().readBare(tlv, code)
  const view = (tlv: Uint8Array): ElementView | undefined => {
    const found = new ElementView()
    return found.readBare(tlv, code) === undefined ? found : undefined
  }
  const encodeValue = (given: Given): Uint8Array => {
    const encoded = encodeNative(toNative(given))
    if (encoded.letter !== letter) throw valueError(`Type ${letter} does not hold ${describe(given)}.`)
    return encoded.value
  }
  return completeType<Plain, Given>({
    letter,
    check,
    string: (tlv, form = 'exact') => {
      const element = view(tlv)
      if (element === undefined) return undefined
      return form === 'plain' && element.stamp.dead ? '' : new TextWriter().element(element, form === 'exact').finish()
    },
    read: (reader, writer) => reader.bare(writer, letter),
    tlv: (native) => bare(ZERO_STAMP, encodeValue(native)),
    plain: (tlv) => {
      const element = view(tlv)
      return element === undefined || element.stamp.dead ? undefined : (decodeNative(element) as Plain)
    },
    delta: (tlv, native, src = 0n) => {
      const value = encodeValue(native)
      const now = view(tlv) ?? (view(Uint8Array.of(EMPTY)) as ElementView)
      const same = compareRanges(now.bytes, now.valueStart, now.end, value, 0, value.length) === 0
      if (same && !now.stamp.dead) return Uint8Array.of(EMPTY)
      return bare({ rev: nextRev(now.stamp.abs), src }, value)
    },
    merge: (tlvs) => {
      let best: ElementView | undefined
      let next = new ElementView()
      for (const tlv of tlvs) {
        if (next.readBare(tlv, code) !== undefined) continue
        if (best !== undefined && compareRank(best, next) >= 0) continue
        // The view that is beaten is filled again.
        const beaten: ElementView = best ?? new ElementView()
        best = next
        next = beaten
      }
      return best?.bytes ?? Uint8Array.of(EMPTY)
    },
    diff: (tlv, vector) => {
      const element = view(tlv)
      return element === undefined || Seen.of(vector).covers(element.stamp) ? Uint8Array.of(EMPTY) : tlv
    },
    empty: () => Uint8Array.of(EMPTY),
    /** By value, stamps aside, as sets and maps order elements; bytes that are no state come first. */
    compare: (a, b) => {
      const [x, y] = [view(a), view(b)]
      if (x === undefined || y === undefined) {
        return x === y ? compareBytes(a, b) : x === undefined ? -1 : 1
      }
      return compareRanges(x.bytes, x.valueStart, x.end, y.bytes, y.valueStart, y.end)
    },
    vector: (tlv) => {
      const seen = new Seen()
      const element = view(tlv)
      if (element !== undefined) seen.add(element.stamp)
      return seen.encode()
    },
  })
}

/** Type F: a 64-bit float other than NaN. */
export const F: RdxType<number> = firstType('F', (native: number) => native)
/** Type I: a signed 64-bit integer. */
export const I: RdxType<bigint, bigint | number> = firstType('I', int64)
/** Type R: an id, two unsigned 64-bit integers. */
export const R: RdxType<Ref> = firstType('R', (native: Ref) => native)
/** Type S: a text. */
export const S: RdxType<string> = firstType('S', (native: string) => native)
/** Type T: a term, or null. */
export const T: RdxType<Term | null> = firstType('T', (native: Term | null) => native)
