/**
 * The files that stand at a path of the work tree and below it, whoever tracks them.
 * @module
 */
import { type Dirent, readdirSync } from 'node:fs'
import { diskError } from '../repo/disk-error.js'
import { WEFT_DIRECTORY } from '../repo/layout.js'
import { formatPath } from '../repo/path-text.js'
import { diskPath } from './disk-path.js'
import { lookAt, modeOf } from './work-files.js'

/** What there is. Paths are binary strings, in no order. */
export interface FilesBelow {
  /** Files and links. */
  readonly files: readonly string[]
  /** Directories that are repositories of their own; nothing in them is looked at. */
  readonly nested: readonly string[]
  /** Pipes, sockets and devices. */
  readonly special: readonly string[]
}

const GIT_DIRECTORY = '.git'

/**
 * Lists what stands at `path` and below it; nothing where nothing is there.
 *
 * @throws {CodedError} `DISK_*` for a directory that cannot be listed.
 */
export function filesBelow(root: string, path: string): FilesBelow {
  const found = { files: [] as string[], nested: [] as string[], special: [] as string[] }
  const stat = path === '' ? undefined : lookAt(root, path)
  if (path === '' || stat?.isDirectory() === true) listInto(root, path, found)
  else if (stat !== undefined) (modeOf(stat) === undefined ? found.special : found.files).push(path)
  return found
}

function listInto(root: string, path: string, found: { files: string[]; nested: string[]; special: string[] }): void {
  const entries = entriesOf(root, path)
  const isNested = entries.some(({ name }) => name === GIT_DIRECTORY || name === WEFT_DIRECTORY)
  if (isNested && path !== '') {
    found.nested.push(path)
    return
  }
  for (const entry of entries) {
    if (entry.name === GIT_DIRECTORY || entry.name === WEFT_DIRECTORY) continue
    const child = path === '' ? entry.name : `${path}/${entry.name}`
    if (entry.isDirectory()) listInto(root, child, found)
    else (entry.isFile() || entry.isSymbolicLink() ? found.files : found.special).push(child)
  }
}

function entriesOf(root: string, path: string): Dirent[] {
  try {
    return readdirSync(diskPath(root, path), { encoding: 'latin1', withFileTypes: true })
  } catch (error) {
    throw diskError(error, formatPath(path))
  }
}
