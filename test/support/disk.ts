/**
 * What stands in a directory: every file and link, with bytes and kind. Names may be any bytes.
 * @module
 */
import { Buffer } from 'node:buffer'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** A file or link on disk, with the mode git would give it. */
export interface DiskFile {
  readonly mode: '100644' | '100755' | '120000'
  readonly data: Buffer
}

/** Everything below `directory` but the directories themselves, by path (binary string). */
export function filesBelow(directory: string, prefix = '', into = new Map<string, DiskFile>()): Map<string, DiskFile> {
  const at = (path: string): Buffer => Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, 'latin1')])
  for (const name of readdirSync(at(prefix), { encoding: 'buffer' })) {
    const path = prefix + name.toString('latin1')
    const stat = lstatSync(at(path))
    if (stat.isDirectory()) filesBelow(directory, `${path}/`, into)
    else if (stat.isSymbolicLink()) {
      into.set(path, { mode: '120000', data: readlinkSync(at(path), { encoding: 'buffer' }) })
    } else into.set(path, { mode: stat.mode & 0o100 ? '100755' : '100644', data: readFileSync(at(path)) })
  }
  return into
}
