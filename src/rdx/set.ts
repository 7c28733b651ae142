/**
 * Type E, the set of elements of any types.
 *
 *     bare     | element | element | ...       enveloped, ascending by identity, one for each identity
 *     text     {value{rev,src},...}            plain: {value,...} of the living
 *     native   array of native values in that order; given in any order, with repetitions
 *
 * Identity is (letter, value): 1 and 1.0 and "1" are three elements. Merge: the highest rank for each identity, so that an
 * add wins over a removal it has seen (its rev is higher), and a removal over an add of the same revision.
 *
 * A change is stamped one above the highest |rev| of the whole set, not of the element alone: an author's revisions then
 * grow from change to change, and a version vector says what has been seen.
 * @module
 */
import { compareBytes } from '../base/bytes.js'
import { compareIdentity, compareRank, ElementView, type FirstLetter, RecordCursor, writeElement } from './element.js'
import { author, decodeNative, type Encoded, encodeNative, itemsOf, type Native } from './native.js'
import { isSorted, lastRev, type SortedRules } from './sorted.js'
import { completeSorted } from './sorted-type.js'
import { nextRev, type Stamp, ZERO_STAMP } from './stamp.js'
import { TextOrder } from './text-order.js'
import { TextWriter } from './text-writer.js'
import { TlvWriter } from './tlv.js'
import type { RdxType } from './type.js'

const RULES: SortedRules<RecordCursor> = {
  slack: 0,
  cursor: (body) => new RecordCursor(body),
  next: (cursor) => cursor.nextElement(),
  order: compareIdentity,
  take: (best, { view }) => best.view.copyFrom(view),
  join: (best, { view }) => {
    if (compareRank(best.view, view) < 0) best.view.copyFrom(view)
  },
  emit: ({ view }, output) => output.add(view.bytes, view.start, view.end),
}

function isState(tlv: Uint8Array): boolean {
  return isSorted(tlv, RULES)
}

/** A state of native values that all have one stamp. */
function encode(natives: readonly Native[], stamp: Stamp): Uint8Array {
  const elements = natives.map(encodeNative)
  elements.sort((a, b) => a.letter.charCodeAt(0) - b.letter.charCodeAt(0) || compareBytes(a.value, b.value))
  const writer = new TlvWriter(64)
  let last: Encoded | undefined
  for (const element of elements) {
    const { letter, value } = element
    if (letter === last?.letter && compareBytes(value, last.value) === 0) continue
    last = element
    writeElement(writer, letter, stamp, value)
  }
  return writer.copy()
}

/** Type E. See the head of this file. */
export const E: RdxType<Native[], Iterable<Native>> = completeSorted(RULES, {
  letter: 'E',
  string: (tlv, form = 'exact') => {
    if (!isState(tlv)) return undefined
    const exact = form === 'exact'
    // Text is longer than bytes, but not much.
    const text = new TextWriter(2 * tlv.length + 16).ascii('{')
    let comma = ''
    const cursor = RULES.cursor(tlv)
    while (RULES.next(cursor)) {
      if (cursor.view.stamp.dead && !exact) continue
      text.ascii(comma).element(cursor.view, exact)
      comma = ','
    }
    return text.ascii('}').finish()
  },
  read: (reader, writer) => {
    const order = new TextOrder()
    reader.list('{', '}', () => {
      reader.peek()
      const { at } = reader
      reader.element(writer)
      order.check(reader, at)
    })
  },
  tlv: (natives) => encode(itemsOf(natives), ZERO_STAMP),
  plain: (tlv) => {
    if (!isState(tlv)) return undefined
    const natives: Native[] = []
    const cursor = RULES.cursor(tlv)
    while (RULES.next(cursor)) if (!cursor.view.stamp.dead) natives.push(decodeNative(cursor.view))
    return natives
  },
  delta: (tlv, natives, src = 0n) => {
    const now = isState(tlv) ? tlv : new Uint8Array(0)
    const wished = encode(itemsOf(natives), ZERO_STAMP)
    const changes: { rev: 1n | -1n; view: ElementView }[] = []
    // Both are sorted, so one walk over the two finds what only one of them has.
    const [a, b] = [RULES.cursor(now), RULES.cursor(wished)]
    let [inNow, inWished] = [RULES.next(a), RULES.next(b)]
    const change = (rev: 1n | -1n, { view }: RecordCursor): void => {
      const copy = new ElementView()
      copy.copyFrom(view)
      changes.push({ rev, view: copy })
    }
    while (inNow || inWished) {
      const order = !inNow ? 1 : !inWished ? -1 : compareIdentity(a.view, b.view)
      if (order < 0 && !a.view.stamp.dead) change(-1n, a)
      if (order > 0 || (order === 0 && a.view.stamp.dead)) change(1n, b)
      if (order <= 0) inNow = RULES.next(a)
      if (order >= 0) inWished = RULES.next(b)
    }
    if (changes.length === 0) return new Uint8Array(0)
    const rev = nextRev(lastRev(now, RULES))
    const writer = new TlvWriter(64)
    for (const { rev: sign, view } of changes) {
      const letter = String.fromCharCode(view.letter) as FirstLetter
      const value = view.bytes.subarray(view.valueStart, view.end)
      writeElement(writer, letter, { rev: sign * rev, src: author(src) }, value)
    }
    return writer.copy()
  },
})
