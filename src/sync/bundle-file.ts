/**
 * A bundle: what one side of an exchange would send, in a file, for carriers that are no wire.
 *
 *     w  magic     `weft bundle\n`: with its header the file's first 14 bytes, 77 0c 77 65 66 74 20 62 75 6e 64 6c 65 0a
 *     H  head      below
 *     P* B ...     batches of versions, as in an exchange         what is newer than `s`, parents first
 *     or P* B S*   loose entries, then stored pages               a whole repository, as a clone is sent it
 *     z  end       SHA-256 (32) of all bytes before this frame: with its header the file's last 34 bytes
 *
 *     head:  v  format, zipped: 1
 *            i  repository (32)
 *            r  replica (16) that made it; left out where there is none
 *            b  branch on which its work tree stands, UTF-8; left out where there is none
 *            s  tips since which it brings what is new: for anyone at or above them. Left out of a whole repository
 *            t  tips that it brings
 *
 * Frames and tips are those of the protocol (`README.md`). The checksum says whether the file is the one that was written: who
 * can compute it can write anything, so nothing in a bundle is believed for it. A file that is cut off or was changed on the
 * way is `BUNDLE_DAMAGED`, before anything of it is used; one whose checksum holds and which is still not drawn as above is
 * `BUNDLE_BAD`.
 *
 * Written beside its place and renamed, so that a bundle is there whole or not at all. Read as it comes: a frame at a time.
 * @module
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, lstat, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { compareBytes, decodeUtf8Lossy, encodeUtf8, equalBytes } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { decodeTips, encodeTips, Tips } from '../history/published.js'
import { encodeRecord, TlvReader, TlvWriter } from '../rdx/tlv.js'
import { unzipUint, zipUint } from '../rdx/zip.js'
import { diskError } from '../repo/disk-error.js'
import { syncDirectory } from '../repo/durable.js'
import type { Exchange } from './exchange.js'
import { type Frame, FrameReader } from './frames.js'
import { FRAME } from './messages.js'

/** The format that this code writes and reads. */
const FORMAT = 1

/** What every bundle begins with. */
const MAGIC = encodeRecord('W', encodeUtf8('weft bundle\n'))

const SHA256_BYTES = 32

/** Header of the end frame, and all of it. */
const END_HEADER = encodeRecord('Z', new Uint8Array(SHA256_BYTES)).subarray(0, 2)
const END_BYTES = END_HEADER.length + SHA256_BYTES

/** Bytes that are written or read at a time. */
const PIECE_BYTES = 1 << 20

/** Bytes of the longest head: tips of a hundred thousand streams. */
const HEAD_LIMIT = 4 << 20

/** What a bundle says of itself. */
export interface BundleHead {
  /** 32 bytes. */
  readonly repository: Uint8Array
  /** 16 bytes; of the replica that made it. */
  readonly replica: Uint8Array | undefined
  /** The branch on which a clone begins. */
  readonly branch: string | undefined
  /** It brings what is newer than these; none for a whole repository. */
  readonly since: Tips
  /** What it brings, up to where. */
  readonly tips: Tips
}

export function encodeHead({ repository, replica, branch, since, tips }: BundleHead): Uint8Array {
  const out = new TlvWriter(128 + (since.size + tips.size) * 12).record('V', zipUint(FORMAT)).record('I', repository)
  if (replica !== undefined) out.record('R', replica)
  if (branch !== undefined) out.record('B', encodeUtf8(branch))
  if (since.size > 0) out.record('S', encodeTips(since))
  return out.record('T', encodeTips(tips)).copy()
}

/** @throws {CodedError} `FORMAT_NEWER` whatever else is said; `BAD_RECORD`. */
export function decodeHead(body: Uint8Array): BundleHead {
  const reader = new TlvReader(body)
  const format = unzipUint(reader.expect('V'))
  if (format !== FORMAT) {
    throw new CodedError('FORMAT_NEWER', `The bundle has format ${format}; this weft knows ${FORMAT}.`, {
      hint: 'Install a newer weft.',
    })
  }
  const repository = sized(reader.expect('I'), 32)
  const replica = reader.optional('R')
  const branch = reader.optional('B')
  const since = reader.optional('S')
  const tips = decodeTips(reader.expect('T'))
  reader.end()
  return {
    repository,
    replica: replica && sized(replica, 16),
    branch: branch && decodeUtf8Lossy(branch),
    since: since === undefined ? new Tips() : decodeTips(since),
    tips,
  }
}

function sized(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return Uint8Array.from(bytes)
  throw new CodedError('BAD_RECORD', `An id in the head of a bundle has ${bytes.length} bytes instead of ${length}.`)
}

/** How to write a bundle. */
export interface WriteBundleOptions {
  /** Write over a file that is there. */
  readonly force?: boolean | undefined
}

/**
 * Writes a bundle.
 *
 * @param fill - Given where frames go, writes those of the body.
 * @returns Its bytes.
 * @throws {CodedError} `FILE_EXISTS`, `DISK_*`, `DIR_NOT_FOUND`; what `fill` throws. There is no file then, or still the old one.
 */
export async function writeBundle(
  path: string,
  head: BundleHead,
  fill: (frames: Pick<Exchange, 'write'>) => Promise<void>,
  { force = false }: WriteBundleOptions = {},
): Promise<number> {
  if (!force && (await lstat(path).catch(() => undefined)) !== undefined) throw exists(path)
  const beside = `${path}.${process.pid}.new`
  const told = (error: unknown): never => {
    throw diskError(error, path)
  }
  try {
    await using file = await open(beside, 'w').catch(told)
    const out = new Output(file, told)
    await out.write(MAGIC)
    await out.write(encodeRecord(FRAME.hello, encodeHead(head)))
    await fill(out)
    await out.end()
    await file.sync().catch(told)
    await rename(beside, path).catch(told)
    syncDirectory(dirname(path))
    return out.bytes
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined)
    throw error
  }
}

/** Gathers frames into larger writes, and knows the checksum of all that went through. */
class Output implements Pick<Exchange, 'write'> {
  readonly #file: FileHandle
  readonly #told: (error: unknown) => never
  readonly #hash = createHash('sha256')
  #held: Uint8Array[] = []
  #length = 0
  bytes = 0

  constructor(file: FileHandle, told: (error: unknown) => never) {
    this.#file = file
    this.#told = told
  }

  readonly write = async (bytes: Uint8Array): Promise<void> => {
    this.#hash.update(bytes)
    await this.#put(bytes)
  }

  async end(): Promise<void> {
    await this.#put(encodeRecord('Z', this.#hash.digest()))
    await this.#flush()
  }

  async #put(bytes: Uint8Array): Promise<void> {
    this.bytes += bytes.length
    this.#length += bytes.length
    this.#held.push(bytes)
    if (this.#length >= PIECE_BYTES) await this.#flush()
  }

  async #flush(): Promise<void> {
    const held = this.#held
    this.#held = []
    this.#length = 0
    await this.#file.writev(held).catch(this.#told)
  }
}

function exists(path: string): CodedError {
  return new CodedError('FILE_EXISTS', `${path} is there already.`, {
    hint: 'Choose another name, or add --force to write over it.',
  })
}

/** A bundle whose checksum holds. */
export interface Bundle {
  readonly path: string
  readonly bytes: number
  readonly head: BundleHead
  /** Whether it holds a whole repository as stored pages, and not batches of versions. */
  readonly isWhole: boolean
  /**
   * The frames of its body, in order.
   *
   * @throws {CodedError} `BUNDLE_BAD`.
   */
  frames(): AsyncGenerator<Frame>
}

/**
 * Opens a bundle: its head is read, and all of it compared with its checksum.
 *
 * @throws {CodedError} `INPUT_UNREADABLE`, `BUNDLE_DAMAGED`, `BUNDLE_BAD`, `FORMAT_NEWER`.
 */
export async function openBundle(path: string): Promise<Bundle> {
  const unreadable = (error: unknown): never => {
    throw new CodedError('INPUT_UNREADABLE', `${path} cannot be read: ${(error as Error).message}.`, { cause: error })
  }
  const found = await stat(path).catch(unreadable)
  if (!found.isFile()) throw bad(path, 'it is no file')
  const { size } = found
  await using file = await open(path).catch(unreadable)
  const begin = await bytesAt(file, 0, Math.min(size, MAGIC.length)).catch(unreadable)
  if (compareBytes(begin, MAGIC.subarray(0, begin.length)) !== 0) throw noBundle(path, begin)
  const end =
    size < MAGIC.length + END_BYTES ? undefined : await bytesAt(file, size - END_BYTES, END_BYTES).catch(unreadable)
  if (end === undefined || !equalBytes(end.subarray(0, END_HEADER.length), END_HEADER)) {
    throw damaged(path, 'it is cut off, or its end is another one')
  }
  const body = size - END_BYTES
  const hash = createHash('sha256')
  for await (const piece of pieces(path, 0, body)) hash.update(piece)
  if (!equalBytes(hash.digest(), end.subarray(END_HEADER.length))) throw damaged(path, 'its checksum does not hold')

  const reader = new FrameReader(pieces(path, MAGIC.length, body), HEAD_LIMIT)
  const { head, length } = await read(path, async () => {
    const frame = await reader.next()
    if (frame?.type !== FRAME.hello) throw bad(path, 'it has no head')
    return { head: decodeHead(frame.body), length: encodeRecord(FRAME.hello, frame.body).length }
  }).finally(() => reader.close())
  const isWhole = head.since.size === 0
  return { path, bytes: size, head, isWhole, frames: () => frames(path, MAGIC.length + length, body, isWhole) }
}

async function* frames(path: string, start: number, end: number, isWhole: boolean): AsyncGenerator<Frame> {
  const reader = new FrameReader(pieces(path, start, end))
  try {
    for (;;) {
      const frame = await read(path, () => reader.next())
      if (frame === undefined) return
      const { type } = frame
      const isKnown = type === FRAME.page || type === FRAME.batch || (isWhole && type === FRAME.stored)
      if (!isKnown) throw bad(path, `a frame ${type} has no place in it`)
      yield frame
    }
  } finally {
    await reader.close()
  }
}

/** The bytes `[start, end)` of a file. */
async function* pieces(path: string, start: number, end: number): AsyncGenerator<Uint8Array> {
  if (start >= end) return
  yield* createReadStream(path, { start, end: end - 1, highWaterMark: PIECE_BYTES }) as AsyncIterable<Uint8Array>
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read({ buffer: new Uint8Array(length), position, length })
  return buffer.subarray(0, bytesRead)
}

/** Reads a part of a bundle: what does not fit the format there is said of the bundle. */
export async function read<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof CodedError) || error.blame !== 'data' || error.code.startsWith('BUNDLE_')) throw error
    throw bad(path, error.message, error)
  }
}

function damaged(path: string, what: string): CodedError {
  return new CodedError('BUNDLE_DAMAGED', `The bundle ${path} is damaged: ${what}.`, {
    hint: 'Copy it again from where it was made.',
  })
}

/** The error for a file that nobody damaged, and that is still no bundle as weft makes them. */
export function bad(path: string, what: string, cause?: unknown): CodedError {
  return new CodedError('BUNDLE_BAD', `${path} is not made as a bundle has to be: ${what.replace(/\.$/, '')}.`, {
    hint: 'Nothing of it was used that did not hold. Ask whoever made it.',
    cause,
  })
}

function noBundle(path: string, begin: Uint8Array): CodedError {
  const isGit = decodeUtf8Lossy(begin).startsWith('# v')
  return new CodedError('BUNDLE_BAD', `${path} is not a weft bundle.`, {
    hint: isGit ? '`weft git import` takes bundles that git made.' : '`weft bundle create` makes them.',
  })
}
