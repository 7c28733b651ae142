/**
 * The replica: one store at one place, and the streams that are gone on with there.
 *
 * A stream is one chain, so only one place may add to it. The key that signs does not tell: a user has several clones,
 * and a directory may be copied. So a store has a record of the streams that were begun in it, and of where it was then.
 * It is no entry and never leaves the store. A store that finds itself at another place is a copy, or what is left behind
 * is one: it has no streams of its own any more, and is another replica.
 *
 *     m replica    v  format, ZipUint64: 1
 *                  r  id of the replica (16), by chance
 *                  p  path of the store's directory, bytes          no p, i, b: a store in memory, or at no place yet
 *                  i  its inode, ZipUint64
 *                  b  when it was made, nanoseconds since 1970, ZipUint64; empty where the system does not tell
 *                  s  + own stream (3), ascending
 *
 * An inode is given to another directory once the first is gone, so a backup that is put back may well have the old one;
 * the time tells them apart.
 *
 * A store of before there was such a record takes all streams of the key that writes next for its own, once. Whoever takes
 * in streams from elsewhere writes the record in the same batch (`operations([])`), so that what comes in is not taken for
 * its own.
 *
 * Pure but for the store: what the place is, the caller says.
 * @module
 */
import { encodeUtf8, equalBytes } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import type { Entry } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { lseqOfKey } from '../lseq/lseq.js'
import type { Operation } from '../lseq/store.js'
import { TlvReader, TlvWriter } from '../rdx/tlv.js'
import { unzipUint, unzipUint64, zipUint, zipUint64 } from '../rdx/zip.js'
import { decodeGenesis } from './genesis.js'
import { kindRange } from './keys.js'
import type { Signer } from './signer.js'

const FORMAT = 1

/** Bytes of a replica's id. */
export const REPLICA_ID_BYTES = 16

/** Where a store keeps the record; the `m` of meta keys included. */
export const REPLICA_KEY = encodeUtf8('mreplica')

/** Where a store is. */
export interface StorePlace {
  /** Of its directory, without links on the way. */
  readonly path: Uint8Array
  readonly inode: bigint
  /** When the directory was made, nanoseconds since 1970; 0 where that is not known. */
  readonly born: bigint
}

/** What a store knows of itself. */
export interface ReplicaRecord {
  readonly id: Uint8Array
  /** Undefined for a store that is not on a disk. */
  readonly place: StorePlace | undefined
  /** Streams that were begun here, ascending. */
  readonly own: readonly number[]
}

/** Who writes: the key, and the streams that it may go on with here. */
export interface Writer {
  readonly signer: Signer
  readonly replica: Replica
  /** Source of nonces, for tests; by default the system's. */
  readonly random?: ((bytes: number) => Uint8Array) | undefined
}

/** The record of a new replica, which has begun no streams yet. */
export function beginReplica(place: StorePlace | undefined, random = crypto.randomBytes): ReplicaRecord {
  return { id: random(REPLICA_ID_BYTES), place, own: [] }
}

/** The write that puts a record into a store. */
export function replicaOperation(record: ReplicaRecord): Operation {
  return { type: 'put', key: REPLICA_KEY, value: encodeReplica(record) }
}

export function encodeReplica({ id, place, own }: ReplicaRecord): Uint8Array {
  const out = new TlvWriter(128).record('V', zipUint(FORMAT)).record('R', id)
  if (place !== undefined) {
    out.record('P', place.path).record('I', zipUint64(place.inode)).record('B', zipUint64(place.born))
  }
  for (const stream of own) out.record('S', Uint8Array.of(stream >> 16, stream >> 8, stream))
  return out.copy()
}

/** @throws {CodedError} `BAD_RECORD` for bytes that `encodeReplica` does not write, `FORMAT_NEWER`. */
export function decodeReplica(value: Uint8Array): ReplicaRecord {
  const reader = new TlvReader(value)
  const format = unzipUint(reader.expect('V'))
  if (format !== FORMAT) {
    throw new CodedError('FORMAT_NEWER', `The record of the replica has format ${format}; this weft knows ${FORMAT}.`, {
      hint: 'Install a newer weft.',
    })
  }
  const id = reader.expect('R')
  const path = reader.optional('P')
  const place = path && { path, inode: unzipUint64(reader.expect('I')), born: unzipUint64(reader.expect('B')) }
  const own: number[] = []
  for (let s = reader.optional('S'); s !== undefined; s = reader.optional('S')) {
    const stream = s.length === 3 ? Buffer.from(s).readUIntBE(0, 3) : 0
    if (stream <= (own.at(-1) ?? 0)) throw malformed()
    own.push(stream)
  }
  reader.end()
  if (id.length !== REPLICA_ID_BYTES) throw malformed()
  return { id, place, own }
}

function malformed(): CodedError {
  return new CodedError('BAD_RECORD', 'The record of the replica is malformed.')
}

/** What a store knows of itself; undefined where nothing has been written since there are records. */
export async function readReplica(entries: EntryStore): Promise<ReplicaRecord | undefined> {
  const value = await entries.store.get(REPLICA_KEY)
  return value && decodeReplica(value)
}

/** A store as its writer finds it. Good for one batch: whoever writes more opens it anew. */
export class Replica {
  /** 16 bytes. */
  readonly id: Uint8Array
  /** Streams that may be gone on with, by whoever has the key of each. */
  readonly own: ReadonlySet<number>
  readonly #place: StorePlace | undefined
  /** Whether the store has this record already. */
  readonly #isStored: boolean

  private constructor(record: ReplicaRecord, isStored: boolean) {
    this.id = record.id
    this.own = new Set(record.own)
    this.#place = record.place
    this.#isStored = isStored
  }

  /**
   * Looks who a store is, and changes nothing.
   *
   * @param publicKey - Of the writer, whose streams an older store takes for its own; without one it takes none.
   * @param place - Where the store is now; undefined for one that is not on a disk, which is always where it was.
   * @throws {CodedError} `BAD_RECORD`, `FORMAT_NEWER`.
   */
  static async open(
    entries: EntryStore,
    publicKey: Uint8Array | undefined,
    place: StorePlace | undefined,
  ): Promise<Replica> {
    const record = await readReplica(entries)
    if (record !== undefined && isAt(record, place)) return new Replica(record, true)
    const own = record === undefined && publicKey !== undefined ? await streamsOf(entries, publicKey) : []
    return new Replica({ ...beginReplica(place), own }, false)
  }

  /**
   * What is to be written in the same batch as `added`, so that the streams that begin there are known to be own.
   *
   * @param added - Made here, all of it: whose geneses came from elsewhere passes none.
   */
  operations(added: Iterable<Entry>): Operation[] {
    const begun = [...added].flatMap(({ key }) => (key[0] === GENESIS ? lseqOfKey(key).stream : []))
    return begun.length === 0 && this.#isStored ? [] : [this.#with([...this.own, ...begun])]
  }

  /** What is to be written in the same batch in which own streams get other ids. @param ids - Old id -> new one. */
  renumbered(ids: ReadonlyMap<number, number>): Operation {
    return this.#with([...this.own].map((stream) => ids.get(stream) ?? stream))
  }

  #with(streams: Iterable<number>): Operation {
    const own = [...new Set(streams)].sort((a, b) => a - b)
    return replicaOperation({ id: this.id, place: this.#place, own })
  }
}

const GENESIS = 'K'.charCodeAt(0)

function isAt({ place: noted }: ReplicaRecord, place: StorePlace | undefined): boolean {
  if (place === undefined) return true
  if (noted === undefined || noted.inode !== place.inode || !equalBytes(noted.path, place.path)) return false
  return noted.born === place.born || noted.born === 0n || place.born === 0n
}

/** Streams that a key began, ascending. */
async function streamsOf(entries: EntryStore, publicKey: Uint8Array): Promise<number[]> {
  const own: number[] = []
  for await (const batch of entries.scan(kindRange('K'))) {
    for (let i = 0; i < batch.count; i++) {
      const { stream } = lseqOfKey(batch.key(i))
      if (stream !== 0 && equalBytes(decodeGenesis(batch.value(i)).publicKey, publicKey)) own.push(stream)
    }
  }
  return own
}
