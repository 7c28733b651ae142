import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { openLevelStore } from '../src/lseq/level.js'
import { openMemoryStore } from '../src/lseq/memory.js'
import type { Store } from '../src/lseq/store.js'
import { storeSuite } from './suites/store.js'

const scratch = await mkdtemp(join(tmpdir(), 'weft-store-'))
after(() => rm(scratch, { recursive: true, force: true }))

let count = 0
const places = new WeakMap<Store, string>()
async function openAt(place: string): Promise<Store> {
  const store = await openLevelStore(place)
  places.set(store, place)
  return store
}

storeSuite('memory', { open: openMemoryStore })
storeSuite('LevelDB', {
  open: () => openAt(join(scratch, String(count++))),
  reopen: (closed) => openAt(places.get(closed) ?? ''),
})
