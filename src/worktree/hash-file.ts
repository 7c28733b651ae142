/**
 * The content of a file in the work tree, hashed, while others may be writing to it.
 * @module
 */
import { Buffer } from 'node:buffer'
import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync, type Stats } from 'node:fs'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { diskPath } from './disk-path.js'

/** What was found at a path: the stat holds from before it was read until after. */
export interface HashedFile {
  /** 32 bytes. */
  readonly sha256: Uint8Array
  readonly stats: Stats
}

/** Neither through a link, nor waiting for somebody to write into a pipe that stands there by now. */
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Attempts to read a file that is being written to. */
const ATTEMPTS = 3

const PIECE = 1 << 20
let piece: Buffer | undefined

/**
 * Hashes a file, or the target of a link.
 *
 * @param stats - What lstat said a moment ago: a file or link.
 * @returns Undefined where it changes faster than it can be read, or is something else by now.
 * @throws The system's error where it cannot be read.
 */
export function hashFile(root: string, path: string, stats: Stats): HashedFile | undefined {
  const at = diskPath(root, path)
  let before = stats
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const sha256 = attemptHash(at, before)
    const after = lstatSync(at)
    if (sha256 !== undefined && isSame(before, after)) return { sha256, stats: after }
    if (!after.isFile() && !after.isSymbolicLink()) return undefined
    before = after
  }
  return undefined
}

function isSame(a: Stats, b: Stats): boolean {
  const same = a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.ino === b.ino
  return same && a.size === b.size && a.mode === b.mode
}

/** What the system says of a link that is none any more, a file that is one by now, and a pipe nobody reads from. */
const REPLACED = new Set(['EINVAL', 'ELOOP', 'ENXIO'])

function attemptHash(at: string | Buffer, stats: Stats): Uint8Array | undefined {
  try {
    if (!stats.isSymbolicLink()) return hashContent(at, stats)
    return crypto.sha256(readlinkSync(at, { encoding: 'buffer' }))
  } catch (error) {
    if (REPLACED.has((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** @returns Undefined where there is another file by now. */
function hashContent(at: string | Buffer, { ino, size }: Stats): Uint8Array | undefined {
  const file = openSync(at, READ)
  try {
    const opened = fstatSync(file)
    if (!opened.isFile() || opened.ino !== ino || opened.size !== size) return undefined
    piece ??= Buffer.allocUnsafeSlow(PIECE)
    let read = readSync(file, piece, 0, PIECE, null)
    // Most files are one piece.
    if (read === size && read < PIECE) return crypto.sha256(piece.subarray(0, read))
    const hash = crypto.createSha256()
    for (; read > 0; read = readSync(file, piece, 0, PIECE, null)) hash.update(piece.subarray(0, read))
    return hash.digest()
  } finally {
    closeSync(file)
  }
}
