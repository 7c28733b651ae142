/**
 * A repository that is being cloned: everything comes into a store beside, is verified there as a whole, and only then becomes
 * the repository.
 *
 *     <root>/.weft/clone/store      a LevelDB
 *     <root>/.weft/clone/state      whose clone it is, and how far: the server's hello (messages.ts)
 *
 * A clone that was cut off goes on where it stopped: pages come in key order, so the last key says how far it came.
 * @module
 */
import { mkdir, readFile, realpath, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CodedError } from '../base/error.js'
import { recordTips, type Tips } from '../history/published.js'
import { beginReplica, replicaOperation } from '../history/replica.js'
import { EntryStore } from '../lseq/entries.js'
import { openLevelStore } from '../lseq/level.js'
import { LOOSE, PAGE, storeKey } from '../lseq/pages.js'
import type { Operation, Store } from '../lseq/store.js'
import { syncDirectory, writeDurably } from '../repo/durable.js'
import { isRepository, storePath, WEFT_DIRECTORY } from '../repo/layout.js'
import { placeAt } from '../repo/replica.js'
import { formatOperation } from '../repo/repository.js'
import { decodeHello, encodeHello, type Hello } from './messages.js'
import { rememberOperation } from './remembered.js'

/** Bytes that are gathered before they are written. */
const WRITE_BYTES = 4 << 20

export class CloneStage {
  readonly #root: string
  readonly #store: Store
  #operations: Operation[] = []
  #held = 0
  /** Whose clone it is; undefined where it has just been begun. */
  hello: Hello | undefined

  private constructor(root: string, store: Store, hello: Hello | undefined) {
    this.#root = root
    this.#store = store
    this.hello = hello
  }

  /** Begins a clone below `root`, or goes on with the one that was cut off there. */
  static async open(root: string): Promise<CloneStage> {
    const directory = stageDirectory(root)
    await mkdir(join(directory, 'store'), { recursive: true })
    const hello = await readState(directory)
    // Without the state nobody knows whose it is.
    if (hello === undefined) await rm(join(directory, 'store'), { recursive: true, force: true })
    await mkdir(join(directory, 'store'), { recursive: true })
    return new CloneStage(root, await openLevelStore(join(directory, 'store'), { create: true }), hello)
  }

  get store(): Store {
    return this.#store
  }

  /** The entries that have come. */
  entries(): EntryStore {
    return new EntryStore(this.#store)
  }

  /** Says whose clone it is. */
  begin(hello: Hello): void {
    this.hello = hello
    writeDurably(join(stageDirectory(this.#root), 'state'), encodeHello(hello))
  }

  /** The last key of the pages that are here. */
  async last(): Promise<Uint8Array | undefined> {
    const range = { gte: Uint8Array.of(PAGE), lt: Uint8Array.of(PAGE + 1), reverse: true, limit: 1 }
    for await (const keys of this.#store.keys(range)) for (const key of keys) return key.subarray(1)
    return undefined
  }

  /** Takes a page as it is stored. */
  page(key: Uint8Array, page: Uint8Array): Promise<void> {
    return this.#put(PAGE, key, page)
  }

  /** Takes a loose entry. */
  loose(key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.#put(LOOSE, key, value)
  }

  async #put(kind: number, key: Uint8Array, value: Uint8Array): Promise<void> {
    this.#operations.push({ type: 'put', key: storeKey(kind, key), value })
    this.#held += key.length + value.length
    if (this.#held >= WRITE_BYTES) await this.flush()
  }

  /** Writes what was taken. Not synced: what a power cut takes comes again. */
  async flush(): Promise<void> {
    const operations = this.#operations
    this.#operations = []
    this.#held = 0
    if (operations.length > 0) await this.#store.batch(operations, { sync: false })
  }

  /**
   * Makes it the repository. The store is closed. What says that it is a clone stays until `endClone`: whoever is interrupted
   * before the files are written knows by it that they are still to come.
   *
   * @param tips - What it was promised to have.
   */
  async finish(url: string, tips: Tips): Promise<void> {
    const path = join(await realpath(join(this.#root, WEFT_DIRECTORY)), basename(storePath(this.#root)))
    const place = await placeAt(join(stageDirectory(this.#root), 'store'), path)
    const replica = replicaOperation(beginReplica(place))
    const operations = [formatOperation(), replica, recordTips(tips), rememberOperation(url, tips)]
    await this.#store.batch(operations, { sync: true })
    await this.#store.close()
    await rename(join(stageDirectory(this.#root), 'store'), storePath(this.#root))
    syncDirectory(join(this.#root, WEFT_DIRECTORY))
  }

  /** Lets go of it; it stays for whoever goes on with it. */
  async close(): Promise<void> {
    await this.#store.close()
  }

  /** Throws it away. */
  async drop(): Promise<void> {
    await this.#store.close()
    await rm(stageDirectory(this.#root), { recursive: true, force: true })
  }
}

/** Whose clone the repository at `root` is, where its files have not been written yet; undefined for any other one. */
export async function unfinishedClone(root: string): Promise<Hello | undefined> {
  return (await isRepository(root)) ? readState(stageDirectory(root)) : undefined
}

/** Says that a clone is finished: from then on it is a repository like any other. */
export async function endClone(root: string): Promise<void> {
  await rm(stageDirectory(root), { recursive: true, force: true })
}

function stageDirectory(root: string): string {
  return join(root, WEFT_DIRECTORY, 'clone')
}

async function readState(directory: string): Promise<Hello | undefined> {
  try {
    return decodeHello(await readFile(join(directory, 'state')))
  } catch (error) {
    if (error instanceof CodedError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
