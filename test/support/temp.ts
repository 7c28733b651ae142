/**
 * Temporary directories for tests, all under one that is removed when the test process ends.
 * @module
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let base: string | undefined
let count = 0

/** A new empty directory; `name` shows up in its path, for whoever reads an error message. */
export function temporary(name = 'dir'): string {
  if (base === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'weft-test-'))
    chmodSync(made, 0o755) // so that a test may run the program as somebody else
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
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
