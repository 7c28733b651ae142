/**
 * Putting an index together, entry by entry in byte order of the paths: new ones, and spans of an older index.
 * @module
 */
import { fromLatin1, writeLatin1 } from '../base/bytes.js'
import type { Lseq } from '../lseq/lseq.js'
import type { FileStat } from './file-stat.js'
import { allocateColumns, type Columns } from './index-columns.js'
import { CHUNKED, HAS_STAT } from './index-flags.js'

/** One path of the version that the work tree was last made equal to. */
export interface Tracked {
  /** Binary string. */
  readonly path: string
  readonly mode: number
  readonly file: Lseq
  /** Of the content, in bytes. */
  readonly size: number
  /** Of the content, 32 bytes. */
  readonly sha256: Uint8Array
  readonly chunked: boolean
  /** With this stat the file in the work tree had that content; undefined where it must be read to know. */
  readonly stat: FileStat | undefined
}

/** Directories of an index by entry: `enter` is called where another one begins. */
export interface Span {
  readonly columns: Columns
  /** Path of the directory that entry `i` is in, with a slash behind it; empty for the top. */
  prefixOf(i: number): string
  /** The first entry behind `i` that may be in another directory. */
  runEnd(i: number): number
}

interface Open {
  readonly number: number
  readonly prefix: string
}

/** Collects entries. Paths must come in ascending order, which is checked where they are given as text. */
export class IndexBuilder {
  #count = 0
  #f64 = new Float64Array(5 * 64)
  #u32 = new Uint32Array(3 * 64)
  #digests = new Uint8Array(32 * 64)
  #flags = new Uint8Array(64)
  #names = new Uint8Array(1024)
  #nameBytes = 0
  readonly #parent: number[] = [0]
  readonly #first: number[] = [0]
  readonly #end: number[] = [0]
  readonly #dirNames: string[] = ['']
  readonly #open: Open[] = [{ number: 0, prefix: '' }]
  #last: string | undefined

  /** @param count - Entries to expect: a hint. */
  constructor(count = 64) {
    this.#reserve(count)
  }

  /** Adds one entry. */
  add(tracked: Tracked): void {
    const { path, mode, file, size, sha256, chunked, stat } = tracked
    if (this.#last !== undefined && path <= this.#last) throw new RangeError(`path: expected one after ${this.#last}`)
    if (sha256.length !== 32) throw new RangeError(`sha256: expected 32 bytes, got ${sha256.length}`)
    this.#last = path
    const slash = path.lastIndexOf('/') + 1
    this.#enter(path.slice(0, slash))
    this.#reserve(this.#count + 1)
    const i = this.#count++
    this.#f64.set([size, stat?.mtime ?? 0, stat?.ctime ?? 0, stat?.inode ?? 0, file.seq], 5 * i)
    this.#nameBytes = this.#addName(path.slice(slash))
    this.#u32.set([file.stream, mode, this.#nameBytes], 3 * i)
    this.#digests.set(sha256, 32 * i)
    this.#flags[i] = (chunked ? CHUNKED : 0) | (stat === undefined || stat.size !== size ? 0 : HAS_STAT)
  }

  /** Adds the entries `[from, to)` of an older index. */
  addSpan(span: Span, from: number, to: number): void {
    this.#last = undefined
    for (let at = from; at < to; ) {
      const end = Math.min(to, span.runEnd(at))
      this.#enter(span.prefixOf(at))
      this.#copy(span.columns, at, end)
      at = end
    }
  }

  #copy(old: Columns, from: number, to: number): void {
    this.#reserve(this.#count + to - from)
    const nameStart = from === 0 ? 0 : (old.nameEnd[from - 1] as number)
    const shift = this.#nameBytes - nameStart
    const f64 = this.#f64
    const u32 = this.#u32
    for (let i = from, f = 5 * this.#count, u = 3 * this.#count; i < to; i++) {
      f64[f++] = old.size[i] as number
      f64[f++] = old.mtime[i] as number
      f64[f++] = old.ctime[i] as number
      f64[f++] = old.inode[i] as number
      f64[f++] = old.seq[i] as number
      u32[u++] = old.stream[i] as number
      u32[u++] = old.mode[i] as number
      u32[u++] = (old.nameEnd[i] as number) + shift
    }
    const names = old.names.subarray(nameStart, old.nameEnd[to - 1])
    this.#reserveNames(this.#nameBytes + names.length)
    this.#names.set(names, this.#nameBytes)
    this.#nameBytes += names.length
    this.#digests.set(old.sha256.subarray(32 * from, 32 * to), 32 * this.#count)
    this.#flags.set(old.flags.subarray(from, to), this.#count)
    this.#count += to - from
  }

  /** Makes the directory with this prefix the one that the next entry is in. */
  #enter(prefix: string): void {
    let top = this.#open.at(-1) as Open
    while (!prefix.startsWith(top.prefix)) {
      this.#end[top.number] = this.#count
      this.#open.pop()
      top = this.#open.at(-1) as Open
    }
    for (let from = top.prefix.length; from < prefix.length; ) {
      const slash = prefix.indexOf('/', from)
      const number = this.#parent.push(top.number) - 1
      this.#first.push(this.#count)
      this.#end.push(0)
      this.#dirNames.push(prefix.slice(from, slash))
      from = slash + 1
      top = { number, prefix: prefix.slice(0, from) }
      this.#open.push(top)
    }
  }

  #addName(name: string): number {
    this.#reserveNames(this.#nameBytes + name.length)
    return this.#nameBytes + writeLatin1(this.#names, name, this.#nameBytes)
  }

  #reserve(count: number): void {
    const room = this.#flags.length
    if (count <= room) return
    const more = Math.max(count, 2 * room)
    this.#f64 = grown(this.#f64, new Float64Array(5 * more))
    this.#u32 = grown(this.#u32, new Uint32Array(3 * more))
    this.#digests = grown(this.#digests, new Uint8Array(32 * more))
    this.#flags = grown(this.#flags, new Uint8Array(more))
  }

  #reserveNames(bytes: number): void {
    if (bytes > this.#names.length) {
      this.#names = grown(this.#names, new Uint8Array(Math.max(bytes, 2 * this.#names.length)))
    }
  }

  /** The columns of all that was added. */
  finish(base: Uint8Array | undefined): Columns {
    for (const { number } of this.#open) this.#end[number] = this.#count
    const dirNames = fromLatin1(this.#dirNames.join(''))
    const count = this.#count
    const columns = allocateColumns(
      {
        entries: count,
        directories: this.#parent.length,
        nameBytes: this.#nameBytes,
        dirNameBytes: dirNames.length,
      },
      base,
    )
    const { size, mtime, ctime, inode, seq, stream, mode, nameEnd } = columns
    const f64 = this.#f64
    const u32 = this.#u32
    for (let i = 0, f = 0, u = 0; i < count; i++) {
      size[i] = f64[f++] as number
      mtime[i] = f64[f++] as number
      ctime[i] = f64[f++] as number
      inode[i] = f64[f++] as number
      seq[i] = f64[f++] as number
      stream[i] = u32[u++] as number
      mode[i] = u32[u++] as number
      nameEnd[i] = u32[u++] as number
    }
    columns.sha256.set(this.#digests.subarray(0, 32 * count))
    columns.flags.set(this.#flags.subarray(0, count))
    columns.names.set(this.#names.subarray(0, this.#nameBytes))
    columns.parent.set(this.#parent)
    columns.first.set(this.#first)
    columns.end.set(this.#end)
    let end = 0
    columns.dirNameEnd.set(this.#dirNames.map((name) => (end += name.length)))
    columns.dirNames.set(dirNames)
    return columns
  }
}

function grown<T extends Uint8Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}
