/**
 * Where a command works: `-C`, and paths given from a folder below the root of a repository.
 * @module
 */
import { relative, resolve, sep } from 'node:path'
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
  const below = relative(root, cwd)
  const inside = below !== '' && below !== '..' && !below.startsWith(`..${sep}`)
  const parts = inside ? below.split(sep) : []
  for (const part of path.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}
