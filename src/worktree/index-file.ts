/**
 * The index: the tree of the version that the work tree was last made equal to (its *base*), with the stats of the files.
 *
 * It is derived: lost or damaged, it can be made anew from the store, at the cost of reading every file once. An index is
 * an immutable value; what is filled in later (roots of directories) follows from the rest.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { concatBytes, equalBytes, fromLatin1, toLatin1 } from '../base/bytes.js'
import type { VersionRef } from '../history/header.js'
import { encodePathPut } from '../history/path-entry.js'
import { type Leaf, type Tree, treeRoot } from '../history/tree.js'
import { encodeLseq, LSEQ_BYTES, readLseq } from '../lseq/lseq.js'
import { diskError } from '../repo/disk-error.js'
import { WEFT_DIRECTORY } from '../repo/layout.js'
import { Directories } from './directories.js'
import { type FileStat, fileClock, isSettled, LONGEST_TICK } from './file-stat.js'
import { IndexBuilder, type Tracked } from './index-builder.js'
import { type Columns, damaged, readColumns, STAMP_END, sealColumns, stampOf } from './index-columns.js'
import { CHUNKED, HAS_STAT, ROOT_KNOWN } from './index-flags.js'
import { type IndexLock, lockIndex, tryLockIndex } from './index-lock.js'

export type { Tracked } from './index-builder.js'

/** How long a command waits for another one that is writing the index, in milliseconds: that takes a few. */
const LOCK_WAIT = 2000

function indexPath(root: string): string {
  return join(root, WEFT_DIRECTORY, 'index')
}

export class WorkIndex {
  readonly #columns: Columns
  readonly #directories: Directories

  private constructor(columns: Columns) {
    this.#columns = columns
    this.#directories = new Directories(columns)
  }

  /**
   * The index of the work tree at `root`; undefined where there is none.
   *
   * @throws {CodedError} `INDEX_DAMAGED`, `DISK_*`.
   */
  static read(root: string): WorkIndex | undefined {
    const bytes = readWhole(indexPath(root))
    return bytes && new WorkIndex(readColumns(bytes))
  }

  /** Whether the work tree at `root` has an index. */
  static exists(root: string): boolean {
    return existsSync(indexPath(root))
  }

  /** The index that these bytes are. @throws {CodedError} `INDEX_DAMAGED`. */
  static decode(bytes: Uint8Array): WorkIndex {
    return new WorkIndex(readColumns(Uint8Array.from(bytes)))
  }

  /**
   * An index of the tree of `base`.
   *
   * @param base - Undefined where there is no version yet.
   * @param tracked - In ascending order of paths.
   * @throws {RangeError} When the order is another.
   */
  static build(base: VersionRef | undefined, tracked: Iterable<Tracked>): WorkIndex {
    const builder = new IndexBuilder()
    for (const entry of tracked) builder.add(entry)
    return new WorkIndex(builder.finish(encodeBase(base)))
  }

  /** The version whose tree this is; undefined where there is no version yet. */
  get base(): VersionRef | undefined {
    const { base } = this.#columns
    return base && { ...readLseq(base), id: Uint8Array.from(base.subarray(LSEQ_BYTES)) }
  }

  /** Number of entries. */
  get count(): number {
    return this.#columns.entries
  }

  /** The columns and their directories, for whoever goes over all of it in little time. Not to be written to. */
  get columns(): Columns {
    return this.#columns
  }

  get directories(): Directories {
    return this.#directories
  }

  /** The file as it is, to be compared. */
  encode(): Uint8Array {
    this.#fillRoots()
    sealColumns(this.#columns)
    return this.#columns.bytes
  }

  /** The last part of the path of entry `i`. */
  nameAt(i: number): string {
    const { names, nameEnd } = this.#columns
    return toLatin1(names, i === 0 ? 0 : nameEnd[i - 1], nameEnd[i])
  }

  pathAt(i: number): string {
    return this.#directories.prefixOf(i) + this.nameAt(i)
  }

  /** The stat of entry `i`; undefined where it is not known. */
  statAt(i: number): FileStat | undefined {
    const { flags, mtime, ctime, inode, size } = this.#columns
    if (((flags[i] as number) & HAS_STAT) === 0) return undefined
    return {
      mtime: mtime[i] as number,
      ctime: ctime[i] as number,
      inode: inode[i] as number,
      size: size[i] as number,
    }
  }

  /** The SHA-256 of entry `i`: a view. */
  digestAt(i: number): Uint8Array {
    return this.#columns.sha256.subarray(32 * i, 32 * i + 32)
  }

  /** Entry `i`, `0 <= i < count`, in ascending order of paths. */
  at(i: number): Tracked {
    const { mode, seq, stream, size, flags, entries } = this.#columns
    if (!(i >= 0 && i < entries)) throw new RangeError(`i: expected one of ${entries}, got ${i}`)
    return {
      path: this.pathAt(i),
      mode: mode[i] as number,
      file: { seq: seq[i] as number, stream: stream[i] as number },
      size: size[i] as number,
      sha256: this.digestAt(i),
      chunked: ((flags[i] as number) & CHUNKED) !== 0,
      stat: this.statAt(i),
    }
  }

  /** The number of the entry at `path`; -1 where there is none. */
  find(path: string): number {
    const i = this.lowerBound(path)
    return i < this.count && this.pathAt(i) === path ? i : -1
  }

  /** The entry at `path`. */
  get(path: string): Tracked | undefined {
    const i = this.find(path)
    return i < 0 ? undefined : this.at(i)
  }

  /** The first entry, from `from` on, whose path is not below `path`. Near ones are found sooner. */
  lowerBound(path: string, from = 0): number {
    let low = from
    let step = 1
    while (low + step <= this.count && this.pathAt(low + step - 1) < path) {
      low += step
      step *= 2
    }
    let high = Math.min(this.count, low + step - 1)
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.pathAt(middle) < path) low = middle + 1
      else high = middle
    }
    return low
  }

  /** All entries, in ascending order of paths. */
  *all(): IterableIterator<Tracked> {
    for (let i = 0; i < this.count; i++) yield this.at(i)
  }

  /** All entries at `path` and below it. */
  *below(path: string): IterableIterator<Tracked> {
    if (path === '') {
      yield* this.all()
      return
    }
    const file = this.find(path)
    if (file >= 0) yield this.at(file)
    const k = this.#directories.find(`${path}/`)
    if (k === undefined) return
    for (let i = this.#columns.first[k] as number; i < (this.#columns.end[k] as number); i++) yield this.at(i)
  }

  /**
   * The index with other entries at some paths, none where undefined. What directories without a change have is kept.
   *
   * @param base - The version whose tree it then is.
   */
  with(base: VersionRef | undefined, changes: ReadonlyMap<string, Tracked | undefined>): WorkIndex {
    const builder = new IndexBuilder(this.count + changes.size)
    const span = { columns: this.#columns, prefixOf: this.#prefixOf, runEnd: this.#runEnd }
    const changed = new Set<string>()
    let at = 0
    for (const path of [...changes.keys()].sort()) {
      const to = this.lowerBound(path, at)
      builder.addSpan(span, at, to)
      const old = to < this.count && this.pathAt(to) === path ? this.at(to) : undefined
      const put = changes.get(path)
      if (put !== undefined) builder.add(put)
      at = old === undefined ? to : to + 1
      if (!sameFile(old, put)) markDirectories(path, changed)
    }
    builder.addSpan(span, at, this.count)
    const next = new WorkIndex(builder.finish(encodeBase(base)))
    next.#takeRoots(this, changed)
    return next
  }

  readonly #prefixOf = (i: number): string => this.#directories.prefixOf(i)
  readonly #runEnd = (i: number): number => this.#directories.runEnd(i)

  /** The same index with stats that were found to be true, by number of entry. */
  withStats(stats: ReadonlyMap<number, FileStat>): WorkIndex {
    const next = new WorkIndex(readColumns(Uint8Array.from(this.encode())))
    const { flags, mtime, ctime, inode } = next.#columns
    for (const [i, stat] of stats) {
      flags[i] = (flags[i] as number) | HAS_STAT
      mtime[i] = stat.mtime
      ctime[i] = stat.ctime
      inode[i] = stat.inode
    }
    return next
  }

  #takeRoots(older: WorkIndex, changed: ReadonlySet<string>): void {
    const { dirFlags, roots } = older.#columns
    this.#directories.prefixes.forEach((prefix, k) => {
      const from = changed.has(prefix) ? undefined : older.#directories.find(prefix)
      if (from !== undefined && ((dirFlags[from] as number) & ROOT_KNOWN) !== 0) {
        this.#setRoot(k, roots.subarray(32 * from, 32 * from + 32))
      }
    })
  }

  #setRoot(k: number, root: Uint8Array): void {
    this.#columns.roots.set(root, 32 * k)
    this.#columns.dirFlags[k] = (this.#columns.dirFlags[k] as number) | ROOT_KNOWN
  }

  /** The root of the whole tree (history/tree.ts), a binary string of 32 chars. */
  treeRoot(): string {
    return this.count === 0 ? treeRoot(this.treeFor([])) : this.#rootOf(0)
  }

  #rootOf(k: number): string {
    const { dirFlags, roots } = this.#columns
    if (((dirFlags[k] as number) & ROOT_KNOWN) === 0) this.#setRoot(k, fromLatin1(treeRoot(this.#directory(k))))
    return toLatin1(roots, 32 * k, 32 * k + 32)
  }

  /** Numbers behind their parents', so that each finds those below it done. */
  #fillRoots(): void {
    if (this.count === 0) return
    for (let k = this.#columns.directories - 1; k >= 0; k--) this.#rootOf(k)
  }

  /**
   * The tree with the directories on the way to `paths` in full. All others are closed: they have their root and nothing
   * else, so no path below them may be looked up or set.
   */
  treeFor(paths: Iterable<string>): Tree<Leaf> {
    const open = new Set<string>()
    for (const path of paths) markDirectories(path, open)
    return this.#directory(0, open)
  }

  #directory(k: number, open: ReadonlySet<string> = NONE): Tree<Leaf> {
    const fileNames: string[] = []
    const files: Leaf[] = []
    const dirs: [name: string, tree: Tree<Leaf>][] = []
    let at = this.#columns.first[k] as number
    const filesTo = (end: number): void => {
      for (; at < end; at++) {
        fileNames.push(this.nameAt(at))
        files.push({ touch: 0, value: toLatin1(encodePathPut(this.at(at))) })
      }
    }
    const own = this.#directories.prefixes[k] as string
    this.#directories.eachChild(k, (child) => {
      filesTo(this.#columns.first[child] as number)
      at = this.#columns.end[child] as number
      const prefix = this.#directories.prefixes[child] as string
      const tree = open.has(prefix) ? this.#directory(child, open) : { ...CLOSED, root: this.#rootOf(child) }
      dirs.push([prefix.slice(own.length, -1), tree])
    })
    filesTo(this.#columns.end[k] as number)
    // Paths are in order with their slashes, names without.
    dirs.sort(([a], [b]) => (a < b ? -1 : 1))
    return { fileNames, files, dirNames: dirs.map(([name]) => name), dirs: dirs.map(([, tree]) => tree) }
  }

  /**
   * Makes this the index of the work tree at `root`, atomically. Stats that are not settled by now are dropped, so that
   * those files are read when they are looked at next.
   *
   * @throws {CodedError} `INDEX_LOCKED` when another process is writing it for long, `DISK_*`.
   */
  write(root: string): void {
    using lock = lockIndex(root, LOCK_WAIT)
    this.#replace(root, lock)
  }

  /**
   * Like `write`, but gives up where another process is writing or has written since this was read from `before`.
   *
   * @returns Whether it was written.
   */
  writeUnlessChanged(root: string, before: WorkIndex): boolean {
    using lock = tryLockIndex(root)
    const stamp = readStamp(indexPath(root))
    if (lock === undefined || stamp === undefined || !equalBytes(stamp, before.#columns.stamp)) return false
    this.#replace(root, lock)
    return true
  }

  #replace(root: string, lock: IndexLock): void {
    const path = indexPath(root)
    this.#dropUnsettled(fileClock(root))
    this.#columns.stamp.set(randomBytes(8))
    const bytes = this.encode()
    const beside = `${path}.${process.pid}`
    try {
      writeWhole(beside, bytes)
      lock.assertHeld()
      renameSync(beside, path)
    } catch (error) {
      rmSync(beside, { force: true })
      throw diskError(error, path)
    }
  }

  #dropUnsettled(clock: number): void {
    const { flags, mtime, ctime, inode } = this.#columns
    for (let i = 0; i < this.count; i++) {
      // Nearly all are old, and are done with at once.
      if (Math.max(mtime[i] as number, ctime[i] as number) + LONGEST_TICK <= clock) continue
      const stat = this.statAt(i)
      if (stat === undefined || isSettled(stat, clock)) continue
      flags[i] = (flags[i] as number) & ~HAS_STAT
      mtime[i] = 0
      ctime[i] = 0
      inode[i] = 0
    }
  }
}

const NONE: ReadonlySet<string> = new Set()
const CLOSED = { fileNames: [], files: [], dirNames: [], dirs: [] }

function encodeBase(base: VersionRef | undefined): Uint8Array | undefined {
  return base && concatBytes(encodeLseq(base.seq, base.stream), base.id)
}

/** Whether two entries are the same in a tree, whatever their stats. */
function sameFile(a: Tracked | undefined, b: Tracked | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  const same = a.mode === b.mode && a.size === b.size && a.chunked === b.chunked
  return same && a.file.seq === b.file.seq && a.file.stream === b.file.stream && equalBytes(a.sha256, b.sha256)
}

/** Puts the prefixes of all directories on the way to a path into a set. */
function markDirectories(path: string, into: Set<string>): void {
  for (let slash = path.lastIndexOf('/'); slash >= 0; slash = path.lastIndexOf('/', slash - 1)) {
    const prefix = path.slice(0, slash + 1)
    if (into.has(prefix)) return
    into.add(prefix)
    if (slash === 0) break
  }
  into.add('')
}

/** Opens a file to be read; undefined where there is none. */
function openIndex(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw diskError(error, path)
  }
}

/** The bytes of a file, at offset 0 of a buffer of their own; undefined where there is none. */
function readWhole(path: string): Uint8Array | undefined {
  const file = openIndex(path)
  if (file === undefined) return undefined
  try {
    const { size } = fstatSync(file)
    if (size > MAX_INDEX) throw damaged('its length')
    // A large one may be looked through by two threads.
    const bytes = new Uint8Array(size < LARGE ? new ArrayBuffer(size) : new SharedArrayBuffer(size))
    let at = 0
    for (let read = -1; at < size && read !== 0; at += read) read = readSync(file, bytes, at, size - at, null)
    if (at < size) throw damaged('its length')
    return bytes
  } catch (error) {
    throw diskError(error, path)
  } finally {
    closeSync(file)
  }
}

/** More than an index of ten million files has. */
const MAX_INDEX = 2 ** 31 - 1

/** An index of some ten thousand files. */
const LARGE = 1 << 20

function readStamp(path: string): Uint8Array | undefined {
  const file = openIndex(path)
  if (file === undefined) return undefined
  try {
    const header = new Uint8Array(STAMP_END)
    return stampOf(header.subarray(0, readSync(file, header, 0, STAMP_END, 0)))
  } finally {
    closeSync(file)
  }
}

function writeWhole(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'w')
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
  } finally {
    closeSync(file)
  }
}
