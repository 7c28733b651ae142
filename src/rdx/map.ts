/**
 * Type M, the map from elements to elements, of any types.
 *
 *     bare     | key | value | key | value | ...   enveloped elements, ascending by the keys' identities
 *     text     {key{rev,src}:value{rev,src},...}   plain: {key:value,...} of the living; {:} when empty
 *     native   array of [key, value] in that order; given in any order, the last of equal keys counting
 *
 * The key's identity is (letter, value). Key and value have a stamp each, and each is merged by rank on its own: a value
 * written while the key was removed elsewhere is still the value when the key comes back. A pair is visible if neither is
 * a tombstone.
 *
 * A removal may arrive as a lone key, without a value: only as the last element of a body, since before another element it
 * could not be told from a key with its value. The pair is written for it, with the null term stamped {0,0} as its value,
 * which ranks below every other.
 *
 * As in a set, a change is stamped one above the highest |rev| of the whole map.
 * @module
 */
import { compareBytes } from '../base/bytes.js'
import {
  compareIdentity,
  compareRanges,
  compareRank,
  ElementView,
  type FirstLetter,
  isFirst,
  RecordCursor,
  T,
  writeElement,
} from './element.js'
import { author, decodeNative, encodeNative, type Native, pairsOf } from './native.js'
import { isSorted, lastRev, type SortedRules } from './sorted.js'
import { completeSorted } from './sorted-type.js'
import { encodeStamp, nextRev, type Stamp, ZERO_STAMP } from './stamp.js'
import { TextOrder } from './text-order.js'
import { TextWriter } from './text-writer.js'
import { TlvWriter } from './tlv.js'
import type { RdxType } from './type.js'

/** The value of a key that came alone: the null term with the stamp {0,0}. */
const NOTHING = Uint8Array.of(0x74, 0x01, 0x30)

/** Walks pairs: `view` is the key, `value` the value. */
class PairCursor extends RecordCursor {
  readonly value = new ElementView()

  override trust(): this {
    this.value.trusted = true
    return super.trust()
  }

  nextPair(): boolean {
    if (!this.nextElement()) return false
    const { view, value, offset } = this
    if (offset === this.end) {
      if (!view.stamp.dead) return this.fail(view.start, 'the key has no value')
      value.readBare(NOTHING, T, 2)
      value.start = 0
      return true
    }
    // The key's place is kept while the walk goes on to the value.
    const { start, bodyStart, end, letter } = view
    if (!this.next()) return false
    const { start: valueAt, bodyStart: valueBody, end: valueEnd, letter: valueLetter } = view
    view.start = start
    view.bodyStart = bodyStart
    view.end = end
    view.letter = letter
    if (!isFirst(valueLetter)) {
      return this.fail(valueAt, `no element has the type "${String.fromCharCode(valueLetter)}"`)
    }
    const fault = value.readBare(view.bytes, valueLetter, valueBody, valueEnd)
    value.start = valueAt
    return fault === undefined || this.fail(fault.offset, fault.rule)
  }

  /** Whether the pair is there for who reads the map. */
  get visible(): boolean {
    return !this.view.stamp.dead && !this.value.stamp.dead
  }
}

const RULES: SortedRules<PairCursor> = {
  slack: NOTHING.length,
  cursor: (body) => new PairCursor(body),
  next: (cursor) => cursor.nextPair(),
  beside: ({ value }) => value,
  order: compareIdentity,
  take: (best, { view, value }) => {
    best.view.copyFrom(view)
    best.value.copyFrom(value)
  },
  join: (best, { view, value }) => {
    if (compareRank(best.view, view) < 0) best.view.copyFrom(view)
    if (compareRank(best.value, value) < 0) best.value.copyFrom(value)
  },
  emit: ({ view, value }, output) => {
    output.add(view.bytes, view.start, view.end)
    output.add(value.bytes, value.start, value.end)
  },
}

function isState(tlv: Uint8Array): boolean {
  return isSorted(tlv, RULES)
}

function encode(natives: Iterable<readonly [Native, Native]>): Uint8Array {
  const pairs = pairsOf(natives).map(([key, value], place) => ({
    key: encodeNative(key),
    value: encodeNative(value),
    place,
  }))
  pairs.sort(
    (a, b) =>
      a.key.letter.charCodeAt(0) - b.key.letter.charCodeAt(0) ||
      compareBytes(a.key.value, b.key.value) ||
      a.place - b.place,
  )
  const writer = new TlvWriter(64)
  pairs.forEach(({ key, value }, i) => {
    const after = pairs[i + 1]?.key
    if (after?.letter === key.letter && compareBytes(after.value, key.value) === 0) return
    writeElement(writer, key.letter, ZERO_STAMP, key.value)
    writeElement(writer, value.letter, ZERO_STAMP, value.value)
  })
  return writer.copy()
}

/** Appends an element as it is, with another stamp. */
function restamp(writer: TlvWriter, view: ElementView, stamp: Stamp): void {
  const letter = String.fromCharCode(view.letter) as FirstLetter
  writer.begin(letter).tiny('T', encodeStamp(stamp)).raw(view.bytes.subarray(view.valueStart, view.end)).end()
}

function keep(writer: TlvWriter, { bytes, start, end }: ElementView): void {
  writer.raw(bytes.subarray(start, end))
}

function sameValue(a: ElementView, b: ElementView): boolean {
  return a.letter === b.letter && compareRanges(a.bytes, a.valueStart, a.end, b.bytes, b.valueStart, b.end) === 0
}

/** Type M. See the head of this file. */
export const M: RdxType<[Native, Native][], Iterable<readonly [Native, Native]>> = completeSorted(RULES, {
  letter: 'M',
  string: (tlv, form = 'exact') => {
    if (!isState(tlv)) return undefined
    const exact = form === 'exact'
    const text = new TextWriter(2 * tlv.length + 16).ascii('{')
    let comma = ''
    const cursor = RULES.cursor(tlv)
    while (RULES.next(cursor)) {
      if (!exact && !cursor.visible) continue
      text.ascii(comma).element(cursor.view, exact).ascii(':').element(cursor.value, exact)
      comma = ','
    }
    return text.ascii(comma === '' ? ':}' : '}').finish()
  },
  read: (reader, writer) => {
    reader.peek()
    const start = reader.at
    reader.expect('{')
    if (reader.take(':')) return reader.expect('}')
    reader.at = start
    const order = new TextOrder()
    reader.list('{', '}', () => {
      reader.peek()
      const { at } = reader
      reader.element(writer)
      order.check(reader, at)
      reader.expect(':')
      reader.element(writer)
    })
  },
  tlv: encode,
  plain: (tlv) => {
    if (!isState(tlv)) return undefined
    const natives: [Native, Native][] = []
    const cursor = RULES.cursor(tlv)
    while (RULES.next(cursor)) {
      if (cursor.visible) natives.push([decodeNative(cursor.view), decodeNative(cursor.value)])
    }
    return natives
  },
  delta: (tlv, natives, src = 0n) => {
    const now = isState(tlv) ? tlv : new Uint8Array(0)
    const abs = lastRev(now, RULES)
    const writer = new TlvWriter(64)
    const [a, b] = [RULES.cursor(now), RULES.cursor(encode(natives))]
    let [inNow, inWished] = [RULES.next(a), RULES.next(b)]
    const stamp = (): Stamp => ({ rev: nextRev(abs), src: author(src) })
    while (inNow || inWished) {
      const order = !inNow ? 1 : !inWished ? -1 : compareIdentity(a.view, b.view)
      if (order > 0) {
        restamp(writer, b.view, stamp())
        restamp(writer, b.value, stamp())
      } else if (order < 0) {
        if (a.visible) {
          restamp(writer, a.view, { rev: -nextRev(abs), src: author(src) })
          writer.raw(NOTHING)
        }
      } else {
        const keepsValue = !a.value.stamp.dead && sameValue(a.value, b.value)
        if (a.view.stamp.dead) restamp(writer, a.view, stamp())
        else if (!keepsValue) keep(writer, a.view)
        if (!keepsValue) restamp(writer, b.value, stamp())
        else if (a.view.stamp.dead) keep(writer, a.value)
      }
      if (order <= 0) inNow = RULES.next(a)
      if (order >= 0) inWished = RULES.next(b)
    }
    return writer.copy()
  },
})
