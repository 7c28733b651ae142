/**
 * A packfile in the making: objects deflated one by one into a temporary file, which `git index-pack` then takes in.
 *
 *     'PACK' | version 2 (4) | number of objects (4) |
 *     object: type and size (varint), for a delta the way back to its base (varint), deflated bytes |
 *     checksum over all of it (20 or 32)
 *
 * The number of objects is known last and stands first: hence the file, which has no name any more as soon as it is open,
 * so that nothing is left of it however the process ends. git computes the id of every object that it takes in, resolves
 * every delta, and shows the pack to others when it is complete: so a pack is there whole, or not at all.
 * @see git's Documentation/gitformat-pack.txt.
 * @module
 */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { diskError } from '../repo/disk-error.js'
import { encodeDelta, newBytes } from './delta.js'
import { startGit } from './process.js'

/** git's numbers for types of objects. */
const TYPES = { commit: 1, tree: 2, blob: 3, tag: 4 } as const
const OFS_DELTA = 6

/** A type of object. */
export type ObjectType = keyof typeof TYPES

/** git's own limit for chains of deltas: a reader goes through all of one. */
const MAX_DEPTH = 50

const HEADER_BYTES = 12
const BUFFER_BYTES = 1 << 20

/** An object in the pack. */
interface Packed {
  readonly offset: number
  readonly size: number
  /** Length of the chain of deltas below it. */
  readonly depth: number
}

/** What an object has in common with one that is in the pack already. */
export interface DeltaBase {
  /** Binary string. */
  readonly id: string
  /** As for `encodeDelta`. */
  readonly copies: readonly number[]
}

/** Writes a pack. */
export class PackWriter implements Disposable {
  readonly #path: string
  readonly #file: number
  readonly #packed = new Map<string, Packed>()
  #buffer = Buffer.allocUnsafe(2 * BUFFER_BYTES)
  #filled = HEADER_BYTES
  #written = 0

  /**
   * @param directory - Where the file is made: on the disk that the pack goes to.
   * @throws {CodedError} `DISK_*`.
   */
  constructor(directory: string) {
    // The beginning of the name is the one by which `git gc` knows what may go, where it could not go at once.
    this.#path = join(directory, `tmp_weft_${process.pid}_${Date.now()}`)
    try {
      this.#file = openSync(this.#path, 'wx+', 0o600)
    } catch (error) {
      throw diskError(error, this.#path)
    }
    removeName(this.#path)
  }

  /** How many objects there are. */
  get objects(): number {
    return this.#packed.size
  }

  /** Bytes of the pack so far. */
  get bytes(): number {
    return this.#written + this.#filled
  }

  has(id: string): boolean {
    return this.#packed.has(id)
  }

  /**
   * Adds an object, unless it is there.
   *
   * @param id - Binary string; git will compute it too.
   * @throws {CodedError} `DISK_*`.
   */
  add(type: ObjectType, id: string, content: Uint8Array, base?: DeltaBase): void {
    if (this.#packed.has(id)) return
    const offset = this.bytes
    const known = base === undefined ? undefined : this.#packed.get(base.id)
    const worth = base !== undefined && 2 * newBytes(content.length, base.copies) < content.length
    if (base !== undefined && known !== undefined && worth && known.depth < MAX_DEPTH) {
      const delta = encodeDelta(known.size, content, base.copies)
      this.#write(objectHeader(OFS_DELTA, delta.length), backOffset(offset - known.offset), deflateSync(delta))
      this.#packed.set(id, { offset, size: content.length, depth: known.depth + 1 })
    } else {
      this.#write(objectHeader(TYPES[type], content.length), deflateSync(content))
      this.#packed.set(id, { offset, size: content.length, depth: 0 })
    }
  }

  /**
   * Hands the pack over to git. Without objects there is nothing to do.
   *
   * @param hashLength - 20 or 32: bytes of an id in that repository.
   * @throws {CodedError} `GIT_FAILED`, `DISK_*`.
   */
  async handOver(gitDir: string, hashLength: number, progress: (done: number, total: number) => void): Promise<void> {
    if (this.objects === 0) return
    this.#flush()
    const hash = createHash(hashLength === 20 ? 'sha1' : 'sha256')
    const git = startGit(gitDir, ['index-pack', '--stdin'])
    git.stdout.resume()
    const send = async (part: Buffer): Promise<void> => {
      if (git.stdin.write(part)) return
      // Where git ends before it has read all, it says why.
      await Promise.race([new Promise((resolve) => git.stdin.once('drain', resolve)), git.finished()])
    }
    try {
      for (let at = 0; at < this.#written; ) {
        const part = Buffer.allocUnsafe(Math.min(BUFFER_BYTES, this.#written - at))
        const size = readSync(this.#file, part, 0, part.length, at)
        if (at === 0) part.set(packHeader(this.objects))
        hash.update(part.subarray(0, size))
        await send(part.subarray(0, size))
        at += size
        progress(at, this.#written)
      }
      git.stdin.end(hash.digest())
      await git.finished()
    } catch (error) {
      git.kill()
      throw diskError(error, this.#path)
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
    removeName(this.#path)
  }

  #write(...parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      if (this.#filled + part.length > this.#buffer.length) this.#flush()
      if (part.length > this.#buffer.length) {
        this.#toDisk(part)
        continue
      }
      this.#buffer.set(part, this.#filled)
      this.#filled += part.length
    }
  }

  #flush(): void {
    this.#toDisk(this.#buffer.subarray(0, this.#filled))
    this.#filled = 0
  }

  #toDisk(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) {
        const size = writeSync(this.#file, bytes, at, bytes.length - at, this.#written)
        at += size
        this.#written += size
      }
    } catch (error) {
      throw diskError(error, this.#path)
    }
  }
}

/** Where a file that is open cannot lose its name, it loses it in the end. */
function removeName(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!['ENOENT', 'EBUSY', 'EPERM', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

function packHeader(objects: number): Buffer {
  const header = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1')
  header.writeUInt32BE(objects, 8)
  return header
}

/** Type and size: 3 bits of type and 4 of size in the first byte, then 7 bits of size a byte, least first. */
function objectHeader(type: number, size: number): Buffer {
  const bytes = [(type << 4) | (size & 15)]
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 0x80)) {
    bytes[bytes.length - 1] = (bytes.at(-1) as number) | 0x80
    bytes.push(rest % 0x80)
  }
  return Buffer.from(bytes)
}

/** The way back to a base: 7 bits a byte, greatest first, each byte but the last standing for one more than it says. */
function backOffset(distance: number): Buffer {
  const bytes = [distance % 0x80]
  for (let rest = Math.floor(distance / 0x80); rest > 0; rest = Math.floor(rest / 0x80)) {
    rest--
    bytes.unshift((rest % 0x80) | 0x80)
  }
  return Buffer.from(bytes)
}
