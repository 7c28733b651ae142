/**
 * Type Z, the two-way counter, safe under any delivery.
 *
 *     bare     | i element | i element | ...   enveloped elements of type I, ascending by src, one for each src
 *     text     Z<value{rev,src},...>           plain: the sum in decimal
 *     native   the sum, a bigint; given as bigint or number
 *
 * Every author has one element, its own share of the sum, and writes it anew for each change. Merge: the highest rank for
 * each author, which is its last write. A tombstone counts for nothing. The sum is exact, and may be over 64 bits.
 * @module
 */
import { compareRank, I, RecordCursor } from './element.js'
import { valueError } from './fault.js'
import { author, int64, wholeNumber } from './native.js'
import { isSorted, type SortedRules } from './sorted.js'
import { completeSorted } from './sorted-type.js'
import { compareSrcs, encodeStamp, nextRev, type Stamp, ZERO_STAMP } from './stamp.js'
import { TextWriter } from './text-writer.js'
import { TlvWriter } from './tlv.js'
import type { RdxType } from './type.js'
import { unzipInt64, zipInt64 } from './zip.js'

const RULES: SortedRules<RecordCursor> = {
  slack: 0,
  cursor: (body) => new RecordCursor(body),
  next: (cursor) => {
    if (!cursor.nextElement()) return false
    const { letter, start } = cursor.view
    return letter === I || cursor.fail(start, `expected a record of type "I", found "${String.fromCharCode(letter)}"`)
  },
  order: (a, b) => compareSrcs(a.stamp, b.stamp),
  take: (best, { view }) => best.view.copyFrom(view),
  join: (best, { view }) => {
    if (compareRank(best.view, view) < 0) best.view.copyFrom(view)
  },
  emit: ({ view }, output) => output.add(view.bytes, view.start, view.end),
}

function isState(tlv: Uint8Array): boolean {
  return isSorted(tlv, RULES)
}

function shareAt({ view }: RecordCursor): bigint {
  return view.stamp.dead ? 0n : unzipInt64(view.bytes.subarray(view.valueStart, view.end))
}

function sum(tlv: Uint8Array): bigint {
  const cursor = RULES.cursor(tlv)
  let total = 0n
  while (RULES.next(cursor)) total += shareAt(cursor)
  return total
}

function single(stamp: Stamp, share: bigint): Uint8Array {
  const value = zipInt64(int64(share))
  return new TlvWriter(32).begin('I').tiny('T', encodeStamp(stamp)).raw(value).end().copy()
}

/** Type Z. See the head of this file. */
export const Z: RdxType<bigint, bigint | number> = completeSorted(RULES, {
  letter: 'Z',
  string: (tlv, form = 'exact') => {
    if (!isState(tlv)) return undefined
    if (form === 'plain') return sum(tlv).toString()
    const text = new TextWriter().ascii('Z<')
    const cursor = RULES.cursor(tlv)
    for (let comma = ''; RULES.next(cursor); comma = ',') text.ascii(comma).element(cursor.view, true)
    return text.ascii('>').finish()
  },
  read: (reader, writer) => {
    if (reader.peek() !== 0x5a) {
      const share = reader.integer(-(2n ** 63n), 2n ** 63n - 1n)
      if (share !== 0n) writer.raw(single(ZERO_STAMP, share))
      return
    }
    let last = -1n
    reader.list('Z<', '>', () => {
      reader.peek()
      const { at } = reader
      reader.value()
      if (reader.letter !== 'I') throw reader.fail('expected an integer', at)
      const stamp = reader.stamp()
      if (stamp.src <= last) {
        throw reader.fail(stamp.src === last ? 'the author stands twice' : 'the authors are not in order', at)
      }
      last = stamp.src
      writer.begin('I').tiny('T', encodeStamp(stamp)).raw(reader.bytes).end()
    })
  },
  tlv: (native) => {
    const share = wholeNumber(native)
    return share === 0n ? new Uint8Array(0) : single(ZERO_STAMP, share)
  },
  plain: (tlv) => (isState(tlv) ? sum(tlv) : undefined),
  delta: (tlv, native, src = 0n) => {
    const now = isState(tlv) ? tlv : new Uint8Array(0)
    const more = wholeNumber(native) - sum(now)
    if (more === 0n) return new Uint8Array(0)
    let share = more
    let rev = 0n
    const cursor = RULES.cursor(now)
    while (RULES.next(cursor)) {
      if (cursor.view.stamp.src !== src) continue
      share += shareAt(cursor)
      rev = cursor.view.stamp.abs
    }
    if (share !== BigInt.asIntN(64, share)) {
      throw valueError(`The counter cannot reach ${native}: the share of author ${src} would not fit in 64 bits.`)
    }
    return single({ rev: nextRev(rev), src: author(src) }, share)
  },
})
