/**
 * Changes entries behind the program's back: straight in the store, in pages too, with every checksum of the storage
 * made right again. What is left to find it are signatures and hashes.
 * @module
 */
import { compareBytes } from '../../src/base/bytes.js'
import { KINDS as ALL_KINDS } from '../../src/history/keys.js'
import type { Entry } from '../../src/lseq/batch.js'
import { openLevelStore } from '../../src/lseq/level.js'
import { decodePage, encodePageSync } from '../../src/lseq/page.js'
import type { Operation, Store } from '../../src/lseq/store.js'
import type { Random } from './random.js'

/** The kinds of entries that are the truth, by letter: all but the indexes derived from them, on which nothing may rest. */
export const KINDS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(ALL_KINDS).filter(([kind]) => kind !== 'I' && kind !== 'X'),
)

const LOOSE = 'e'.charCodeAt(0)
const PAGE = 'p'.charCodeAt(0)

/** An entry and where it lies. */
export interface Place extends Entry {
  /** The kind's letter. */
  readonly kind: string
  /** Key in the store of the page that holds it; undefined for a loose one. */
  readonly page: Uint8Array | undefined
}

/** The entries of a store, open to be spoilt. Derived indexes are left out. */
export class Entries implements AsyncDisposable {
  readonly all: readonly Place[]
  readonly #store: Store

  private constructor(store: Store, all: readonly Place[]) {
    this.#store = store
    this.all = all
  }

  /** @param directory - The LevelDB: `.weft/store`. */
  static async open(directory: string): Promise<Entries> {
    const store = await openLevelStore(directory, { create: false })
    const all: Place[] = []
    const add = ({ key, value }: Entry, page: Uint8Array | undefined): void => {
      const kind = String.fromCharCode(key[0] as number)
      if (kind in KINDS) all.push({ key, value, kind, page })
    }
    for await (const pairs of store.scan({ gte: Uint8Array.of(LOOSE), lt: Uint8Array.of(LOOSE + 1) })) {
      for (const [key, value] of pairs) add({ key: key.slice(1), value: value.slice() }, undefined)
    }
    for await (const pairs of store.scan({ gte: Uint8Array.of(PAGE), lt: Uint8Array.of(PAGE + 1) })) {
      for (const [page, bytes] of pairs) for (const entry of decodePage(bytes)) add(entry, page)
    }
    return new Entries(store, all)
  }

  /** Entries of one kind, of all kinds without one. */
  of(kind: string): readonly Place[] {
    return this.all.filter((entry) => entry.kind === kind)
  }

  /** Gives an entry another value. */
  async setValue(place: Place, value: Uint8Array): Promise<void> {
    await this.#change(place, { key: place.key, value })
  }

  /** Puts an entry's value under another key in its stead. */
  async setKey(place: Place, key: Uint8Array): Promise<void> {
    await this.#change(place, undefined)
    await this.put({ key, value: place.value })
  }

  /** Takes an entry away. */
  async remove(place: Place): Promise<void> {
    await this.#change(place, undefined)
  }

  /** Adds a loose entry. */
  async put(entry: Entry): Promise<void> {
    await this.#store.batch([{ type: 'put', key: Buffer.concat([Buffer.of(LOOSE), entry.key]), value: entry.value }])
  }

  async #change(place: Place, entry: Entry | undefined): Promise<void> {
    if (place.page === undefined) {
      const key = Buffer.concat([Buffer.of(LOOSE), place.key])
      await this.#store.batch([entry === undefined ? { type: 'del', key } : { type: 'put', key, value: entry.value }])
      return
    }
    const page = (await this.#store.get(place.page)) as Uint8Array
    const entries = [...decodePage(page)].flatMap((other) => {
      if (compareBytes(other.key, place.key) !== 0) return [other]
      return entry === undefined ? [] : [entry]
    })
    const operations: Operation[] = [{ type: 'del', key: place.page }]
    const last = entries.at(-1)
    if (last !== undefined) {
      const key = Buffer.concat([Buffer.of(PAGE), last.key])
      operations.push({ type: 'put', key, value: encodePageSync(entries, { quality: 1 }) })
    }
    await this.#store.batch(operations)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.close()
  }
}

/** A copy of `bytes`, of which at least one is needed, with one bit flipped. */
export function flipped(bytes: Uint8Array, chance: Random): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const at = chance.below(copy.length)
  copy[at] = (copy[at] as number) ^ (1 << chance.below(8))
  return copy
}

/** One of `items`. */
export function pick<T>(items: readonly T[], chance: Random): T {
  if (items.length === 0) throw new RangeError('items: expected some, got none')
  return items[chance.below(items.length)] as T
}
