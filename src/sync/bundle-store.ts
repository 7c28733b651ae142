/**
 * A bundle of a whole repository, unpacked into a temporary store: stored pages hold versions in pieces, one file's of many
 * versions beside each other, so whoever wants some versions whole needs a store to look them up in.
 *
 * Nothing in it is believed: it is a peer's store, and what is taken from it is admitted like all that comes from elsewhere.
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { recordTips } from '../history/published.js'
import { Versions } from '../history/versions.js'
import { EntryStore } from '../lseq/entries.js'
import { openLevelStore } from '../lseq/level.js'
import { openPage } from '../lseq/page.js'
import { LOOSE, PAGE, storeKey } from '../lseq/pages.js'
import type { Operation } from '../lseq/store.js'
import { Streams } from '../lseq/vector.js'
import { type Bundle, bad, read } from './bundle-file.js'
import type { SyncContext } from './context.js'
import { BATCH_BYTES } from './intake.js'
import { decodeStored, FRAME } from './messages.js'

/** Bytes that are gathered before they are written. */
const WRITE_BYTES = 4 << 20

/**
 * Unpacks a bundle. Disposing of it removes the store.
 *
 * @throws {CodedError} `BUNDLE_BAD`, `STORE_*`, `DISK_*`.
 */
export async function unpackBundle(bundle: Bundle): Promise<SyncContext & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'weft-bundle-'))
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true })
  try {
    const store = await openLevelStore(directory, { create: true })
    try {
      for await (const operations of contents(bundle)) await store.batch(operations, { sync: false })
      await store.batch([recordTips(bundle.head.tips)], { sync: false })
    } catch (error) {
      await store.close()
      throw error
    }
    const entries = new EntryStore(store)
    return {
      entries,
      versions: new Versions(entries, new Streams()),
      branch: bundle.head.branch,
      [Symbol.asyncDispose]: async () => {
        await entries.close()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

/** What is to be written, a few megabytes at a time. */
async function* contents(bundle: Bundle): AsyncGenerator<Operation[]> {
  const { path } = bundle
  let operations: Operation[] = []
  let held = 0
  let loose = 0
  for await (const { type, body } of bundle.frames()) {
    if (type === FRAME.stored) {
      const { key, page } = await read(path, () => decodeStored(body))
      operations.push({ type: 'put', key: storeKey(PAGE, key), value: page })
      held += body.length
    } else if (type === FRAME.page) {
      const page = await read(path, () => openPage(body))
      // Loose entries take what they say: a small page of much of the same could fill a disk.
      loose += page.bodyBytes
      if (loose > BATCH_BYTES) throw bad(path, `more than ${BATCH_BYTES} bytes of loose entries are in it`)
      for (const { key, value } of await read(path, () => page.unpack())) {
        operations.push({ type: 'put', key: storeKey(LOOSE, key), value })
        held += key.length + value.length
      }
    }
    if (held < WRITE_BYTES) continue
    yield operations
    operations = []
    held = 0
  }
  if (operations.length > 0) yield operations
}
