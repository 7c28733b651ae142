/**
 * Versions into pages for the way: all entries of some versions, in key order, packed as the store packs its own.
 *
 * A version's groups say under which subjects it has entries, so that only those are looked at. What was written not long
 * ago lies loose, and is found in one pass over what is loose; if a group's digest says that nothing is missing, its subject
 * is not looked up in pages at all.
 * @module
 */
import { fromLatin1, toLatin1 } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import { DIGEST_PREFIX, decodeGroups, groupOf } from '../history/groups.js'
import { genesisKey, groupsKey, prefixRange, subjectLength, versionKey } from '../history/keys.js'
import type { Entry } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { lseqOfKey } from '../lseq/lseq.js'
import { encodePage } from '../lseq/page.js'
import type { Missing } from './missing.js'

/** Bytes of entries in a page, and how many there are at most: the store's own measures. */
const PAGE_BYTES = 1 << 20
const PAGE_ENTRIES = 8192

/** Up to so many bytes more work is worth fewer of them. */
const SMALL_PAGE = 1 << 16

/** Groups that are sent together, so that subjects they share are looked up once and packed side by side. */
const BATCH_GROUPS = 4096
const BATCH_VERSIONS = 1024

/** What one version added under one subject, as its list says. */
interface Wanted extends Pick<Missing, 'stream' | 'first' | 'last'> {
  readonly prefix: string
}

/** Some versions with the names of their groups. */
export interface PackBatch {
  readonly versions: readonly Missing[]
  /** Entries that are no matter of groups, in key order. */
  readonly entries: readonly Entry[]
  readonly subjects: ReadonlyMap<string, readonly Wanted[]>
}

/** Cuts versions into batches, in their order; no version is cut. */
export async function* packBatches(entries: EntryStore, missing: readonly Missing[]): AsyncGenerator<PackBatch> {
  let versions: Missing[] = []
  let own: Entry[] = []
  let subjects = new Map<string, Wanted[]>()
  let count = 0
  for (const version of missing) {
    const { last, stream, prev } = version
    const keys = [groupsKey(last, stream), versionKey(last, stream)]
    if (prev.seq === 0) keys.push(genesisKey(stream))
    const values = await entries.getMany(keys)
    const groups = values[0] === undefined ? [] : decodeGroups(values[0])
    if (versions.length > 0 && (count + groups.length > BATCH_GROUPS || versions.length >= BATCH_VERSIONS)) {
      yield { versions, entries: own, subjects }
      versions = []
      own = []
      subjects = new Map()
      count = 0
    }
    versions.push(version)
    keys.forEach((key, i) => {
      const value = values[i]
      if (value !== undefined) own.push({ key, value })
    })
    for (const { name, prefix } of groups) getOrMake(subjects, name, () => [] as Wanted[]).push({ ...version, prefix })
    count += groups.length
  }
  if (versions.length > 0) yield { versions, entries: own, subjects }
}

/** The pages of a batch, in key order. */
export async function* packPages(entries: EntryStore, batch: PackBatch): AsyncGenerator<Uint8Array> {
  const page = new PageFiller()
  for await (const entry of batchEntries(entries, batch)) {
    if (page.isFull) yield await page.pack()
    page.add(entry)
  }
  if (!page.isEmpty) yield await page.pack()
}

/** All entries of a batch in key order. */
async function* batchEntries(entries: EntryStore, { entries: own, subjects }: PackBatch): AsyncGenerator<Entry> {
  const loose = await looseEntries(entries, subjects)
  const rest = own.map((entry) => ({ name: toLatin1(entry.key), entry }))
  const parts = [...rest, ...[...subjects].map(([name, wanted]) => ({ name, wanted }))]
  parts.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const part of parts) {
    if ('entry' in part) yield part.entry
    else yield* loose.get(part.name) ?? subjectEntries(entries, part.name, part.wanted)
  }
}

/** What some versions added under a subject. */
async function* subjectEntries(entries: EntryStore, name: string, wanted: readonly Wanted[]): AsyncGenerator<Entry> {
  const isWanted = within(wanted)
  for await (const batch of entries.scan(prefixRange(fromLatin1(name)))) {
    for (let i = 0; i < batch.count; i++) {
      const key = batch.key(i)
      if (isWanted(key) && subjectLength(key) === name.length) yield { key, value: batch.value(i) }
    }
  }
}

/** Subjects of which all that is wanted lies loose, with it. */
async function looseEntries(
  entries: EntryStore,
  subjects: PackBatch['subjects'],
): Promise<Map<string, readonly Entry[]>> {
  const found = new Map<string, Entry[]>()
  const tests = new Map<string, (key: Uint8Array) => boolean>()
  for await (const batch of entries.scanLoose()) {
    for (const { key, value } of batch) {
      const length = subjectLength(key)
      const name = toLatin1(key, 0, length)
      const wanted = subjects.get(name)
      if (wanted === undefined || !getOrMake(tests, name, () => within(wanted))(key)) continue
      getOrMake(found, name, () => [] as Entry[]).push({ key, value })
    }
  }
  for (const [name, list] of found) {
    const wanted = subjects.get(name) as readonly Wanted[]
    if (!wanted.every((one) => isWhole(name, one, list))) found.delete(name)
  }
  return found
}

function isWhole(name: string, wanted: Wanted, entries: readonly Entry[]): boolean {
  const isIts = within([wanted])
  const its = entries.filter(({ key }) => isIts(key))
  return its.length > 0 && groupOf(name, its).digest.slice(0, DIGEST_PREFIX) === wanted.prefix
}

/** Whether an entry is of one of some versions, which come in lseq order. */
function within(wanted: readonly Pick<Missing, 'stream' | 'first' | 'last'>[]): (key: Uint8Array) => boolean {
  const blocks = new Map<number, { readonly first: number; readonly last: number }[]>()
  for (const one of wanted) getOrMake(blocks, one.stream, () => []).push(one)
  return (key) => {
    const { seq, stream } = lseqOfKey(key)
    const list = blocks.get(stream)
    if (list === undefined) return false
    let low = 0
    let high = list.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((list[middle] as { last: number }).last < seq) low = middle + 1
      else high = middle
    }
    const { first, last } = list[low] as { first: number; last: number }
    return first <= seq && seq <= last
  }
}

/** Gathers entries until there are enough for a page. */
export class PageFiller {
  #entries: Entry[] = []
  #bytes = 0

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  get size(): number {
    return this.#entries.length
  }

  get isFull(): boolean {
    return this.#bytes >= PAGE_BYTES || this.#entries.length >= PAGE_ENTRIES
  }

  /** @param entry - Above the one before. */
  add(entry: Entry): void {
    this.#entries.push(entry)
    this.#bytes += entry.key.length + entry.value.length
  }

  async pack(): Promise<Uint8Array> {
    const entries = this.#entries
    const options = this.#bytes <= SMALL_PAGE ? { quality: 11 } : {}
    this.#entries = []
    this.#bytes = 0
    return encodePage(entries, options)
  }
}
