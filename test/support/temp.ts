/**
 * Temporary directories for tests, all under one that is removed when the test process ends.
 * @module
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const bases = new Map<string, string>()
let count = 0

/** A new empty directory; `name` shows up in its path, for whoever reads an error message. */
export function temporary(name = 'dir'): string {
  return directoryIn(tmpdir(), name)
}

/** Likewise, in memory where the system has a place for that: for tests that wait for the disk again and again. */
export function quick(name = 'dir'): string {
  return directoryIn(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), name)
}

function directoryIn(place: string, name: string): string {
  let base = bases.get(place)
  if (base === undefined) {
    const made = mkdtempSync(join(place, 'weft-test-'))
    chmodSync(made, 0o755) // so that a test may run the program as somebody else
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
    bases.set(place, made)
    base = made
  }
  const directory = join(base, `${++count}-${name}`)
  mkdirSync(directory)
  return directory
}

/** A path in a new directory at which there is nothing yet. */
export function nowhere(name = 'new'): string {
  return join(temporary(name), name)
}
