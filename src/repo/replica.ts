/**
 * Where a repository's store is on the disk, which tells a store from its copies (history/replica.ts).
 * @module
 */
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Replica, type StorePlace } from '../history/replica.js'
import type { EntryStore } from '../lseq/entries.js'
import { storePath } from './layout.js'

/**
 * The place of the store in `root`.
 *
 * @param goesTo - Where `root` is going to be renamed to: the parent of that is there.
 */
export async function placeOf(root: string, goesTo?: string): Promise<StorePlace> {
  const at = await realpath(storePath(root))
  const path = goesTo === undefined ? at : storePath(join(await realpath(dirname(resolve(goesTo))), basename(goesTo)))
  return placeAt(at, path)
}

/**
 * The place of a store's directory.
 *
 * @param path - Where it is, or is going to be renamed to.
 */
export async function placeAt(directory: string, path: string): Promise<StorePlace> {
  const { ino, birthtimeNs, ctimeNs } = await stat(directory, { bigint: true })
  // Where the time is not known, the system gives that of the last change instead, which would be another one each time.
  const isKnown = birthtimeNs > 0n && birthtimeNs !== ctimeNs
  return { path: Buffer.from(path), inode: BigInt.asUintN(64, ino), born: isKnown ? birthtimeNs : 0n }
}

/**
 * The replica in `root`, as history knows it; what that is, is noted before anything is written or comes in from elsewhere.
 *
 * @param publicKey - As for `Replica.open`.
 */
export async function openReplica(
  entries: EntryStore,
  root: string,
  publicKey: Uint8Array | undefined,
): Promise<Replica> {
  const place = await placeOf(root)
  const replica = await Replica.open(entries, publicKey, place)
  const operations = replica.operations([])
  if (operations.length === 0) return replica
  await entries.store.batch(operations, { sync: true })
  return Replica.open(entries, publicKey, place)
}
