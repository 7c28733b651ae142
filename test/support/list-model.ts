/**
 * Lists, slow and obvious: the oracle of src/rdx/list.ts. Items are objects in a `Map`, trees are walked by recursion, and
 * bytes are put together from parts. It shares no code with what it checks but the encoders of records and numbers.
 * @module
 */
import { compareBytes, concatBytes, encodeUtf8, fromLatin1, toLatin1 } from '../../src/base/bytes.js'
import { encodeRecord, encodeTiny, type Letter } from '../../src/rdx/tlv.js'
import { zigZag64, zipInt64, zipUint, zipUint64Pair } from '../../src/rdx/zip.js'

/** An id, or a stamp. */
export interface Stamp {
  readonly rev: bigint
  readonly src: bigint
}

/** What is known of one element. */
export interface Item {
  readonly id: Stamp
  /** What it was inserted after; `undefined` when not known. */
  readonly after: Stamp | undefined
  readonly stamp: Stamp
  readonly letter: Letter
  readonly value: Uint8Array
}

export const START: Stamp = { rev: 0n, src: 0n }

export const key = ({ rev, src }: Stamp): string => `${rev},${src}`
const abs = (n: bigint): bigint => (n < 0n ? -n : n)
const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)
const byAge = (a: Stamp, b: Stamp): number => compare(a.rev, b.rev) || compare(a.src, b.src)
const byAuthor = (a: Stamp, b: Stamp): number => compare(a.src, b.src) || compare(a.rev, b.rev)
const idOf = ({ rev, src }: Stamp): Stamp => ({ rev: abs(rev), src })

/** A number below, at or above 0, as the rank of `a` is to that of `b`. */
function byRank(a: Item, b: Item): number {
  return (
    compare(abs(a.stamp.rev), abs(b.stamp.rev)) ||
    compare(BigInt(a.stamp.rev < 0n), BigInt(b.stamp.rev < 0n)) ||
    compareBytes(a.value, b.value) ||
    compare(a.stamp.src, b.stamp.src) ||
    (a.letter < b.letter ? 1 : a.letter > b.letter ? -1 : 0)
  )
}

/** Joins any items into one for each id. */
export function join(...lists: readonly (readonly Item[])[]): Item[] {
  const known = new Map<string, Item>()
  for (const item of lists.flat()) {
    const other = known.get(key(item.id))
    if (other === undefined) {
      known.set(key(item.id), item)
      continue
    }
    const places = [item.after, other.after].filter((place) => place !== undefined).sort(byAge)
    known.set(key(item.id), { ...(byRank(item, other) > 0 ? item : other), after: places[0] })
  }
  return [...known.values()]
}

/** Items in reading order, without those adrift; no two have one id. */
export function read(items: readonly Item[], after: Stamp = START): Item[] {
  const next = items.filter((item) => item.after !== undefined && key(item.after) === key(after))
  next.sort((a, b) => -byAge(a.id, b.id))
  return next.flatMap((item) => [item, ...read(items, item.id)])
}

/** Items in canonical order. */
export function canonical(items: readonly Item[]): Item[] {
  const reached = read(items)
  const adrift = items.filter((item) => !reached.includes(item))
  return [...reached, ...adrift.sort((a, b) => byAuthor(a.id, b.id))]
}

/** Keys of values as a list shows them. */
export function shown(items: readonly Item[]): string[] {
  return read(items)
    .filter(({ stamp }) => stamp.rev >= 0n)
    .map(({ letter, value }) => letter + toLatin1(value))
}

const stampBytes = ({ rev, src }: Stamp): Uint8Array => encodeTiny('T', zipUint64Pair(zigZag64(rev), src))

/** Bytes of one element. */
export const elementBytes = ({ letter, stamp, value }: Item): Uint8Array =>
  encodeRecord(letter, concatBytes(stampBytes(stamp), value))

/** Bytes of items, which must have one for each id, in the order given: canonical if that is. */
export function encode(items: readonly Item[]): Uint8Array {
  const links: Uint8Array[] = []
  let before = START
  let skip = 0
  for (const { id, after, stamp } of items) {
    const rewritten = key(id) !== key(idOf(stamp))
    const follows = after !== undefined && key(after) === key(before)
    before = id
    if (follows && !rewritten) {
      skip++
      continue
    }
    const form = after === undefined ? 3 : follows ? 1 : rewritten ? 2 : 0
    links.push(encodeTiny('U', zipUint(4 * skip + form)))
    if (form > 0) links.push(stampBytes(id))
    if (after !== undefined && !follows) links.push(stampBytes(after))
    skip = 0
  }
  const block = links.length === 0 ? [] : [encodeRecord('A', Buffer.concat(links))]
  return Buffer.concat([...block, ...items.map(elementBytes)])
}

/** Bytes of whatever items, joined. */
export const state = (...lists: readonly (readonly Item[])[]): Uint8Array => encode(canonical(join(...lists)))

/** What a version vector that covers the items is made of: the greatest |rev| by author. */
export function vectorOf(items: readonly Item[]): Map<bigint, bigint> {
  const greatest = new Map<bigint, bigint>()
  for (const { id, after, stamp } of items) {
    for (const { rev, src } of after === undefined ? [stamp] : [stamp, id]) {
      const high = abs(rev)
      if (high > (greatest.get(src) ?? 0n)) greatest.set(src, high)
    }
  }
  return greatest
}

/** Values that tests choose from, by small numbers: all types, equal bytes of different types, and long ones. */
export const VALUES: readonly (readonly [Letter, Uint8Array])[] = [
  ['I', zipInt64(1n)],
  ['I', zipInt64(-1n)],
  ['S', encodeUtf8('a')],
  ['T', encodeUtf8('a')],
  ['S', encodeUtf8('')],
  ['T', encodeUtf8('')],
  ['F', fromLatin1('\xfc\x0f')],
  ['R', fromLatin1('')],
  ['R', fromLatin1('\x02\x01')],
  ['I', zipInt64(-(2n ** 63n))],
  ['S', encodeUtf8('\u{1f9f6} "\\\n')],
  ['I', zipInt64(2n)],
  ['S', encodeUtf8('b'.repeat(256))],
]

/** One too long to be tried often. */
export const HUGE: readonly [Letter, Uint8Array] = ['S', encodeUtf8('weft '.repeat(14_000))]

/** A stored stamp as text. */
export const stampText = ({ rev, src }: Stamp): string => `{${rev},${src}}`
