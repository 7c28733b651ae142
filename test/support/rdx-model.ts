/**
 * The replicated types once more, as plainly as they can be put: values as objects, merges as loops over dictionaries,
 * bytes by the functions for single records. What the fast ones must agree with, byte for byte.
 * @module
 */
import { concatBytes, toHex } from '../../src/base/bytes.js'
import { encodeNative, type Native } from '../../src/rdx/native.js'
import type { Stamp } from '../../src/rdx/stamp.js'
import { encodeRecord, encodeTiny, type Letter, TlvReader } from '../../src/rdx/tlv.js'
import { unzipUint64Pair, zagZig64, zigZag64, zipUint64Pair } from '../../src/rdx/zip.js'

/** An element. */
export interface Item {
  readonly letter: Letter
  readonly rev: bigint
  readonly src: bigint
  readonly value: Uint8Array
}

export function itemOf(native: Native, { rev, src }: Stamp): Item {
  return { ...encodeNative(native), rev, src }
}

export function bareItem({ rev, src, value }: Item): Uint8Array {
  return concatBytes(encodeTiny('T', zipUint64Pair(zigZag64(rev), src)), value)
}

export function encodeItem(item: Item): Uint8Array {
  return encodeRecord(item.letter, bareItem(item))
}

function decodeItems(body: Uint8Array): Item[] {
  const reader = new TlvReader(body)
  const items: Item[] = []
  for (let record = reader.next(); record !== undefined; record = reader.next()) {
    items.push(decodeItem(record.type as Letter, body.subarray(record.bodyStart, record.bodyEnd)))
  }
  return items
}

function decodeItem(letter: Letter, bare: Uint8Array): Item {
  const inner = new TlvReader(bare)
  const { big, lil } = unzipUint64Pair(inner.tiny('T'))
  return { letter, rev: zagZig64(big), src: lil, value: bare.subarray(inner.offset) }
}

/** Identity, in an order that comparing strings gives: hex digits sort as their bytes do. */
function identity({ letter, value }: Item): string {
  return letter + toHex(value)
}

/** What a rank is made of, most significant first; the letter counts in reverse. */
function rank({ letter, rev, src, value }: Item): (bigint | string)[] {
  return [rev < 0n ? -rev : rev, rev < 0n ? 1n : 0n, toHex(value), src, String.fromCharCode(255 - letter.charCodeAt(0))]
}

function higher(a: Item, b: Item): Item {
  const [x, y] = [rank(a), rank(b)]
  for (let i = 0; i < x.length; i++) {
    const [p, q] = [x[i] as bigint, y[i] as bigint]
    if (p !== q) return p > q ? a : b
  }
  return a
}

function sortedBy<T>(items: readonly T[], key: (item: T) => bigint | string): T[] {
  return [...items].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
}

/** The null term stamped {0,0}. */
const NOTHING: Item = { letter: 'T', rev: 0n, src: 0n, value: new Uint8Array(0) }

/** Bodies of items in any order, with repetitions: one item for each key, the highest of its rank, sorted by key. */
function joined(items: readonly Item[], key: (item: Item) => bigint | string): Uint8Array {
  const winners = new Map<bigint | string, Item>()
  for (const item of items) winners.set(key(item), higher(item, winners.get(key(item)) ?? item))
  return concatBytes(...sortedBy([...winners.values()], key).map(encodeItem))
}

/** A state of type E that holds these elements. */
export function setOf(items: readonly Item[]): Uint8Array {
  return joined(items, identity)
}

/** A state of type Z that holds these elements of type I. */
export function sharesOf(items: readonly Item[]): Uint8Array {
  return joined(items, ({ src }) => src)
}

/** A state of type M that holds these pairs. */
export function mapOf(pairs: readonly (readonly [Item, Item])[]): Uint8Array {
  const winners = new Map<string, readonly [Item, Item]>()
  for (const [key, value] of pairs) {
    const [otherKey, otherValue] = winners.get(identity(key)) ?? [key, value]
    winners.set(identity(key), [higher(key, otherKey), higher(value, otherValue)])
  }
  const sorted = sortedBy([...winners], ([key]) => key)
  return concatBytes(...sorted.flatMap(([, pair]) => pair.map(encodeItem)))
}

/** A state of type N or V, of pairs (value, src). */
export function pairsOf(letter: 'U' | 'V', pairs: readonly (readonly [bigint, bigint])[]): Uint8Array {
  const greatest = new Map<bigint, bigint>()
  for (const [value, src] of pairs) if (value > (greatest.get(src) ?? 0n)) greatest.set(src, value)
  const sorted = sortedBy([...greatest], ([src]) => src)
  return concatBytes(...sorted.map(([src, value]) => encodeRecord(letter, zipUint64Pair(value, src))))
}

function decodePairs(letter: 'U' | 'V', body: Uint8Array): [bigint, bigint][] {
  const reader = new TlvReader(body)
  const pairs: [bigint, bigint][] = []
  while (!reader.atEnd) {
    const { big, lil } = unzipUint64Pair(reader.expect(letter))
    pairs.push([big, lil])
  }
  return pairs
}

/** Merges states of one type, all of them valid. */
export function modelMerge(letter: Letter, states: readonly Uint8Array[]): Uint8Array {
  switch (letter) {
    case 'E':
      return setOf(states.flatMap(decodeItems))
    case 'Z':
      return sharesOf(states.flatMap(decodeItems))
    case 'N':
      return pairsOf(
        'U',
        states.flatMap((state) => decodePairs('U', state)),
      )
    case 'V':
      return pairsOf(
        'V',
        states.flatMap((state) => decodePairs('V', state)),
      )
    case 'M':
      return mapOf(
        states.flatMap((state) => {
          const items = decodeItems(state)
          return items.flatMap((item, i) => (i % 2 === 0 ? [[item, items[i + 1] ?? NOTHING] as const] : []))
        }),
      )
    default: {
      const items = states.map((state) => decodeItem(letter, state))
      return bareItem(items.reduce(higher, { ...NOTHING, letter }))
    }
  }
}
