/**
 * Contents that are kept as chunks: a recipe, the list of their hashes, and the bytes under each.
 * @module
 */
import { fromLatin1, toHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { type Lseq, lseqOfKey } from '../lseq/lseq.js'
import { HASH_BYTES } from './entry-rules.js'
import { chunkPrefix, prefixRange, recipePrefix } from './keys.js'
import type { EntrySource } from './overlay.js'

/**
 * The chunks of a file at a state, one after the other.
 *
 * @param covers - Whether the state covers an lseq.
 * @throws {CodedError} `CHUNK_MISSING`, `BAD_RECORD`.
 */
export async function* chunksAt(
  entries: EntrySource,
  file: Lseq,
  covers: (seq: number, stream: number) => boolean,
): AsyncGenerator<Uint8Array> {
  const recipe = await lastCovered(entries, recipePrefix(file), covers)
  if (recipe === undefined) throw new CodedError('CHUNK_MISSING', 'The list of its chunks is missing.')
  if (recipe.length % HASH_BYTES !== 0) throw new CodedError('BAD_RECORD', 'The list of its chunks is malformed.')
  for (let at = 0; at < recipe.length; at += HASH_BYTES) {
    const hash = toLatin1(recipe, at, at + HASH_BYTES)
    const chunk = await lastCovered(entries, chunkPrefix(hash), covers)
    if (chunk === undefined) throw new CodedError('CHUNK_MISSING', `Its chunk ${toHex(fromLatin1(hash))} is missing.`)
    yield chunk
  }
}

async function lastCovered(
  entries: EntrySource,
  prefix: Uint8Array,
  covers: (seq: number, stream: number) => boolean,
): Promise<Uint8Array | undefined> {
  for await (const batch of entries.scan({ ...prefixRange(prefix), reverse: true })) {
    for (let i = 0; i < batch.count; i++) {
      const { seq, stream } = lseqOfKey(batch.key(i))
      if (covers(seq, stream)) return batch.value(i)
    }
  }
  return undefined
}
