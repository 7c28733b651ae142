/**
 * Which paths may be written into a work tree.
 *
 * A history may come from anywhere, and a path in it may be made to hurt: to lead out of the directory it is written
 * into, or into the innards of a repository under a name that the file system takes for `.git`. Names that are merely
 * strange are fine.
 *
 * After git's `verify_path`, with `.weft` beside `.git`: NTFS ignores case, trailing dots and spaces and what follows a
 * colon, and gives every long name a short one; HFS+ ignores case and a few code points that nobody sees.
 * @see git, path.c (`is_ntfs_dotgit`), utf8.c (`is_hfs_dotgit`), read-cache.c (`verify_path`).
 * @module
 */
import { CodedError } from '../base/error.js'
import { formatPath } from './path-text.js'

/** Names of repositories, and the short names that Windows gives them. */
const REPOSITORIES = new Set(['.git', '.weft', 'git~1', 'weft~1'])

/** U+200C to U+200F, U+202A to U+202E, U+206A to U+206F and U+FEFF in UTF-8: HFS+ does not see them. */
const UNSEEN = /\xe2\x80[\x8c-\x8f\xaa-\xae]|\xe2\x81[\xaa-\xaf]|\xef\xbb\xbf/g

/** Devices, which Windows finds in every directory and with any extension. */
const DEVICES = /^(con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$) *($|[.:])/i

/**
 * Refuses a set of paths unless all of them can be written below one directory, each a thing of its own.
 *
 * @param paths - Binary strings, no two the same, none of them a directory.
 * @param platform - Windows takes fewer names than others.
 * @throws {CodedError} `PATH_UNSAFE`, naming the path.
 */
export function assertSafePaths(paths: readonly string[], platform: NodeJS.Platform = process.platform): void {
  const all = new Set(paths)
  for (const path of paths) {
    const reason = unsafeReason(path, platform)
    if (reason !== undefined) throw unsafe(path, reason)
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const above = path.slice(0, slash)
      if (all.has(above)) throw unsafe(path, `${formatPath(above)} is not a directory`)
    }
  }
}

function unsafe(path: string, reason: string): CodedError {
  return new CodedError('PATH_UNSAFE', `The path ${formatPath(path)} is not safe to write: ${reason}.`, {
    hint: 'Nothing was written. Name the paths to restore, and leave this one out.',
    data: { path: formatPath(path) },
  })
}

/** Why a path must not be written; undefined where it may be. */
export function unsafeReason(path: string, platform: NodeJS.Platform): string | undefined {
  if (path.startsWith('/')) return 'it is absolute'
  if (path.includes('\0')) return 'it has a NUL in it'
  for (const part of path.split('/')) {
    if (part === '') return 'a part of it is empty'
    if (part === '.' || part === '..') return `it has ${part} in it`
    if (namesRepository(part)) return `${formatPath(part)} is a place of a repository`
    const reason = platform === 'win32' ? refusedByWindows(part) : undefined
    if (reason !== undefined) return reason
  }
  return undefined
}

function namesRepository(part: string): boolean {
  const [name = ''] = part.replace(UNSEEN, '').split(':', 1)
  return REPOSITORIES.has(name.replace(/[. ]+$/, '').toLowerCase())
}

function refusedByWindows(part: string): string | undefined {
  if (/[\\:]/.test(part)) return 'Windows takes a backslash or a colon for more than a name'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what Windows refuses
  if (/[\x01-\x1f<>"|?*]/.test(part)) return 'it has a character that Windows has no names with'
  if (/[. ]$/.test(part)) return 'Windows drops a dot or space at the end of a name'
  if (DEVICES.test(part)) return `${formatPath(part)} is a device on Windows`
  return undefined
}
