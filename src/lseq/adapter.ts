/**
 * A `Store` over any `abstract-level` database. `memory.ts` and `level.ts` say which one, and what its errors mean.
 * @module
 */
import type { AbstractLevel } from 'abstract-level'
import { CodedError } from '../base/error.js'
import type { Operation, Pair, Range, ScanOptions, Store } from './store.js'

/** Any database of the `abstract-level` family that holds bytes natively. */
export type Database = AbstractLevel<Uint8Array | string | Buffer, Uint8Array, Uint8Array>

/** `view` on both sides is native to the two databases used here: bytes go through without being copied or wrapped. */
export const BYTES = { keyEncoding: 'view', valueEncoding: 'view' } as const

/** Most pairs of one batch: each costs about a microsecond to carry over from C++, so this bounds a pause. */
const BATCH_PAIRS = 8192
const BATCH_BYTES = 1 << 20

/** Codes that abstract-level gives to the use of something that was closed. */
const CLOSED = new Set(['LEVEL_DATABASE_NOT_OPEN', 'LEVEL_ITERATOR_NOT_OPEN'])

/** The common half of the two stores. Subclasses add what `abstract-level` leaves to its implementations. */
export abstract class AdaptedStore implements Store {
  protected readonly database: Database
  /** The error of the first write that failed. */
  #failed: Error | undefined

  protected constructor(database: Database) {
    this.database = database
  }

  /** What a failure of the database means, as an error to throw. Subclasses know more codes. */
  protected explain(error: unknown): unknown {
    return CLOSED.has(codeOf(error)) ? closedError(error) : error
  }

  /** For what needs no database and would work after `close`. */
  protected assertOpen(): void {
    if (this.database.status !== 'open') throw closedError(undefined)
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#try(this.database.get(key, BYTES))
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#try(this.database.getMany(keys as Uint8Array[], BYTES))
  }

  async *scan(options: ScanOptions = {}): AsyncGenerator<Pair[], void, undefined> {
    const iterator = await this.#try(async () => this.database.iterator({ ...iteratorOptions(options), ...BYTES }))
    try {
      for (;;) {
        const batch = await this.#try(iterator.nextv(BATCH_PAIRS))
        if (batch.length === 0) return
        yield batch
      }
    } finally {
      await iterator.close()
    }
  }

  async *keys(options: ScanOptions = {}): AsyncGenerator<Uint8Array[], void, undefined> {
    const iterator = await this.#try(async () => this.database.keys({ ...iteratorOptions(options), ...BYTES }))
    try {
      for (;;) {
        const batch = await this.#try(iterator.nextv(BATCH_PAIRS))
        if (batch.length === 0) return
        yield batch
      }
    } finally {
      await iterator.close()
    }
  }

  async batch(operations: readonly Operation[], options: { readonly sync?: boolean | undefined } = {}): Promise<void> {
    const write = { ...BYTES, sync: options.sync === true }
    await this.#write(() => this.database.batch(operations as Operation[], write))
  }

  async clear(range: Range = {}): Promise<void> {
    await this.#write(() => this.database.clear({ ...bounds(range), keyEncoding: 'view' }))
  }

  abstract compact(): Promise<void>

  abstract approximateSize(range?: Range): Promise<number>

  async close(): Promise<void> {
    await this.#try(this.database.close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** A write that fails may leave half a record at the end of the log, and what follows it there would be lost. */
  async #write(work: () => Promise<void>): Promise<void> {
    if (this.#failed !== undefined) throw this.#failed
    try {
      await this.#try(work)
    } catch (error) {
      if (error instanceof CodedError && error.code !== 'STORE_CLOSED') this.#failed = error
      throw error
    }
  }

  /** Awaits, and turns a failure into what `explain` makes of it. */
  async #try<T>(work: Promise<T> | (() => Promise<T>)): Promise<T> {
    try {
      return await (typeof work === 'function' ? work() : work)
    } catch (error) {
      throw this.explain(error)
    }
  }
}

function closedError(cause: unknown): CodedError {
  return new CodedError('STORE_CLOSED', 'The store was used after it was closed.', { cause })
}

/** The `code` of an error of any kind, or the empty string. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : ''
}

/** The bounds alone. A bound that is present and undefined means something else to abstract-level than one left out. */
function bounds(range: Range): Record<string, Uint8Array> {
  const found: Record<string, Uint8Array> = {}
  for (const name of ['gt', 'gte', 'lt', 'lte'] as const) {
    const bound = range[name]
    if (bound !== undefined) found[name] = bound
  }
  return found
}

function iteratorOptions(options: ScanOptions): Record<string, unknown> {
  return {
    ...bounds(options),
    reverse: options.reverse === true,
    limit: options.limit ?? -1,
    highWaterMarkBytes: options.batchBytes ?? BATCH_BYTES,
  }
}
