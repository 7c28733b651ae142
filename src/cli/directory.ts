/**
 * Where a command works: `-C`, and paths given from a folder below the root of a repository.
 * @module
 */
import { posix, relative, resolve, sep } from 'node:path'
import { CodedError } from '../base/error.js'

/**
 * Makes `dir` the working directory, as if weft had been started there.
 *
 * @throws {CodedError} `DIR_NOT_FOUND` if there is no directory of that name or it cannot be entered.
 */
export function changeDirectory(dir: string): void {
  try {
    process.chdir(dir)
  } catch (cause) {
    throw new CodedError('DIR_NOT_FOUND', `There is no directory ${resolve(dir)} to work in.`, {
      hint: 'Check the path after -C.',
      cause,
    })
  }
}

/**
 * A path as the user typed it, turned into a path of the repository: below `root`, parts joined by `/`.
 *
 * Where the working directory is the root, or lies outside (a repository named by other means), the text is taken as it
 * is, but for a `./` before it and slashes behind it. A path in git's quotes is never changed: it names a path of the
 * repository already.
 *
 * @param path - As typed.
 * @param root - Absolute path of the repository's root.
 * @param cwd - Absolute path of the working directory.
 * @returns The path, empty for the root itself. A path that leads out of the root keeps its `..` and will not be found.
 */
export function repositoryPath(path: string, root: string, cwd: string = process.cwd()): string {
  if (path.startsWith('"')) return path
  const parts = partsBelow(root, cwd)
  for (const part of path.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

/** The other way round: a path of the repository, as text, as it is to be typed in the working directory. Quoted ones stay. */
export function typedPath(path: string, root: string, cwd: string = process.cwd()): string {
  const parts = partsBelow(root, cwd)
  if (path.startsWith('"') || parts.length === 0) return path
  const typed = posix.relative(parts.join('/'), path)
  // What only looks quoted has to be told from what is.
  const safe = typed.startsWith('"') ? `./${typed}` : typed || '.'
  return path.endsWith('/') ? `${safe}/` : safe
}

/** The directories from the root down to the working directory; none where that lies outside. */
function partsBelow(root: string, cwd: string): string[] {
  const below = relative(root, cwd)
  const inside = below !== '' && below !== '..' && !below.startsWith(`..${sep}`)
  return inside ? below.split(sep) : []
}
