/**
 * Genesis entries: where a stream, and a repository, begin.
 *
 * A stream's id is the first three bytes of the SHA-256 of its genesis value, so nobody can put versions under a stream
 * that another key began. The first version of the stream names that hash as the one before it. ToyTLV:
 *
 *     v  format, ZipUint64: 1
 *     r  id of the repository (32)
 *     k  public key, Ed25519 (32)
 *     n  nonce (16), which sets apart the streams of one key
 *     t  what it carries: `c` versions of content, `r` refs
 *
 * The repository's own genesis stands at stream 0 and has `v` and `n` only; the SHA-256 of its value is the
 * repository's id, which all replicas share. Every stream names it, so that no stream can be carried over from another
 * repository, and the repository's genesis cannot be changed unnoticed.
 * @module
 */
import { toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { defaultCrypto } from '../crypto/default.js'
import type { EntryStore } from '../lseq/entries.js'
import { TlvReader, TlvWriter } from '../rdx/tlv.js'
import { unzipUint, zipUint } from '../rdx/zip.js'
import { genesisKey } from './keys.js'

const FORMAT = 1

/** Bytes of a nonce. */
export const NONCE_BYTES = 16

/** What a stream's versions are about. */
export type StreamKind = 'content' | 'refs'

/** A stream's beginning. */
export interface Genesis {
  readonly stream: number
  /** SHA-256 of the value: what the first version names as the one before it. */
  readonly id: Uint8Array
  /** Id of the repository that the stream belongs to. */
  readonly repository: Uint8Array
  readonly publicKey: Uint8Array
  readonly kind: StreamKind
  readonly value: Uint8Array
}

/** Begins a stream. Its id is never 0 and none that `taken` knows; `random` is asked again until it is so. */
export function beginStream(
  repository: Uint8Array,
  publicKey: Uint8Array,
  kind: StreamKind,
  random: (bytes: number) => Uint8Array,
  taken: (stream: number) => boolean,
): Genesis {
  for (;;) {
    const value = new TlvWriter(112)
      .record('V', zipUint(FORMAT))
      .record('R', repository)
      .record('K', publicKey)
      .record('N', random(NONCE_BYTES))
      .latin1('T', kind === 'content' ? 'c' : 'r')
      .copy()
    const genesis = decodeGenesis(value)
    if (genesis.stream !== 0 && !taken(genesis.stream)) return genesis
  }
}

/** @throws {CodedError} `BAD_RECORD`, `FORMAT_NEWER`. */
export function decodeGenesis(value: Uint8Array): Genesis {
  const reader = new TlvReader(value)
  expectFormat(reader)
  const repository = reader.expect('R')
  const publicKey = reader.expect('K')
  const nonce = reader.expect('N')
  const kind = toLatin1(reader.expect('T'))
  reader.end()
  if (
    repository.length !== 32 ||
    publicKey.length !== 32 ||
    nonce.length !== NONCE_BYTES ||
    (kind !== 'c' && kind !== 'r')
  ) {
    throw new CodedError('BAD_RECORD', 'The genesis of a stream is malformed.')
  }
  const id = defaultCrypto.sha256(value)
  const stream = ((id[0] as number) << 16) | ((id[1] as number) << 8) | (id[2] as number)
  return { stream, id, repository, publicKey, kind: kind === 'c' ? 'content' : 'refs', value }
}

/** The value of a new repository's genesis. */
export function beginRepository(random: (bytes: number) => Uint8Array): Uint8Array {
  return new TlvWriter(32).record('V', zipUint(FORMAT)).record('N', random(NONCE_BYTES)).copy()
}

/**
 * The id of the repository that a store holds.
 *
 * @throws {CodedError} `STREAM_UNKNOWN` where the repository's genesis is missing; as `repositoryId`.
 */
export async function readRepositoryId(entries: Pick<EntryStore, 'get'>): Promise<Uint8Array> {
  const value = await entries.get(genesisKey(0))
  if (value !== undefined) return repositoryId(value)
  throw new CodedError('STREAM_UNKNOWN', 'The genesis of the repository is missing.', {
    hint: 'Run `weft verify` to see what else is missing.',
  })
}

/** A repository's id from its genesis value, 32 bytes. */
export function repositoryId(value: Uint8Array): Uint8Array {
  const reader = new TlvReader(value)
  expectFormat(reader)
  const nonce = reader.expect('N')
  reader.end()
  if (nonce.length !== NONCE_BYTES) throw new CodedError('BAD_RECORD', "The repository's genesis is malformed.")
  return defaultCrypto.sha256(value)
}

function expectFormat(reader: TlvReader): void {
  const format = unzipUint(reader.expect('V'))
  if (format === FORMAT) return
  throw new CodedError('FORMAT_NEWER', `A genesis has format ${format}; this weft knows ${FORMAT}.`, {
    hint: 'Install a newer weft.',
  })
}
