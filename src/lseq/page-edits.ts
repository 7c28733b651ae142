/**
 * Taking entries out of a store, which is done to damage and to nothing else: entries never change, and whoever writes puts
 * new ones.
 *
 * A page that is damaged goes as a whole, and what it should have held is packed into one at its place. A readable page that
 * holds something wrong is packed anew without that. All other pages stay as they are, to the byte.
 * @module
 */
import { compareBytes, equalBytes, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { Entry } from './batch.js'
import { decodePage, encodePage } from './page.js'
import { LOOSE, PAGE, storeKey } from './pages.js'
import type { Operation, Store } from './store.js'

/** A page that is to be another one, and what it is to hold. */
interface Edit {
  /** Its key in the store, without the `p`. */
  readonly last: Uint8Array
  /** Keys up to this one belong to the page before; undefined for the first page. */
  readonly after: Uint8Array | undefined
  entries: Entry[]
}

export class PageEdits {
  readonly #store: Store
  /** By key of the page, a binary string. */
  readonly #edits = new Map<string, Edit>()
  readonly #operations: Operation[] = []

  constructor(store: Store) {
    this.#store = store
  }

  /** Takes out a page that cannot be read, or does not lie where it should: what can be read of it at its place is kept. */
  async drop(last: Uint8Array): Promise<void> {
    const edit = await this.#edit(last)
    const { after } = edit
    if (after !== undefined) edit.entries = edit.entries.filter(({ key }) => compareBytes(key, after) > 0)
  }

  /** Takes out an entry, wherever it lies. */
  async remove(key: Uint8Array): Promise<void> {
    this.#operations.push({ type: 'del', key: storeKey(LOOSE, key) })
    const last = await this.#pageOver(key)
    if (last === undefined) return
    const known = this.#edits.get(toLatin1(last))
    const entries = known?.entries ?? (await this.#read(last))
    if (!entries.some((entry) => equalBytes(entry.key, key))) return
    const edit = known ?? (await this.#edit(last))
    edit.entries = edit.entries.filter((entry) => !equalBytes(entry.key, key))
  }

  /**
   * Puts entries that are not there: into a page that is being made anew where one covers their place, else loose.
   *
   * @returns All writes, to be made in one batch.
   */
  async finish(added: readonly Entry[]): Promise<Operation[]> {
    const operations: Operation[] = [...this.#operations]
    const edits = [...this.#edits.values()].sort((a, b) => compareBytes(a.last, b.last))
    for (const entry of added) {
      const { key, value } = entry
      const edit = edits.find((one) => compareBytes(key, one.last) <= 0)
      const isIts = edit !== undefined && edit.last[0] === key[0] && isAfter(key, edit.after)
      if (isIts) edit.entries.push(entry)
      else operations.push({ type: 'put', key: storeKey(LOOSE, key), value })
    }
    for (const { last } of edits) operations.push({ type: 'del', key: storeKey(PAGE, last) })
    for (const { entries } of edits) {
      entries.sort((a, b) => compareBytes(a.key, b.key))
      const end = entries.at(-1)
      if (end !== undefined)
        operations.push({ type: 'put', key: storeKey(PAGE, end.key), value: await encodePage(entries) })
    }
    return operations
  }

  async #edit(last: Uint8Array): Promise<Edit> {
    const name = toLatin1(last)
    const known = this.#edits.get(name)
    if (known !== undefined) return known
    const edit = { last, after: await this.#before(last), entries: await this.#read(last) }
    this.#edits.set(name, edit)
    return edit
  }

  /** The entries of a page; none of one that cannot be read. */
  async #read(last: Uint8Array): Promise<Entry[]> {
    const page = await this.#store.get(storeKey(PAGE, last))
    try {
      const entries = page === undefined ? [] : [...decodePage(page)]
      return entries.length > 0 && equalBytes((entries.at(-1) as Entry).key, last) ? entries : []
    } catch (error) {
      if (error instanceof CodedError) return []
      throw error
    }
  }

  /** Key of the page that may hold an entry. */
  #pageOver(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#first({ gte: storeKey(PAGE, key), lt: Uint8Array.of(PAGE + 1) })
  }

  #before(last: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#first({ gte: Uint8Array.of(PAGE), lt: storeKey(PAGE, last), reverse: true })
  }

  async #first(range: { gte: Uint8Array; lt: Uint8Array; reverse?: boolean }): Promise<Uint8Array | undefined> {
    for await (const keys of this.#store.keys({ ...range, limit: 1 })) return keys[0]?.slice(1)
    return undefined
  }
}

function isAfter(key: Uint8Array, after: Uint8Array | undefined): boolean {
  return after === undefined || compareBytes(key, after) > 0
}
