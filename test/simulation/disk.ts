/**
 * A store in memory that can lose power: what was not synced goes, from the end on, and a batch may be the last one.
 * @module
 */
import { CodedError } from '../../src/base/error.js'
import { openMemoryStore } from '../../src/lseq/memory.js'
import type { Operation, Pair, Range, ScanOptions, Store } from '../../src/lseq/store.js'

/** What stays when the process goes. */
export class Disk {
  readonly #store: Store
  /** How to take back each batch that was not synced, the oldest first. */
  #unsynced: Operation[][] = []
  /** The process that has it open; each has a number of its own, and those of before are dead. */
  #process = 0

  private constructor(store: Store) {
    this.#store = store
  }

  static async empty(): Promise<Disk> {
    return new Disk(await openMemoryStore())
  }

  /** The same with everything that is on this one. */
  async copy(): Promise<Disk> {
    const disk = await Disk.empty()
    const operations: Operation[] = []
    for await (const batch of this.#store.scan()) {
      for (const [key, value] of batch) {
        operations.push({ type: 'put', key: Uint8Array.from(key), value: Uint8Array.from(value) })
      }
    }
    if (operations.length > 0) await disk.#store.batch(operations)
    return disk
  }

  /** Opens it; whoever had it open before has lost it. */
  open(): DiskStore {
    this.#process++
    return new DiskStore(this, this.#process)
  }

  /** Power is cut: of what was not synced only so many batches are left. */
  async lose(keep: (unsynced: number) => number): Promise<void> {
    this.#process++
    const kept = keep(this.#unsynced.length)
    for (const operations of this.#unsynced.slice(kept).reverse()) await this.#store.batch(operations)
    this.#unsynced = []
  }

  /** For the stores that were opened. */
  inner(process: number): Store {
    if (process === this.#process) return this.#store
    throw new CodedError('STORE_CLOSED', 'The process is gone.')
  }

  async write(process: number, operations: readonly Operation[], sync: boolean): Promise<void> {
    const undo: Operation[] = []
    const before = await this.inner(process).getMany(operations.map(({ key }) => key))
    operations.forEach(({ key }, i) => {
      const value = before[i]
      undo.push(value === undefined ? { type: 'del', key } : { type: 'put', key, value })
    })
    const store = this.inner(process)
    // A later write of one key is taken back before an earlier one.
    this.#unsynced.push(undo.reverse())
    if (sync) this.#unsynced = []
    await store.batch(operations)
  }
}

/** A disk as a process has it open. */
export class DiskStore implements Store {
  readonly #disk: Disk
  readonly #process: number
  /** How many batches are left until the process dies; and whether the last one arrives. */
  #left = Number.POSITIVE_INFINITY
  #arrives = false
  #onDeath: () => Promise<void> = async () => undefined
  /** Whether it has died. */
  isDead = false

  constructor(disk: Disk, process: number) {
    this.#disk = disk
    this.#process = process
  }

  /** Lets the process die at its n-th batch from now on. */
  dieAt(n: number, arrives: boolean, onDeath: () => Promise<void>): void {
    this.#left = n
    this.#arrives = arrives
    this.#onDeath = onDeath
  }

  /** Lets it live. */
  spare(): void {
    this.#left = Number.POSITIVE_INFINITY
  }

  async batch(operations: readonly Operation[], { sync = false }: { readonly sync?: boolean | undefined } = {}) {
    if (--this.#left > 0) return this.#disk.write(this.#process, operations, sync)
    this.#left = Number.POSITIVE_INFINITY
    if (this.#arrives) await this.#disk.write(this.#process, operations, sync)
    await this.#die()
    throw dead()
  }

  async #die(): Promise<void> {
    this.isDead = true
    await this.#onDeath()
  }

  get #store(): Store {
    return this.#disk.inner(this.#process)
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#store.get(key)
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#store.getMany(keys)
  }

  scan(options?: ScanOptions): AsyncIterable<Pair[]> {
    return this.#store.scan(options)
  }

  keys(options?: ScanOptions): AsyncIterable<Uint8Array[]> {
    return this.#store.keys(options)
  }

  async clear(range?: Range): Promise<void> {
    return this.#store.clear(range)
  }

  async compact(): Promise<void> {
    return this.#store.compact()
  }

  async approximateSize(range?: Range): Promise<number> {
    return this.#store.approximateSize(range)
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

function dead(): CodedError {
  return new CodedError('STORE_CLOSED', 'The process is gone.')
}
