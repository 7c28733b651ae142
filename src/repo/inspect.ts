/**
 * The key-value level, for the curious: every entry of the store, made readable.
 * @module
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeUtf8, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { KINDS, type Kind } from '../history/keys.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, lseqOfKey } from '../lseq/lseq.js'
import { describeValue, kindOfEntry } from './entry-text.js'
import { formatKey, parseKey, rangeOfText } from './key-text.js'
import { storePath } from './layout.js'
import type { StoreEntry, StoreStat } from './results.js'

/** What the entries of a kind are, in a few words. */
const MEANINGS: Readonly<Record<Kind, string>> = {
  B: 'lists of the chunks that make up a binary file',
  C: 'chunks of binary files',
  G: 'what each version touched',
  I: 'ids of versions, an index',
  K: 'beginnings of streams',
  L: 'runs of lines, their tombstones and origins',
  P: 'what versions made of paths',
  R: 'branches, tags and snapshots',
  N: 'messages of versions, and what else was said',
  V: 'versions: header and signature',
  X: 'version vectors, made from the versions',
}

/** Where the store keeps its format's number. */
const FORMAT_KEY = encodeUtf8('mformat')

/**
 * Counts what the store holds.
 *
 * @throws {CodedError} `PAGE_CORRUPT` where it cannot be read.
 */
export async function storeStat(entries: EntryStore, root: string): Promise<StoreStat> {
  const { looseEntries, pages, pageEntries } = await entries.stat()
  const totals = new Map<string, { entries: number; bytes: number }>()
  for await (const { count, keys, keyStarts, keyEnds, valueStarts, valueEnds } of entries.scan()) {
    for (let i = 0; i < count; i++) {
      const keyStart = keyStarts[i] as number
      const kind = String.fromCharCode(keys[keyStart] as number)
      const total = totals.get(kind) ?? { entries: 0, bytes: 0 }
      totals.set(kind, total)
      total.entries++
      total.bytes += (keyEnds[i] as number) - keyStart + (valueEnds[i] as number) - (valueStarts[i] as number)
    }
  }
  const format = await entries.store.get(FORMAT_KEY)
  return {
    format: format === undefined ? 0 : Number(toLatin1(format)),
    bytes: await bytesIn(storePath(root)),
    entries: looseEntries + pageEntries,
    loose: looseEntries,
    pages,
    kinds: [...totals].map(([kind, total]) => ({
      kind,
      meaning: kind in KINDS ? MEANINGS[kind as Kind] : 'unknown',
      ...total,
    })),
  }
}

async function bytesIn(directory: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(directory)) bytes += (await stat(join(directory, name))).size
  return bytes
}

/** The entries whose key, as text, begins with `prefix`, in the order of the keys' bytes. */
export async function* storeScan(entries: EntryStore, prefix: string): AsyncGenerator<StoreEntry> {
  const range = rangeOfText(prefix)
  if (range === undefined) return
  for await (const batch of entries.scan(range)) {
    for (const { key, value } of batch) {
      const text = formatKey(key)
      if (text.startsWith(prefix)) yield storeEntry(text, key, value)
    }
  }
}

/**
 * The entry with a key, as `storeScan` writes it.
 *
 * @throws {CodedError} `KEY_UNKNOWN`.
 */
export async function storeGet(entries: EntryStore, text: string): Promise<StoreEntry> {
  const key = parseKey(text)
  const value = key && (await entries.get(key))
  if (key !== undefined && value !== undefined) return storeEntry(formatKey(key), key, value)
  throw new CodedError('KEY_UNKNOWN', `The store has no entry with the key ${JSON.stringify(text)}.`, {
    hint: '`weft store scan <prefix>` shows keys in the form that is wanted here.',
  })
}

function storeEntry(text: string, key: Uint8Array, value: Uint8Array): StoreEntry {
  const { seq, stream } = lseqOfKey(key)
  return {
    key: text,
    lseq: formatLseq(seq, stream),
    kind: kindOfEntry(key, value),
    value: describeValue(key, value),
    bytes: value.length,
  }
}
