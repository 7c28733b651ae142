/**
 * A store that lives in memory, for tests and for work that is never to be kept. Its tree is persistent (every write
 * makes a new root), so that a scan sees one state for free.
 * @module
 */
import { MemoryLevel } from 'memory-level'
import { AdaptedStore, type Database } from './adapter.js'
import type { Range, Store } from './store.js'

class MemoryStore extends AdaptedStore {
  /** There are no files to tidy. */
  override async compact(): Promise<void> {
    this.assertOpen()
  }

  override async approximateSize(range: Range = {}): Promise<number> {
    let bytes = 0
    for await (const batch of this.scan(range)) for (const [key, value] of batch) bytes += key.length + value.length
    return bytes
  }

  static async open(): Promise<MemoryStore> {
    const database = new MemoryLevel<Uint8Array, Uint8Array>({ keyEncoding: 'view', valueEncoding: 'view' })
    await database.open()
    return new MemoryStore(database as Database)
  }
}

/** Opens an empty store in memory. */
export function openMemoryStore(): Promise<Store> {
  return MemoryStore.open()
}
