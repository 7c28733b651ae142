/**
 * The ordered key-value store that everything stands on: bytes to bytes, in unsigned byte order.
 *
 * This is the port only. `memory.ts` keeps a store in memory, `level.ts` keeps one in LevelDB, `remote-store.ts` uses one that
 * another process has open, and one contract suite (`test/suites/store.ts`) holds them to what is written here. Nothing in a store knows what the bytes mean;
 * `entries.ts` gives them meaning.
 *
 * A scan yields *batches*: awaiting every pair for itself would cost more than reading it, and millions of pairs are
 * the normal case. Absence is `undefined`. Byte strings that went in or came out are not to be written into: a store may
 * keep the ones and hand out its own.
 * @module
 */

/** A range of keys. At most one lower and one upper bound; a missing one leaves that side open. */
export interface Range {
  readonly gt?: Uint8Array | undefined
  readonly gte?: Uint8Array | undefined
  readonly lt?: Uint8Array | undefined
  readonly lte?: Uint8Array | undefined
}

/** How a scan goes through a range. */
export interface ScanOptions extends Range {
  /** From the greatest key to the least. Default false. */
  readonly reverse?: boolean | undefined
  /** Stop after this many keys. */
  readonly limit?: number | undefined
  /** Read about this many bytes between two awaits, at least one pair. Default 1 MiB. */
  readonly batchBytes?: number | undefined
}

export type Pair = [key: Uint8Array, value: Uint8Array]

/** One write of a batch. Deleting what is not there is no failure. */
export type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/**
 * Every method fails with `STORE_CLOSED` after `close`, and a store on disk with `STORE_CORRUPT`, `STORE_FULL` or
 * `STORE_READONLY` when that is what it meets. A store whose write failed takes no more of them until it is reopened.
 */
export interface Store extends AsyncDisposable {
  get(key: Uint8Array): Promise<Uint8Array | undefined>

  /** The values of `keys`, in the order of `keys`. */
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>

  /**
   * Batches of pairs, none of them empty, in key order, all from the state in which the first batch was asked for.
   * Stopping early (`break`) frees what the scan holds.
   */
  scan(options?: ScanOptions): AsyncIterable<Pair[]>

  /** Like `scan`, keys only: values are not copied out of the store. */
  keys(options?: ScanOptions): AsyncIterable<Uint8Array[]>

  /**
   * Writes all of `operations`, or none of them. Of two on one key the later counts.
   *
   * @param options - `sync`: settle only when the batch is on the disk, so that a power cut cannot take it back.
   */
  batch(operations: readonly Operation[], options?: { readonly sync?: boolean | undefined }): Promise<void>

  /** Deletes every key in `range`. Not atomic: interrupted, it may leave a part. */
  clear(range?: Range): Promise<void>

  /** Puts the files in their smallest, fastest form: no log left, nothing deleted left. */
  compact(): Promise<void>

  /** Bytes that the keys of `range` and their values take, roughly; what was just written may be left out. */
  approximateSize(range?: Range): Promise<number>

  /** Waits for what is under way and lets go of everything. Closing twice is no failure. */
  close(): Promise<void>
}
