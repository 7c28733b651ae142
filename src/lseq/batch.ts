/**
 * Entries side by side: keys and values of many entries in two byte strings, so that walking hundreds of thousands of
 * them makes no garbage but what the reader asks for.
 * @module
 */
import { compareBytes } from '../base/bytes.js'
import { LSEQ_BYTES } from './lseq.js'

/** Most bytes of a full key, and of a value: what fits into a page however large the rest of it is. */
export const KEY_LIMIT = 1 << 16
export const VALUE_LIMIT = 1 << 25

/** One entry: the full key, which ends in the entry's lseq, and the value. */
export interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/**
 * Refuses what cannot be an entry.
 *
 * @throws {RangeError} for a key under 8 bytes or over `KEY_LIMIT`, and for a value over `VALUE_LIMIT`.
 */
export function assertEntry(key: Uint8Array, value: Uint8Array): void {
  if (key.length < LSEQ_BYTES || key.length > KEY_LIMIT) {
    throw new RangeError(`key: expected ${LSEQ_BYTES} to ${KEY_LIMIT} bytes, got ${key.length}`)
  }
  if (value.length > VALUE_LIMIT) {
    throw new RangeError(`value: expected at most ${VALUE_LIMIT} bytes, got ${value.length}`)
  }
}

/** Entries with `gte <= key < lt`. */
export interface EntryRange {
  readonly gte?: Uint8Array | undefined
  readonly lt?: Uint8Array | undefined
}

/**
 * Some consecutive entries, in the order of the scan that gave them.
 *
 * `key(i)` and `value(i)` are views, 50 ns each. A hot loop may read the columns instead: entry `i` has its key at
 * `keys[keyStarts[i], keyEnds[i])` and its value at `values[valueStarts[i], valueEnds[i])`. All of it is shared with
 * the cache: read only.
 */
export class EntryBatch {
  readonly count: number
  readonly keys: Uint8Array
  readonly keyStarts: Uint32Array
  readonly keyEnds: Uint32Array
  readonly values: Uint8Array
  readonly valueStarts: Uint32Array
  readonly valueEnds: Uint32Array

  constructor(
    keys: Uint8Array,
    keyStarts: Uint32Array,
    keyEnds: Uint32Array,
    values: Uint8Array,
    valueStarts: Uint32Array,
    valueEnds: Uint32Array,
  ) {
    this.count = keyStarts.length
    this.keys = keys
    this.keyStarts = keyStarts
    this.keyEnds = keyEnds
    this.values = values
    this.valueStarts = valueStarts
    this.valueEnds = valueEnds
  }

  key(i: number): Uint8Array {
    return this.keys.subarray(this.keyStarts[i], this.keyEnds[i])
  }

  value(i: number): Uint8Array {
    return this.values.subarray(this.valueStarts[i], this.valueEnds[i])
  }

  /** The first index at or above which keys are not below `key`; `count` when all are. For ascending batches. */
  lowerBound(key: Uint8Array): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareBytes(this.key(middle), key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The entries `[from, to)`, shared. */
  slice(from: number, to: number): EntryBatch {
    if (from === 0 && to === this.count) return this
    return new EntryBatch(
      this.keys,
      this.keyStarts.subarray(from, to),
      this.keyEnds.subarray(from, to),
      this.values,
      this.valueStarts.subarray(from, to),
      this.valueEnds.subarray(from, to),
    )
  }

  /** The same entries, last first. */
  reversed(): EntryBatch {
    return new EntryBatch(
      this.keys,
      this.keyStarts.toReversed(),
      this.keyEnds.toReversed(),
      this.values,
      this.valueStarts.toReversed(),
      this.valueEnds.toReversed(),
    )
  }

  *[Symbol.iterator](): Iterator<Entry> {
    for (let i = 0; i < this.count; i++) yield { key: this.key(i), value: this.value(i) }
  }

  /** Copies entries into a batch of their own. */
  static from(entries: readonly Entry[]): EntryBatch {
    const [keys, keyStarts, keyEnds] = column(entries.map(({ key }) => key))
    const [values, valueStarts, valueEnds] = column(entries.map(({ value }) => value))
    return new EntryBatch(keys, keyStarts, keyEnds, values, valueStarts, valueEnds)
  }
}

function column(parts: readonly Uint8Array[]): [bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array] {
  const ends = new Uint32Array(parts.length)
  const starts = new Uint32Array(parts.length)
  let length = 0
  parts.forEach((part, i) => {
    starts[i] = length
    length += part.length
    ends[i] = length
  })
  const bytes = new Uint8Array(length)
  parts.forEach((part, i) => {
    bytes.set(part, starts[i])
  })
  return [bytes, starts, ends]
}
