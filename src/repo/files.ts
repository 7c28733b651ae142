/**
 * Contents: the bytes of a file at a state, put together from its entries and compared with their hash.
 * @module
 */
import { concatBytes, equalBytes, fromHex, fromLatin1, toHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { chunkPrefix, FILE_PREFIX_BYTES, kindRange, linesPrefix, prefixRange, recipePrefix } from '../history/keys.js'
import { decodePathEntry, type PathPut } from '../history/path-entry.js'
import { ContentReader } from '../lines/content.js'
import { type Piece, PieceReader } from '../lines/pieces.js'
import type { StateWalk } from '../lines/walk.js'
import { contentInKernel, type Slice } from '../lines/walk-kernel.js'
import { Coverage } from '../lseq/coverage.js'
import type { EntryStore } from '../lseq/entries.js'
import { LSEQ_BYTES, type Lseq, lseqOfKey } from '../lseq/lseq.js'
import type { Streams, Vector } from '../lseq/vector.js'
import { formatPath } from './path-text.js'

/** Where contents are read from. */
export interface FilesContext {
  readonly entries: EntryStore
  readonly streams: Streams
}

const HASH_BYTES = 32

/**
 * The content of a path at a state.
 *
 * @param path - Binary string, for messages.
 * @throws {CodedError} `CONTENT_DAMAGED` where the bytes are not those that the path entry promises, `CHUNK_MISSING`.
 */
export async function contentOf(
  context: FilesContext,
  path: string,
  put: PathPut,
  vector: Vector,
): Promise<Uint8Array> {
  const content = put.chunked
    ? await chunkedContent(context, put.file, vector)
    : await linesContent(context, put.file, vector)
  return checkedContent(path, put, content)
}

/** @throws {CodedError} `CONTENT_DAMAGED` unless `content` is what the path entry promises. */
export function checkedContent(path: string, put: PathPut, content: Uint8Array): Uint8Array {
  if (content.length === put.size && equalBytes(crypto.sha256(content), put.sha256)) return content
  throw new CodedError('CONTENT_DAMAGED', `The content of ${formatPath(path)} is not what was signed.`, {
    hint: 'Run `weft verify` to see which entries are damaged.',
    data: { path: formatPath(path), expected: toHex(put.sha256) },
  })
}

async function linesContent(context: FilesContext, file: Lseq, vector: Vector): Promise<Uint8Array> {
  const wanted = new Coverage(vector, context.streams)
  const slices = await slicesOf(context, file, wanted)
  const content = contentInKernel(slices, FILE_PREFIX_BYTES, wanted)
  if (content !== undefined) return content
  return walked(slices, new ContentReader(context.streams, vector)).finish()
}

/** The lines of a file at a state, and the lseqs they have. */
export async function piecesOf(context: FilesContext, file: Lseq, vector: Vector): Promise<Piece[]> {
  const wanted = new Coverage(vector, context.streams)
  const slices = await slicesOf(context, file, wanted)
  const reader = new PieceReader(context.streams, vector)
  return reader.pushAll(slices, FILE_PREFIX_BYTES, wanted) ? reader.finish() : walked(slices, reader).finish()
}

/** A file's entries, at least those that are wanted. */
async function slicesOf({ entries }: FilesContext, file: Lseq, wanted: Coverage): Promise<Slice[]> {
  const slices: Slice[] = []
  for await (const batch of entries.scan({ ...prefixRange(linesPrefix(file)), wanted })) {
    slices.push({ batch, from: 0, to: batch.count })
  }
  return slices
}

/** Hands a file's entries to a walk. */
function walked<W extends StateWalk>(slices: readonly Slice[], walk: W): W {
  for (const { batch, from, to } of slices) walk.push(batch, from, to, FILE_PREFIX_BYTES)
  return walk
}

/** @throws {CodedError} `CHUNK_MISSING`. */
export async function chunkedContent(
  { entries, streams }: FilesContext,
  file: Lseq,
  vector: Vector,
): Promise<Uint8Array> {
  const range = prefixRange(recipePrefix(file))
  for await (const batch of entries.scan({ ...range, reverse: true })) {
    for (let i = 0; i < batch.count; i++) {
      const { seq, stream } = lseqOfKey(batch.key(i))
      const slot = streams.find(stream)
      if (slot !== undefined && vector.covers(slot, seq)) return joinChunks(entries, batch.value(i))
    }
  }
  throw new CodedError('CHUNK_MISSING', 'The list of chunks of a file is missing.', {
    hint: 'Run `weft verify` to see what is damaged.',
  })
}

/** @param recipe - Hashes of the chunks, 32 bytes each. */
async function joinChunks(entries: EntryStore, recipe: Uint8Array): Promise<Uint8Array> {
  if (recipe.length % HASH_BYTES !== 0) {
    throw new CodedError('BAD_RECORD', 'The list of chunks of a file is malformed.', {
      hint: 'Run `weft verify` to see what is damaged.',
    })
  }
  const chunks: Uint8Array[] = []
  for (let at = 0; at < recipe.length; at += HASH_BYTES) {
    const hash = toLatin1(recipe, at, at + HASH_BYTES)
    // Chunks are named by their content, so any entry of that name will do.
    const found = await entries.first(prefixRange(chunkPrefix(hash)))
    if (found === undefined) {
      throw new CodedError('CHUNK_MISSING', `The chunk ${toHex(fromLatin1(hash))} is missing.`, {
        hint: 'Run `weft verify` to see what is damaged.',
      })
    }
    chunks.push(found.value)
  }
  return concatBytes(...chunks)
}

/**
 * Any content that any version of any file ever had, by its SHA-256.
 *
 * @param covering - What the version that took an lseq covers.
 * @throws {CodedError} `CONTENT_UNKNOWN` where no version had it.
 */
export async function contentByHash(
  context: FilesContext,
  sha256Hex: string,
  covering: (lseq: Lseq) => Promise<Vector>,
): Promise<Uint8Array> {
  const wanted = fromHex(sha256Hex)
  if (wanted?.length === HASH_BYTES) {
    const pattern = toLatin1(wanted)
    for await (const batch of context.entries.scan(kindRange('P'))) {
      for (let i = 0; i < batch.count; i++) {
        const value = batch.value(i)
        if (!toLatin1(value).includes(pattern)) continue
        const entry = decodePathEntry(value)
        if (!('file' in entry) || !equalBytes(entry.sha256, wanted)) continue
        const key = batch.key(i)
        return contentOf(context, pathOfKey(key), entry, await covering(lseqOfKey(key)))
      }
    }
  }
  throw new CodedError('CONTENT_UNKNOWN', `No version of any file has the content sha256:${sha256Hex}.`, {
    hint: '`weft ls --json` shows the SHA-256 of every file.',
  })
}

/** The path in a path entry's key: a binary string. */
function pathOfKey(key: Uint8Array): string {
  return toLatin1(key, 1, key.length - LSEQ_BYTES - 1)
}
