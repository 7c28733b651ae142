/**
 * Files and directories that are on the disk, whole, when a function returns: what is left after a power cut is the old or
 * the new one.
 * @module
 */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { diskError } from './disk-error.js'

/**
 * Puts a file in its place whole, after its bytes are on the disk.
 *
 * @param mode - Of a new file, less what the umask takes away.
 * @throws {CodedError} `DISK_*`; what was there before is there still.
 */
export function writeDurably(path: string, bytes: Uint8Array, mode = 0o600): void {
  const temporary = `${path}.${process.pid}.new`
  try {
    const file = openSync(temporary, 'w', mode)
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
    syncDirectory(dirname(path))
  } catch (error) {
    rmSync(temporary, { force: true })
    throw diskError(error, path)
  }
}

/**
 * Makes a directory and those on the way to it, where they are missing.
 *
 * @throws {CodedError} `DISK_*`.
 */
export function makeDirectory(path: string): void {
  try {
    const made = mkdirSync(path, { recursive: true })
    if (made === undefined) return
    for (let at = path; at.length >= made.length; at = dirname(at)) syncDirectory(dirname(at))
  } catch (error) {
    throw diskError(error, path)
  }
}

/** Makes renames in a directory last; not every system can. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
