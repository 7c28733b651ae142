/**
 * Renames that nobody announced: among the paths of a scan, which new file is one that is not where it was.
 *
 * First by content: the same SHA-256. Then by likeness, which is the share of the longer file's bytes that are in lines
 * the two have in common, wherever they stand, counted as often as both have them; from a half on it is the same file.
 * The likest pair is matched first, and each file once. Empty files are matched by name alone, since their content says
 * nothing, and links only with links.
 *
 * Work is bounded: who moves ten thousand files and changes each of them gets deletions and new files.
 * @see git, diffcore-rename.c and diffcore-delta.c, whose measure and threshold these are.
 * @module
 */
import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { equalBytes } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import { kindOf } from '../repo/mode.js'
import { diskPath } from './disk-path.js'
import { hashFile } from './hash-file.js'
import type { Tracked } from './index-file.js'
import type { Found, Scan } from './scan.js'

/** A file and its new path. */
export interface Rename {
  readonly from: Tracked
  /** Binary string. */
  readonly to: string
  /** Share of the longer content that both have: 1 where they are the same. */
  readonly likeness: number
}

/** New files that are hashed to find the same content. */
const EXACT_LIMIT = 10_000

/** Pairs that are compared by their lines: git's limit is 1,000 files on either side. */
const PAIR_LIMIT = 250_000

/** Longer contents are not compared by lines, in bytes. */
const LIKENESS_BYTES = 16 * 1024 * 1024

/** Bytes of contents that are read to be compared by lines, on either side. */
const TOTAL_BYTES = 256 * 1024 * 1024

/** From this likeness on it is the same file. */
const THRESHOLD = 0.5

/** A new file that has no past yet. */
interface Fresh {
  readonly path: string
  readonly found: Found
}

/** What is left to be matched. */
interface Loose {
  readonly deleted: Map<string, Tracked>
  readonly added: Map<string, Fresh>
}

function looseOf({ changes }: Scan, known: ReadonlyMap<string, Tracked>): Loose {
  const deleted = new Map<string, Tracked>()
  const added = new Map<string, Fresh>()
  for (const { path, tracked, found } of changes) {
    if (found === undefined) deleted.set(path, tracked as Tracked)
    else if (tracked === undefined && !known.has(path)) added.set(path, { path, found })
  }
  for (const { path } of known.values()) deleted.delete(path)
  return { deleted, added }
}

function settle({ deleted, added }: Loose, from: Tracked, to: Fresh, likeness: number): Rename {
  deleted.delete(from.path)
  added.delete(to.path)
  return { from, to: to.path, likeness }
}

/**
 * The renames in which the content stayed the same. Needs no content of files that are gone, and so no store.
 *
 * @param known - Renames that were announced, by the new path: neither side is matched again.
 * @returns In ascending order of new paths.
 */
export function exactRenames(scan: Scan, known: ReadonlyMap<string, Tracked> = new Map()): Rename[] {
  return matchExact(scan.root, looseOf(scan, known)).sort(byNewPath)
}

/**
 * All renames: the same content, and one that is alike.
 *
 * @param contentOf - The content of a file that is gone.
 * @returns In ascending order of new paths.
 */
export async function findRenames(
  scan: Scan,
  known: ReadonlyMap<string, Tracked>,
  contentOf: (tracked: Tracked) => Promise<Uint8Array>,
): Promise<Rename[]> {
  const loose = looseOf(scan, known)
  const exact = matchExact(scan.root, loose)
  return [...exact, ...(await matchAlike(scan.root, loose, contentOf))].sort(byNewPath)
}

function byNewPath(a: Rename, b: Rename): number {
  return a.to < b.to ? -1 : 1
}

function matchExact(root: string, loose: Loose): Rename[] {
  const { deleted, added } = loose
  const bySize = new Map<number, Tracked[]>()
  for (const tracked of deleted.values()) getOrMake(bySize, tracked.size, () => []).push(tracked)
  const renames: Rename[] = []
  let left = EXACT_LIMIT
  for (const fresh of [...added.values()].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const candidates = (bySize.get(fresh.found.size) ?? []).filter((old) => deleted.has(old.path) && mayBe(old, fresh))
    if (candidates.length === 0 || left-- === 0) continue
    const sha256 = digestOf(root, fresh)
    const same = sha256 === undefined ? [] : candidates.filter((old) => equalBytes(old.sha256, sha256))
    const from = same.find((old) => lastName(old.path) === lastName(fresh.path)) ?? same[0]
    if (from !== undefined) renames.push(settle(loose, from, fresh, 1))
  }
  return renames
}

/** Whether two could be one file: links are none of files, and of empty files the name must tell. */
function mayBe(old: Tracked, { path, found }: Fresh): boolean {
  if (!isSameKind(old.mode, found.mode)) return false
  return found.size > 0 || lastName(old.path) === lastName(path)
}

function isSameKind(a: number, b: number): boolean {
  return (kindOf(a) === 'symlink') === (kindOf(b) === 'symlink') && kindOf(a) !== 'submodule'
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** @returns Undefined where the file cannot be read, which the scan of all files says. */
function digestOf(root: string, { path, found }: Fresh): Uint8Array | undefined {
  if (found.sha256 !== undefined) return found.sha256
  return orUndefined(() => hashFile(root, path, lstatSync(diskPath(root, path)))?.sha256)
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).code === 'string') return undefined
    throw error
  }
}

/** How many bytes a content has in lines of each hash. */
type LineBytes = ReadonlyMap<number, number>

async function matchAlike(
  root: string,
  loose: Loose,
  contentOf: (tracked: Tracked) => Promise<Uint8Array>,
): Promise<Rename[]> {
  const pairs = pairsOf(loose)
  const old = new Map<string, LineBytes>()
  const fresh = new Map<string, LineBytes | undefined>()
  for (const { from } of pairs) if (!old.has(from.path)) old.set(from.path, lineBytes(await contentOf(from)))
  for (const { to } of pairs) {
    if (!fresh.has(to.path))
      fresh.set(
        to.path,
        orUndefined(() => lineBytes(contentAt(root, to))),
      )
  }
  const alike = pairs.flatMap(({ from, to }) => {
    const a = old.get(from.path)
    const b = fresh.get(to.path)
    if (a === undefined || b === undefined) return []
    const likeness = common(a, b) / Math.max(from.size, to.found.size)
    return likeness < THRESHOLD ? [] : [{ from, to, likeness, named: lastName(from.path) === lastName(to.path) }]
  })
  // Pairs are in order of paths, and sorting keeps that where nothing else tells.
  alike.sort((a, b) => b.likeness - a.likeness || Number(b.named) - Number(a.named))
  const renames: Rename[] = []
  for (const { from, to, likeness } of alike) {
    const isLoose = loose.deleted.has(from.path) && loose.added.has(to.path)
    if (isLoose) renames.push(settle(loose, from, to, likeness))
  }
  return renames
}

interface Pair {
  readonly from: Tracked
  readonly to: Fresh
}

/** The pairs whose sizes allow them to be alike, in order of paths; none where there are too many. */
function pairsOf({ deleted, added }: Loose): Pair[] {
  const old = within([...deleted.values()], ({ size }) => size)
  const fresh = within([...added.values()], ({ found }) => found.size)
  if (old.length * fresh.length > PAIR_LIMIT) return []
  return old.flatMap((from) => {
    const fit = fresh.filter(({ found }) => {
      const [less, more] = from.size < found.size ? [from.size, found.size] : [found.size, from.size]
      return less >= more * THRESHOLD && isFile(from.mode) && isFile(found.mode)
    })
    return fit.map((to) => ({ from, to }))
  })
}

function isFile(mode: number): boolean {
  const kind = kindOf(mode)
  return kind === 'file' || kind === 'executable'
}

/** Those that are not too long to be compared, as many as are not too long together. */
function within<T>(files: readonly T[], size: (file: T) => number): T[] {
  let total = 0
  return files.filter((file) => {
    const bytes = size(file)
    if (bytes === 0 || bytes > LIKENESS_BYTES || total + bytes > TOTAL_BYTES) return false
    total += bytes
    return true
  })
}

function contentAt(root: string, { path, found }: Fresh): Uint8Array {
  const at = diskPath(root, path)
  return kindOf(found.mode) === 'symlink' ? readlinkSync(at, { encoding: 'buffer' }) : readFileSync(at)
}

const NEWLINE = 0x0a

/** Lines longer than this are cut: what is not text has few lines. */
const LONGEST_PIECE = 64

function lineBytes(content: Uint8Array): LineBytes {
  const bytes = new Map<number, number>()
  let start = 0
  let hash = FNV_BASIS
  for (let i = 0; i < content.length; i++) {
    const byte = content[i] as number
    hash = Math.imul(hash ^ byte, FNV_PRIME)
    if (byte !== NEWLINE && i + 1 - start < LONGEST_PIECE && i + 1 < content.length) continue
    bytes.set(hash, (bytes.get(hash) ?? 0) + i + 1 - start)
    start = i + 1
    hash = FNV_BASIS
  }
  return bytes
}

/** FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/. A clash makes two files a line more alike. */
const FNV_BASIS = 0x811c9dc5
const FNV_PRIME = 0x01000193

function common(a: LineBytes, b: LineBytes): number {
  let bytes = 0
  for (const [hash, count] of a) bytes += Math.min(count, b.get(hash) ?? 0)
  return bytes
}
